"""The economy before its first year, from households drawn from the survey. Shapes (B, N) in, `EconomyState` out."""

from __future__ import annotations

import numpy as np

from envs.economy.arrays import total
from envs.economy.markets import production, wage
from envs.economy.parameters import EconomyParameters
from envs.economy.state import EconomyState
from envs.game import Array, BoolArray


def oecd_first_year(
    parameters: EconomyParameters, ability: Array, superstar: BoolArray, assets: Array, income: Array
) -> EconomyState:
    """GDP_0 is N times US GDP per person; debt and capital follow from OECD ratios to GDP (preset `paper`).

    No wage has been seen yet: it is 0. Income is the survey's.
    """
    games, households = assets.shape
    gdp = np.full((games, 1), households * parameters.us_gdp / parameters.us_population)
    return EconomyState(
        ability=ability,
        superstar=superstar,
        assets=assets,
        income=income,
        ascending_assets=np.sort(assets, axis=-1),
        ascending_income=np.sort(income, axis=-1),
        capital=parameters.capital_to_gdp * gdp,
        debt=parameters.debt_to_gdp * gdp,
        gdp=gdp,
        wage=np.zeros((games, 1)),
        interest_rate=np.full((games, 1), parameters.interest_rate),
        tfp=np.full((games, 1), parameters.tfp),
        maximal_hours=np.full((games, 1), parameters.maximal_hours),
    )


def wealth_first_year(
    parameters: EconomyParameters, ability: Array, superstar: BoolArray, assets: Array, income: Array
) -> EconomyState:
    """Half of all wealth is capital, half is debt; labour follows from the ratio of wealth to output (preset `taxai`).

    L_0 = A (1 - 6.6 r) / 6.6, and hours such that L_0 = sum(e W_0 hours / 3); income is e hours / 3, as if W were 1.
    Where nobody drawn owns anything all own a dollar: with nothing there would be no price that clears the markets.
    """
    assets = np.where(total(assets) > 0, assets, 1.0).astype(assets.dtype, copy=False)
    with np.errstate(all="ignore"):
        wealth = total(assets)
        capital = wealth / 2
        ratio, share = parameters.wealth_to_output, parameters.initial_labour_share
        labour = wealth * (1 - ratio * parameters.interest_rate) / ratio
        tfp = np.full_like(capital, parameters.tfp)
        gdp = production(tfp, capital, labour, parameters.capital_share)
        price = wage(gdp, labour, parameters.capital_share)
        hours = labour / (total(ability) * price * share)
        earned = ability * (hours * share).astype(ability.dtype)
    return EconomyState(
        ability=ability,
        superstar=superstar,
        assets=assets,
        income=earned,
        ascending_assets=np.sort(assets, axis=-1),
        ascending_income=np.sort(earned, axis=-1),
        capital=capital,
        debt=capital.copy(),
        gdp=gdp,
        wage=price,
        interest_rate=np.full_like(capital, parameters.interest_rate),
        tfp=tfp,
        maximal_hours=hours,
    )


def balanced_first_year(
    parameters: EconomyParameters, ability: Array, superstar: BoolArray, assets: Array, income: Array
) -> EconomyState:
    """The survey's wealth, scaled to what there is to own: A_0 = K_0 + B_0 (preset `calibrated`).

    GDP_0 is N times US GDP per household, debt and capital follow from their ratios to it. Income is what households
    would have earned at the prices of that year by working `initial_labour_share` of their time.
    """
    games, households = assets.shape
    gdp = np.full((games, 1), households * parameters.us_gdp / parameters.us_population)
    wealth = (parameters.capital_to_gdp + parameters.debt_to_gdp) * gdp
    surveyed = total(assets)
    # where nobody drawn owns anything all own the same
    owned = np.where(surveyed > 0, assets, 1.0)
    owned = (owned * (wealth / total(owned))).astype(assets.dtype, copy=False)
    debt = parameters.debt_to_gdp * gdp
    hours = parameters.maximal_hours * parameters.initial_labour_share
    price = (1 - parameters.capital_share) * gdp / (households * hours)
    rate = np.full((games, 1), parameters.capital_share / parameters.capital_to_gdp - parameters.depreciation)
    earned = (price * hours * ability + rate * owned).astype(assets.dtype, copy=False)
    return EconomyState(
        ability=ability,
        superstar=superstar,
        assets=owned,
        income=earned,
        ascending_assets=np.sort(owned, axis=-1),
        ascending_income=np.sort(earned, axis=-1),
        capital=total(owned) - debt,
        debt=debt,
        gdp=gdp,
        wage=price,
        interest_rate=rate,
        tfp=np.full((games, 1), parameters.tfp),
        maximal_hours=np.full((games, 1), parameters.maximal_hours),
    )
