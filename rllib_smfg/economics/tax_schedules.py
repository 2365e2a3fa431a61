"""The taxes that governments have come to after some years."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from envs import InvalidSetting, make
from envs.economy.game import Economy
from envs.economy.taxation import Schedule
from envs.game import Array, BoolArray
from policies.tax_rule import TaxRule
from rllib_smfg import named_policies
from rllib_smfg.economics.taxes_in_force import announced_taxes
from rllib_smfg.rollout import first_episodes

INCOMES = np.geomspace(10_000.0, 5_000_000.0, 120)
ASSETS = np.geomspace(10_000.0, 100_000_000.0, 120)
FOLLOWERS, GAMES = 1000, 4
REPORTED = {  # indicator -> how it is printed
    "interest_rate": "interest rate",
    "capital_output_ratio": "capital / GDP",
    "debt_to_gdp": "debt / GDP",
    "spending_to_gdp": "spending / GDP",
}


@dataclass(frozen=True)
class Drawn:
    """A government's taxes: marginal and average rates (120,) at INCOMES, tax over assets (120,) at ASSETS.

    Means over games that still live. Rules without a tax on assets have zeros there. economy: REPORTED of that year.
    """

    government: str
    marginal: Array
    average: Array
    on_assets: Array
    economy: dict[str, float]


def drawn(government: str, follower: str, year: int, seed: int) -> Drawn:
    """Plays to a year (1: the first) and reads the schedules of that year.

    Raises InvalidSetting where no game lives as long.
    """
    size: dict[str, Any] = {"games": GAMES, "followers": FOLLOWERS, "horizon": year + 1}
    instruments = named_policies.instruments_of(government) or None
    game = make("economy", preset="calibrated", instruments=instruments, **size)
    assert isinstance(game, Economy)
    leader = named_policies.leader(government, game, seed)
    households = named_policies.living_under(leader, follower, game, seed)
    years = first_episodes(game, leader, households, seed, year)
    before, index = game.state, game.year.copy()
    for number, (played, alive) in enumerate(years, start=1):
        lived = alive & ~played.step.done if number < year else alive
        announced = announced_taxes(game, before, played.leader_action)
        before, last, index = game.state, index, game.year.copy()
    if not lived.any():
        raise InvalidSetting(f"under government '{government}' no game lives to year {year}: name an earlier one")
    income = leader.schedule(last) if isinstance(leader, TaxRule) else announced.income_tax
    untaxed = isinstance(leader, TaxRule) and not leader.taxes_assets
    assets = np.zeros(len(ASSETS)) if untaxed else _mean_rates(announced.asset_tax, ASSETS, lived)
    marginal = np.asarray(income.marginal_rate(np.tile(INCOMES, (GAMES, 1))))[lived].mean(axis=0)
    state = {name: float(played.step.indicators[name][lived].mean()) for name in REPORTED}
    return Drawn(government, marginal, _mean_rates(income, INCOMES, lived), assets, state)


def _mean_rates(schedule: Schedule, amounts: Array, lived: BoolArray) -> Array:
    """Average rates, the mean over games that lived."""
    rates: Array = (np.asarray(schedule.tax(np.tile(amounts, (GAMES, 1))))[lived] / amounts).mean(axis=0)
    return rates
