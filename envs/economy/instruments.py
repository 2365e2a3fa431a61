"""A government's instruments by name: five that every economy has, and further ones that a game may open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.economy.parameters import EconomyParameters
from envs.game import Array, InvalidSetting
from envs.registry import nearest

# the first of every leader's action, in the order of its box
INSTRUMENTS = (
    "income_tax_rate",
    "income_tax_progressivity",
    "wealth_tax_rate",
    "wealth_tax_progressivity",
    "spending_share",
)


@dataclass(frozen=True)
class Further:
    """An instrument that a game opens by its setting `instruments`; its smallest value is always 0.

    usual_most: its largest value where the setting names none. largest: what that may be at most.
    """

    usual_most: float
    largest: float


# after the five, in this order
FURTHER = {
    "transfer": Further(usual_most=0.5, largest=2.0),
    "consumption_tax_rate": Further(usual_most=0.5, largest=5.0),
    "wealth_tax_exemption": Further(usual_most=1e8, largest=1e12),
    "labour_income_tax_rate": Further(usual_most=0.5, largest=0.99),
    "capital_income_tax_rate": Further(usual_most=0.5, largest=0.99),
}
UNITS = {
    "income_tax_rate": "marginal rate at mean income",
    "income_tax_progressivity": "xi of the HSV schedule",
    "wealth_tax_rate": "of assets a year, at the margin at mean assets",
    "wealth_tax_progressivity": "xi of the HSV schedule",
    "spending_share": "of GDP",
    "transfer": "of mean income, to every household a year",
    "consumption_tax_rate": "of consumption before tax",
    "wealth_tax_exemption": "dollars of assets",
    "labour_income_tax_rate": "of earnings, before the tax on all income",
    "capital_income_tax_rate": "of interest received, before the tax on all income",
}


def opened(
    setting: Sequence[str] | Mapping[str, float] | None, allowed: Sequence[str]
) -> tuple[tuple[str, float], ...]:
    """The further instruments of a game with their largest values, from names alone or from values by name.

    Raises InvalidSetting for an unknown name, one twice, one of the five, one that the preset has not (`allowed`: those
    that it has), and a value that is no sensible largest value.
    """
    if setting is None:
        return ()
    if isinstance(setting, str) or not isinstance(setting, Mapping | Sequence):
        raise InvalidSetting(
            f"instruments = {setting}: must be a list of names, as in [transfer], or {{transfer: 0.5}}"
        )
    names = list(setting)
    for name in names:
        _check_name(name, allowed)
    if len(set(names)) != len(names):
        raise InvalidSetting(f"instruments = {names}: every instrument must be named once")
    most = dict(setting) if isinstance(setting, Mapping) else {name: FURTHER[name].usual_most for name in names}
    return tuple((name, _largest(name, most[name])) for name in FURTHER if name in most)


def names(parameters: EconomyParameters) -> tuple[str, ...]:
    """All instruments of an economy, in the order of the leader's box."""
    return INSTRUMENTS + tuple(name for name, _ in parameters.further_instruments)


def by_name(parameters: EconomyParameters, leader_action: Array | Sequence[Any]) -> dict[str, Any]:
    """The instruments of an action (B, al), or of a sequence of al numbers or arrays, by name: (B, 1) each."""
    known = names(parameters)
    if isinstance(leader_action, np.ndarray):
        leader_action = [leader_action[:, k, None] for k in range(len(known))]
    return dict(zip(known, leader_action, strict=True))


def at_rest(parameters: EconomyParameters) -> NDArray[np.float64]:
    """The further instruments where a government says nothing about them, (al - 5,): as in games without them."""
    resting = {"consumption_tax_rate": parameters.consumption_tax}
    return np.array([resting.get(name, 0.0) for name, _ in parameters.further_instruments])


def _check_name(name: Any, allowed: Sequence[str]) -> None:
    if name in INSTRUMENTS:
        raise InvalidSetting(f"instruments: '{name}' is always one of them; further ones are {', '.join(FURTHER)}")
    if name not in FURTHER:
        raise InvalidSetting(f"instruments: unknown instrument '{name}'{nearest(str(name), list(FURTHER))}")
    if name not in allowed:
        raise InvalidSetting(f"instruments: this preset has no instrument '{name}': preset must be 'calibrated'")


def _largest(name: str, most: Any) -> float:
    largest, unit = FURTHER[name].largest, UNITS[name]
    if isinstance(most, bool) or not isinstance(most, int | float) or not 0 < most <= largest:
        raise InvalidSetting(
            f"instruments.{name} = {most}: its largest value must be above 0, at most {largest:g} {unit}"
        )
    return float(most)
