"""What households earn, consume, save and enjoy. Shapes (B, N); prices (B, 1)."""

from __future__ import annotations

import numpy as np

from envs.economy.parameters import EconomyParameters
from envs.economy.taxation import Schedule
from envs.game import Array


def gross_income(wage: Array, effective_labour: Array, interest_rate: Array, assets: Array) -> Array:
    """y = W e n + r a, where effective_labour = e n."""
    return wage * effective_labour + interest_rate * assets


def income_alone(post_income: Array, post_assets: Array) -> Array:
    """The saving rate applies to income after tax (preset `paper`)."""
    return post_income


def total_wealth(post_income: Array, post_assets: Array) -> Array:
    """The saving rate applies to income and assets after tax (preset `taxai`)."""
    return post_income + post_assets


def desired_consumption(saving_rate: Array, base: Array, consumption_tax: float) -> Array:
    """c = (1 - s) base / (1 + tau_c)."""
    return (1 - saving_rate) * base * (1 / (1 + consumption_tax))


def next_assets(post_income: Array, post_assets: Array, consumption: Array, consumption_tax: float) -> Array:
    """The household's budget: a' = p + q - (1 + tau_c) c."""
    return post_income + post_assets - (1 + consumption_tax) * consumption


def wealth_after_tax(asset_tax: Schedule, ascending_assets: Array, ascending_next_assets: Array) -> Array:
    """Wealth inequality is that of assets after tax, q (preset `paper`)."""
    return ascending_assets - asset_tax.tax(ascending_assets)


def wealth_saved(asset_tax: Schedule, ascending_assets: Array, ascending_next_assets: Array) -> Array:
    """Wealth inequality is that of the assets carried into the next year, a' (preset `taxai`)."""
    return ascending_next_assets


def utility(parameters: EconomyParameters, consumption: Array, labour_share: Array) -> Array:
    """The household's reward, sigmoid(u(c) - v(l)), in (0, 1).

    u = ln(c / 1000) at theta = 1, else c^(1 - theta) / (1 - theta); v = 10 l^(1 + gamma) / (1 + gamma), in the share l.
    """
    theta, gamma = parameters.crra, parameters.inverse_frisch
    if theta == 1:
        enjoyed = np.log(consumption * (1 / parameters.log_consumption_unit))
    else:
        enjoyed = consumption ** (1 - theta) / (1 - theta)
    toil = labour_share ** (1 + gamma) * (parameters.labour_disutility / (1 + gamma))
    return sigmoid(enjoyed - toil)


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)); 0 where exp(-x) overflows."""
    return 1 / (1 + np.exp(-x))
