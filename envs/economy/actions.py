"""What the two sides decide: recorded actions, their natural units, and the boxes they are drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.economy.arrays import Total, cast, namespace, total
from envs.economy.parameters import EconomyParameters
from envs.economy.state import State
from envs.economy.taxation import HSV, FiscalPolicy, ScaledHSV
from envs.game import Array

# the names of what is decided, in the order of the boxes
INSTRUMENTS = (
    "income_tax_rate",
    "income_tax_progressivity",
    "wealth_tax_rate",
    "wealth_tax_progressivity",
    "spending_share",
)
DECISIONS = ("saving_rate", "labour_share")


def caps(parameters: EconomyParameters) -> NDArray[np.float64]:
    """The most a government may do, (5,): tau and xi on incomes, tau and xi on assets, share of GDP that is spent."""
    p = parameters
    return np.array([p.tau_cap, p.xi_cap, p.asset_tau_cap, p.asset_xi_cap, p.spending_cap])


def leader_bounds(parameters: EconomyParameters) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Smallest and largest leader action, (5,) each."""
    return caps(parameters) * parameters.share_low, caps(parameters) * parameters.share_high


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
    parameters: EconomyParameters, state: State, leader_action: Array | Sequence[Any], total: Total = total
) -> FiscalPolicy:
    """The schedules and the spending a leader action announces, (B, 5) or five instruments (B, 1)."""
    (tau, xi, tau_a, xi_a), spending_share = _instruments(state, leader_action)
    return FiscalPolicy(HSV(tau, xi), HSV(tau_a, xi_a), spending_share)


# mean income is at least this share of GDP per household, as the unit of a tax schedule
LEAST_MEAN_INCOME = 0.01


def scaled_hsv_policy(
    parameters: EconomyParameters, state: State, leader_action: Array | Sequence[Any], total: Total = total
) -> FiscalPolicy:
    """The same, with schedules in units of last year's mean income and of mean assets (preset `calibrated`)."""
    (tau, xi, tau_a, xi_a), spending_share = _instruments(state, leader_action)
    households, xp = state.assets.shape[-1], namespace(state.assets)
    income = xp.maximum(total(state.income), LEAST_MEAN_INCOME * state.gdp) / households
    assets = total(state.assets) / households
    return FiscalPolicy(
        ScaledHSV(tau, xi, cast(income, state.assets)),
        ScaledHSV(tau_a, xi_a, cast(assets, state.assets)),
        spending_share,
    )


def _instruments(state: State, leader_action: Array | Sequence[Any]) -> tuple[Sequence[Any], Any]:
    """The four numbers of the schedules in the households' dtype, and the share of GDP that is spent, (B, 1) each."""
    if isinstance(leader_action, np.ndarray):
        leader_action = [leader_action[:, k, None] for k in range(5)]
    *schedules, spending_share = leader_action
    if isinstance(spending_share, np.ndarray):
        spending_share = spending_share.astype(np.float64, copy=False)
    return [cast(x, state.assets) for x in schedules], spending_share
