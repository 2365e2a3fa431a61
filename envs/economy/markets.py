"""Firms, and the markets for labour, capital and goods. Shapes: per game (B, 1), per household (B, N)."""

from __future__ import annotations

import numpy as np

from envs.economy.arrays import cast, namespace, positive
from envs.economy.parameters import EconomyParameters
from envs.game import Array


def production(tfp: Array, capital: Array, labour: Array, capital_share: float) -> Array:
    """Y = A K^alpha L^(1 - alpha), (B, 1)."""
    gdp: Array = tfp * positive(capital) ** capital_share * positive(labour) ** (1 - capital_share)
    return gdp


def wage(gdp: Array, labour: Array, capital_share: float) -> Array:
    """The marginal product of an hour of ability 1: W = (1 - alpha) Y / L = A (1 - alpha) (K / L)^alpha, (B, 1)."""
    price: Array = (1 - capital_share) * gdp / positive(labour)
    return price


def fixed_interest_rate(parameters: EconomyParameters, capital: Array, labour: Array, gdp: Array) -> Array:
    """The same r every year, (B, 1)."""
    rate: Array = namespace(gdp).full_like(gdp, parameters.interest_rate)
    return rate


def marginal_product(parameters: EconomyParameters, capital: Array, labour: Array, gdp: Array) -> Array:
    """Capital's marginal product less what wears out, r = alpha Y / K - delta, (B, 1) (preset `calibrated`)."""
    rate: Array = parameters.capital_share * gdp / positive(capital) - parameters.depreciation
    return rate


def rationed(desired: Array, demand: Array, spending: Array, gdp: Array) -> Array:
    """Where demand = sum c and spending exceed GDP, all get the same share of what they desire: c (Y - G) / sum c."""
    excess, xp = demand + spending > gdp, namespace(desired)
    # asking an accelerator would make it wait
    if xp is np and not np.count_nonzero(excess):
        return desired
    share = xp.where(excess, (gdp - spending) / positive(demand), 1.0)
    got: Array = desired * cast(share, desired)
    return got


def not_rationed(desired: Array, demand: Array, spending: Array, gdp: Array) -> Array:
    """Households get what they desire."""
    return desired
