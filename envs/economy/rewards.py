"""What a government may be rewarded for. Shapes (B, 1)."""

from __future__ import annotations

from envs.economy.indicators import gini
from envs.economy.parameters import EconomyParameters
from envs.economy.state import Flows
from envs.game import Array


def capital_growth(parameters: EconomyParameters, flows: Flows) -> Array:
    """Task `gdp` of the preset `paper`: 100 (K' - K) / K."""
    return 100 * (flows.next_capital - flows.capital) / flows.capital


def gdp_growth(parameters: EconomyParameters, flows: Flows) -> Array:
    """Task `gdp` of the preset `taxai`: (Y - Y_prev) / Y_prev; before the first year Y_prev is the initial GDP."""
    return (flows.gdp - flows.previous_gdp) / flows.previous_gdp


def redistribution(parameters: EconomyParameters, flows: Flows) -> Array:
    """Task `gini` of the preset `paper`: by how many percent taxes lower the ginis of assets and of income, summed."""
    assets, post_assets, income = (
        gini(x, parameters.gini_shift) for x in (flows.assets, flows.post_assets, flows.income)
    )
    return 100 * ((assets - post_assets) / assets + (income - flows.income_gini) / income)


def equality(parameters: EconomyParameters, flows: Flows) -> Array:
    """Task `gini` of the preset `taxai`: -(wealth gini * income gini)."""
    return -(flows.wealth_gini * flows.income_gini)


def social_welfare(parameters: EconomyParameters, flows: Flows) -> Array:
    """Task `social_welfare`: the sum of the households' rewards."""
    return flows.welfare


def growth_and_equality(parameters: EconomyParameters, flows: Flows) -> Array:
    """Task `gdp_gini`: GDP growth - w (wealth gini * income gini)."""
    return gdp_growth(parameters, flows) + parameters.inequality_weight * equality(parameters, flows)
