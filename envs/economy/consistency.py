"""Numbers of an economy that others settle, and numbers that contradict each other."""

from __future__ import annotations

from envs.economy.parameters import EconomyParameters
from envs.game import InvalidSetting


def nothing_follows(parameters: EconomyParameters) -> dict[str, float]:
    """Every number is a choice (preset `paper`); the first year must lie within the limits."""
    _starts_within_limits(parameters)
    return {}


def labour_is_left(parameters: EconomyParameters) -> dict[str, float]:
    """Every number is a choice, and L_0 = A (1 - 6.6 r) / 6.6 must be above 0 (preset `taxai`)."""
    p = parameters
    if p.wealth_to_output * p.interest_rate >= 1:
        raise InvalidSetting(
            f"wealth_to_output * interest_rate = {p.wealth_to_output * p.interest_rate:g}: must be below 1, "
            "or the first year has no labour"
        )
    return {}


def us_first_year(parameters: EconomyParameters) -> dict[str, float]:
    """What the first year of `calibrated` settles: TFP, the interest rate, and mean consumption as utility's unit.

    A = Y / (K^alpha L^(1 - alpha)) of a household that has the mean of everything, ability 1 included.
    """
    p = parameters
    _starts_within_limits(p)
    if p.ability_persistence >= 1:
        raise InvalidSetting(
            f"ability_persistence = {p.ability_persistence:g}: must be below 1, or there is no long run"
        )
    if p.superstar_entry > 0 and p.superstar_stay >= 1:
        raise InvalidSetting(f"superstar_stay = {p.superstar_stay:g}: must be below 1, or all end as superstars")
    if p.capital_to_gdp + p.debt_to_gdp <= 0:
        raise InvalidSetting(f"debt_to_gdp = {p.debt_to_gdp:g}: must be above -capital_to_gdp = {-p.capital_to_gdp:g}")
    used = p.depreciation * p.capital_to_gdp + p.usual_spending_share
    if used >= 1:
        raise InvalidSetting(
            f"depreciation * capital_to_gdp + usual_spending_share = {used:g}: must be below 1, "
            "or nothing is left to consume"
        )
    gdp = p.us_gdp / p.us_population
    hours = p.maximal_hours * p.initial_labour_share
    capital = p.capital_to_gdp * gdp
    return {
        "tfp": float(gdp / (capital**p.capital_share * hours ** (1 - p.capital_share))),
        "interest_rate": p.capital_share / p.capital_to_gdp - p.depreciation,
        "log_consumption_unit": (1 - p.depreciation * p.capital_to_gdp - p.usual_spending_share)
        * p.us_gdp
        / p.us_population,
    }


def _starts_within_limits(parameters: EconomyParameters) -> None:
    p = parameters
    if p.debt_to_gdp > p.debt_limit:
        raise InvalidSetting(f"debt_limit = {p.debt_limit:g}: must be at least debt_to_gdp = {p.debt_to_gdp:g}")
    if p.capital_to_gdp < p.least_capital:
        raise InvalidSetting(
            f"least_capital = {p.least_capital:g}: must be at most capital_to_gdp = {p.capital_to_gdp:g}"
        )
