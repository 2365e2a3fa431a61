"""What a government may be rewarded for. Shapes (B, 1)."""

from __future__ import annotations

from envs.economy.arrays import Total, namespace, positive, total
from envs.economy.indicators import gini
from envs.economy.parameters import EconomyParameters
from envs.economy.state import Flows
from envs.game import Array


def capital_growth(parameters: EconomyParameters, flows: Flows, total: Total = total) -> Array:
    """Task `gdp` of the preset `paper`: 100 (K' - K) / K."""
    return 100 * (flows.next_capital - flows.capital) / positive(flows.capital)


def gdp_growth(parameters: EconomyParameters, flows: Flows, total: Total = total) -> Array:
    """Task `gdp` of the preset `taxai`: (Y - Y_prev) / Y_prev; before the first year Y_prev is the initial GDP."""
    return (flows.gdp - flows.previous_gdp) / positive(flows.previous_gdp)


def redistribution(parameters: EconomyParameters, flows: Flows, total: Total = total) -> Array:
    """Task `gini` of the preset `paper`: by how many percent taxes lower the ginis of assets and of income, summed."""
    assets, post_assets, income = (
        gini(x, parameters.gini_shift, total) for x in (flows.assets, flows.post_assets, flows.income)
    )
    return 100 * ((assets - post_assets) / positive(assets) + (income - flows.income_gini) / positive(income))


def equality(parameters: EconomyParameters, flows: Flows, total: Total = total) -> Array:
    """Task `gini` of the preset `taxai`: -(wealth gini * income gini)."""
    return -(flows.wealth_gini * flows.income_gini)


def social_welfare(parameters: EconomyParameters, flows: Flows, total: Total = total) -> Array:
    """Task `social_welfare`: the sum of the households' rewards."""
    return flows.welfare


def mean_utility(parameters: EconomyParameters, flows: Flows, total: Total = total) -> Array:
    """The mean of the households' rewards: what Aiyagari's idle government is rewarded for."""
    mean: Array = flows.welfare / flows.reward.shape[-1]
    return mean


def growth_and_equality(parameters: EconomyParameters, flows: Flows, total: Total = total) -> Array:
    """Task `gdp_gini`: GDP growth - w (wealth gini * income gini)."""
    return gdp_growth(parameters, flows) + parameters.inequality_weight * equality(parameters, flows)


def gdp_level(parameters: EconomyParameters, flows: Flows, total: Total = total) -> Array:
    """Task `gdp` of the preset `calibrated`: GDP per household in units of the United States'."""
    households = flows.reward.shape[-1]
    level: Array = flows.gdp / (households * parameters.us_gdp / parameters.us_population)
    return level


def equality_above_zero(parameters: EconomyParameters, flows: Flows, total: Total = total) -> Array:
    """Task `gini` of the preset `calibrated`: 1 - wealth gini * income gini, so that no ended episode is a gain.

    Losses on assets can lift an income gini beyond 1, which then counts as 1.
    """
    wealth, income = (namespace(x).clip(x, 0.0, 1.0) for x in (flows.wealth_gini, flows.income_gini))
    equal: Array = 1 - wealth * income
    return equal


def output_and_equality(parameters: EconomyParameters, flows: Flows, total: Total = total) -> Array:
    """Task `gdp_gini` of the preset `calibrated`: `gdp_level` + w `equality_above_zero`."""
    return gdp_level(parameters, flows) + parameters.inequality_weight * equality_above_zero(parameters, flows)


def weighted(parameters: EconomyParameters, flows: Flows, total: Total = total) -> Array:
    """Task `weighted`: alpha_1 Y + alpha_2 S + alpha_3 sum u (section 3.1 of arXiv 2403.12093), each of order one.

    Y is `gdp_level`, S `equality_above_zero`, and sum u is taken per household, so that weights mean the same at any N.
    """
    households = flows.reward.shape[-1]
    objective: Array = (
        parameters.gdp_weight * gdp_level(parameters, flows)
        + parameters.equality_weight * equality_above_zero(parameters, flows)
        + parameters.welfare_weight * flows.welfare / households
    )
    return objective
