"""What households earn, consume, save and enjoy. Shapes (B, N); prices (B, 1)."""

from __future__ import annotations

import numpy as np

from envs.economy.arrays import cast, namespace, positive
from envs.economy.parameters import EconomyParameters
from envs.economy.taxation import Schedule
from envs.game import Array, InvalidSetting


def gross_income(wage: Array, effective_labour: Array, interest_rate: Array, assets: Array) -> Array:
    """y = W e n + r a, where effective_labour = e n."""
    return wage * effective_labour + interest_rate * assets


def income_alone(post_income: Array, post_assets: Array) -> Array:
    """The saving rate applies to income after tax (preset `paper`)."""
    return post_income


def total_wealth(post_income: Array, post_assets: Array) -> Array:
    """The saving rate applies to income and assets after tax (preset `taxai`)."""
    return post_income + post_assets


def desired_consumption(saving_rate: Array, base: Array, consumption_tax: Array | float) -> Array:
    """c = (1 - s) base / (1 + tau_c)."""
    return (1 - saving_rate) * base * (1 / (1 + consumption_tax))


def next_assets(post_income: Array, post_assets: Array, consumption: Array, consumption_tax: Array | float) -> Array:
    """The household's budget: a' = p + q - (1 + tau_c) c, where p is income after tax and transfer."""
    return post_income + post_assets - (1 + consumption_tax) * consumption


def wealth_after_tax(asset_tax: Schedule, ascending_assets: Array, ascending_next_assets: Array) -> Array:
    """Wealth inequality is that of assets after tax, q (preset `paper`)."""
    return ascending_assets - asset_tax.tax(ascending_assets)


def wealth_saved(asset_tax: Schedule, ascending_assets: Array, ascending_next_assets: Array) -> Array:
    """Wealth inequality is that of the assets carried into the next year, a' (preset `taxai`)."""
    return ascending_next_assets


def squashed_utility(
    parameters: EconomyParameters, consumption: Array, labour_share: Array, public_spending: Array
) -> Array:
    """`utility`, which public spending does not enter (presets `paper` and `taxai`)."""
    return utility(parameters, consumption, labour_share)


def utility_of_public_goods_too(
    parameters: EconomyParameters, consumption: Array, labour_share: Array, public_spending: Array
) -> Array:
    """The household's reward in the preset `calibrated`: 1 + (u(c) - v(l) + chi ln(G / G_US)) / k, about 1 in the US.

    u = ln(c / c_US) at theta = 1, else ((c / c_US)^(1 - theta) - 1) / (1 - theta); v = psi l^(1 + gamma) / (1 + gamma)
    less its US value; G is spending per household. k = `utility_unit` is wide enough that rewards are above 0 wherever
    people live (at theta = 1, where c > c_US exp(-k)): an episode that ends is then never a gain.
    """
    p = parameters
    enjoyed = isoelastic_utility(p, consumption, labour_share, public_spending)
    toil = labour_share ** (1 + p.inverse_frisch) - p.initial_labour_share ** (1 + p.inverse_frisch)
    public = p.public_spending_weight * namespace(public_spending).log(positive(public_spending) / us_spending(p))
    unscaled = enjoyed - toil * (p.labour_disutility / (1 + p.inverse_frisch)) + cast(public, consumption)
    reward: Array = 1 + unscaled * (1 / p.utility_unit)
    return reward


def isoelastic_utility(
    parameters: EconomyParameters, consumption: Array, labour_share: Array, public_spending: Array
) -> Array:
    """u(c) alone, in units of c_US: for households who neither choose their hours nor care for public spending."""
    relative, xp = positive(consumption) * (1 / parameters.log_consumption_unit), namespace(consumption)
    theta = parameters.crra
    enjoyed: Array = xp.log(relative) if theta == 1 else (relative ** (1 - theta) - 1) / (1 - theta)
    return enjoyed


def us_spending(parameters: EconomyParameters) -> float:
    """Public spending per household in the United States, dollars a year."""
    return parameters.usual_spending_share * parameters.us_gdp / parameters.us_population


def consumption_equivalent(parameters: EconomyParameters, reward: float, baseline: float) -> float:
    """By what share all consumption under the baseline would have to rise to be worth as much, at theta = 1.

    reward, baseline: rewards of the preset `calibrated` per household and year, averaged with the same weights (for a
    comparison of lifetimes, those of the discount factor): exp(k (reward - baseline)) - 1, as in Lucas (1987).
    Raises InvalidSetting at another theta, where utility is not additive in the logarithm of consumption.
    """
    if parameters.crra != 1:
        raise InvalidSetting(f"crra = {parameters.crra:g}: consumption equivalents are exact at crra = 1 only")
    return float(np.expm1(parameters.utility_unit * (reward - baseline)))


def utility(parameters: EconomyParameters, consumption: Array, labour_share: Array) -> Array:
    """The household's reward, sigmoid(u(c) - v(l)), in (0, 1).

    u = ln(c / 1000) at theta = 1, else c^(1 - theta) / (1 - theta); v = 10 l^(1 + gamma) / (1 + gamma), in the share l.
    """
    theta, gamma = parameters.crra, parameters.inverse_frisch
    consumption, xp = positive(consumption), namespace(consumption)
    if theta == 1:
        enjoyed = xp.log(consumption * (1 / parameters.log_consumption_unit))
    else:
        enjoyed = consumption ** (1 - theta) / (1 - theta)
    toil = labour_share ** (1 + gamma) * (parameters.labour_disutility / (1 + gamma))
    return sigmoid(enjoyed - toil)


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)); 0 where exp(-x) overflows."""
    xp = namespace(x)
    squashed: Array = 1 / (1 + np.exp(-x)) if xp is np else xp.sigmoid(x)
    return squashed
