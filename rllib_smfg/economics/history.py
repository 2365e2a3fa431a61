"""What happens in an economy year by year and household by household, kept for pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from envs.economy.game import Economy
from envs.economy.taxation import Schedule
from envs.game import Array, BoolArray
from policies import FollowerPolicy, LeaderPolicy
from policies.tax_rule import TaxRule
from rllib_smfg.economics.taxes_in_force import announced_taxes
from rllib_smfg.rollout import first_episodes

SNAPSHOTS = (1, 10, 100, 300)  # years in which households are looked at one by one
INCOMES = np.geomspace(1e3, 1e18, 181)  # dollars a year at which a tax schedule is read off


@dataclass(frozen=True)
class Snapshot:
    """The households of the G economies that live in a year, (G, N) each, in dollars.

    wealth: at the end of the year; assets: before tax. marginal_rate and average_rate: of the income tax at
    the incomes `INCOMES` (P,), (G, P) each; None under a rule that no action expresses.
    """

    wealth: Array
    assets: Array
    income: Array
    income_tax: Array
    asset_tax: Array
    marginal_rate: Array | None
    average_rate: Array | None


@dataclass(frozen=True)
class History:
    """E episodes of up to T years; of several training seeds, one seed's after the other's, as many of each.

    indicators: {name: (T, E)}, not a number once an economy has ended. actions: the leader's, (T, E, al), likewise.
    utility: each household's rewards, discounted to the first year, (E, N). first_wealth: before the first year (E, N).
    """

    indicators: dict[str, Array]
    actions: Array
    snapshots: dict[int, Snapshot]
    utility: Array
    first_wealth: Array
    seeds: int = 1

    @property
    def lived(self) -> Array:
        """Share of the economies that live in each year, (T,)."""
        first: Array = next(iter(self.indicators.values()))
        shares: Array = np.isfinite(first).mean(-1)
        return shares


def record_history(game: Economy, leader: LeaderPolicy, follower: FollowerPolicy, seed: int) -> History:
    """Plays the first episode of every game to its end and keeps what `History` holds."""
    played = first_episodes(game, leader, follower, seed)
    first_wealth = game.state.assets.astype(np.float64)
    utility, weight = np.zeros(first_wealth.shape), 1.0
    rows: list[dict[str, Array]] = []
    actions: list[Array] = []
    snapshots: dict[int, Snapshot] = {}
    before = game.state
    for year, alive in played:
        step = year.step
        utility += weight * np.where(alive[:, None], step.follower_reward, 0.0)
        weight *= game.discount
        rows.append({name: np.where(alive, values, np.nan) for name, values in step.indicators.items()})
        actions.append(np.where(alive[:, None], year.leader_action, np.nan))
        if len(rows) in SNAPSHOTS:
            schedule = (
                None if isinstance(leader, TaxRule) else announced_taxes(game, before, year.leader_action).income_tax
            )
            snapshots[len(rows)] = _snapshot(game, schedule, alive)
        before = game.state
    indicators = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    return History(indicators, np.stack(actions), snapshots, utility, first_wealth)


def pooled(histories: Sequence[History]) -> History:
    """The episodes of several training seeds as one; economies that ended early are filled up."""
    years = max(len(history.actions) for history in histories)
    indicators = {
        name: np.concatenate([_filled(history.indicators[name], years) for history in histories], axis=1)
        for name in histories[0].indicators
    }
    snapshots = {}
    for year in SNAPSHOTS:
        seen = [history.snapshots[year] for history in histories if year in history.snapshots]
        if seen:
            snapshots[year] = _joined(seen)
    return History(
        indicators,
        np.concatenate([_filled(history.actions, years) for history in histories], axis=1),
        snapshots,
        np.concatenate([history.utility for history in histories]),
        np.concatenate([history.first_wealth for history in histories]),
        len(histories),
    )


def _snapshot(game: Economy, schedule: Schedule | None, alive: BoolArray) -> Snapshot:
    flows = game.flows
    assert flows is not None
    marginal = average = None
    if schedule is not None:
        incomes = np.broadcast_to(INCOMES, (game.n_games, len(INCOMES)))
        marginal = np.asarray(schedule.marginal_rate(incomes))[alive]
        average = (np.asarray(schedule.tax(incomes)) / INCOMES)[alive]
    money = (flows.next_assets, flows.assets, flows.income, flows.income_tax, flows.asset_tax)
    wealth, assets, income, income_tax, asset_tax = (amounts[alive] for amounts in money)
    return Snapshot(wealth, assets, income, income_tax, asset_tax, marginal, average)


def _joined(seen: Sequence[Snapshot]) -> Snapshot:
    """Snapshots of one year as one."""
    columns: dict[str, Any] = {}
    for name in Snapshot.__dataclass_fields__:
        known = [x for x in (getattr(each, name) for each in seen) if x is not None]
        columns[name] = np.concatenate(known) if known else None
    return Snapshot(**columns)


def _filled(x: Array, years: int) -> Array:
    return np.concatenate([x, np.full((years - len(x), *x.shape[1:]), np.nan)])
