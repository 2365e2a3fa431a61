"""What the two sides decide: recorded actions, their natural units, and the boxes they are drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.economy.arrays import Total, cast, namespace, total
from envs.economy.instruments import INSTRUMENTS, by_name
from envs.economy.parameters import EconomyParameters
from envs.economy.state import EconomyState
from envs.economy.taxation import HSV, AboveExemption, FiscalPolicy, ScaledHSV, Schedule
from envs.game import Array

# the names of what households decide, in the order of their box; for the government's see `envs.economy.instruments`
DECISIONS = ("saving_rate", "labour_share")


def caps(parameters: EconomyParameters) -> NDArray[np.float64]:
    """The most a government may do, (5,): tau and xi on incomes, tau and xi on assets, share of GDP that is spent.

    For instruments beyond the five see `EconomyParameters.further_instruments`.
    """
    p = parameters
    return np.array([p.tau_cap, p.xi_cap, p.asset_tau_cap, p.asset_xi_cap, p.spending_cap])


def leader_bounds(parameters: EconomyParameters) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Smallest and largest leader action, (al,) each; instruments beyond the five begin at 0."""
    most = np.array([largest for _, largest in parameters.further_instruments])
    low = np.concatenate([caps(parameters) * parameters.share_low, np.zeros(most.size)])
    return low, np.concatenate([caps(parameters) * parameters.share_high, most])


def follower_bounds(
    parameters: EconomyParameters, saving_rate_min: float | None, saving_rate_max: float | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Smallest and largest follower action, (2,) each; the saving rate's own bounds may be narrowed."""
    low, high = saving_rate(parameters, parameters.share_low), saving_rate(parameters, parameters.share_high)
    return (
        np.array([low if saving_rate_min is None else saving_rate_min, parameters.share_low]),
        np.array([high if saving_rate_max is None else saving_rate_max, parameters.share_high]),
    )


def saving_rate(parameters: EconomyParameters, share: Array | float) -> Array | float:
    """s = floor + (1 - floor) u: u itself in the preset `paper`, 0.5 u + 0.5 in `taxai`."""
    return parameters.saving_floor + (1 - parameters.saving_floor) * share


def natural_actions(parameters: EconomyParameters, raw_gov: Array, raw_house: Array) -> tuple[Array, Array]:
    """Natural units of recorded actions: (..., 5) and (..., N, 2) to the same shapes, clipped to what is allowed."""

    def share(raw: Array) -> Array:
        fraction = (raw - parameters.raw_low) / (parameters.raw_high - parameters.raw_low)
        clipped: Array = np.clip(fraction, parameters.share_low, parameters.share_high)
        return clipped

    house = share(raw_house)
    house[..., 0] = saving_rate(parameters, house[..., 0])
    natural: Array = caps(parameters) * share(raw_gov)
    return natural, house


def hsv_policy(
    parameters: EconomyParameters, state: EconomyState, leader_action: Array | Sequence[Any], total: Total = total
) -> FiscalPolicy:
    """The schedules and the spending a leader action announces, (B, al) or its instruments (B, 1)."""
    (tau, xi, tau_a, xi_a), spending_share, _ = _instruments(parameters, state.assets, leader_action)
    return FiscalPolicy(HSV(tau, xi), HSV(tau_a, xi_a), spending_share)


# mean income is at least this share of GDP per household, as the unit of a tax schedule
LEAST_MEAN_INCOME = 0.01


def scaled_hsv_policy(
    parameters: EconomyParameters, state: EconomyState, leader_action: Array | Sequence[Any], total: Total = total
) -> FiscalPolicy:
    """The same, with schedules in units of last year's mean income and of mean assets (preset `calibrated`).

    The transfer is a share of that mean income, too.
    """
    households, xp = state.assets.shape[-1], namespace(state.assets)
    income = xp.maximum(total(state.income), LEAST_MEAN_INCOME * state.gdp) / households
    return policy_in_units(parameters, leader_action, income, total(state.assets) / households, state.assets)


def policy_in_units(
    parameters: EconomyParameters, leader_action: Array | Sequence[Any], income: Any, assets: Any, like: Array
) -> FiscalPolicy:
    """What a leader action (B, al) announces where its schedules are in units of these amounts, dollars (B, 1).

    like: an array whose dtype that of the schedules shall be.
    """
    (tau, xi, tau_a, xi_a), spending_share, further = _instruments(parameters, like, leader_action)
    asset_tax: Schedule = ScaledHSV(tau_a, xi_a, cast(assets, like))
    if "wealth_tax_exemption" in further:
        asset_tax = AboveExemption(asset_tax, cast(further["wealth_tax_exemption"], like))
    return FiscalPolicy(
        ScaledHSV(tau, xi, cast(income, like)),
        asset_tax,
        spending_share,
        transfer=further["transfer"] * income if "transfer" in further else None,
        consumption_tax=further.get("consumption_tax_rate"),
        flat_on_earnings=further.get("labour_income_tax_rate"),
        flat_on_interest=further.get("capital_income_tax_rate"),
    )


def _instruments(
    parameters: EconomyParameters, like: Array, leader_action: Array | Sequence[Any]
) -> tuple[list[Any], Any, dict[str, Any]]:
    """The four numbers of the schedules in the households' dtype, the share of GDP that is spent, and by name what
    instruments there are beyond the five, (B, 1) each.
    """
    named = by_name(parameters, leader_action)
    schedules = [cast(named.pop(name), like) for name in INSTRUMENTS[:4]]
    books = {name: _for_the_books(x) for name, x in named.items()}
    return schedules, books.pop("spending_share"), books


def _for_the_books(x: Any) -> Any:
    """In float64, where numpy keeps the government's books."""
    return x.astype(np.float64, copy=False) if isinstance(x, np.ndarray) else x
