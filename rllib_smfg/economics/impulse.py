"""What a shock does to economies, against the same luck without it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from envs import InvalidSetting, make
from envs.economy.shocks import SCENARIOS
from envs.game import Array, BoolArray
from rllib_smfg import named_policies
from rllib_smfg.rollout import play

STRUCK = 100  # year index in which every scenario strikes
BEFORE = 2  # years that are shown before it
BAND = (5.0, 50.0, 95.0)  # percentiles over economies
SHOCKS = tuple(name for name in SCENARIOS if name != "none")
# yearly, of .007 a quarter that lasts by .95 (Krusell and Smith 1998): .007 sqrt(1 + .95^2 + .95^4 + .95^6)
PRODUCTIVITY_SD = 0.013


@dataclass(frozen=True)
class ImpulseMeasure:
    """An indicator, and how a shock's effect on it is told: in per cent of what it would be, or as a difference."""

    indicator: str
    title: str
    relative: bool

    def effect(self, struck: Array, spared: Array) -> Array:
        """The effect in each year and economy, same shape; differences in hundredths."""
        return 100 * (struck / spared - 1) if self.relative else 100 * (struck - spared)


MEASURES = (
    ImpulseMeasure("per_capita_gdp", "GDP, %", True),
    ImpulseMeasure("capital", "capital at the end of the year, %", True),
    ImpulseMeasure("wage", "wage, %", True),
    ImpulseMeasure("interest_rate", "interest rate, percentage points", False),
    ImpulseMeasure("debt_to_gdp", "debt, % of GDP", False),
    ImpulseMeasure("wealth_gini", "wealth gini, hundredths", False),
)


def effects(
    leader: str, follower: str, settings: Mapping[str, Any], shock: str, years: int, seed: int
) -> dict[str, Array]:
    """Each measure's effect from BEFORE the shock on, in each economy that lives in both, (years, economies).

    The same economies are played twice under one seed, with the shock and without: abilities and first states are the
    same, so that whatever differs is the shock and what everybody makes of it. Where productivity is struck it moves in
    both, by PRODUCTIVITY_SD a year unless the settings say otherwise.
    """
    if shock == "productivity":
        settings = {"productivity_sd": PRODUCTIVITY_SD, **settings}
    struck, spared = (_history(leader, follower, {**settings, "shock": name}, years, seed) for name in (shock, "none"))
    alive = struck.alive & spared.alive
    if not alive.any():
        raise InvalidSetting(f"no economy lives until {years} years after the shock: nothing can be compared")
    return {
        measure.indicator: measure.effect(
            struck.indicators[measure.indicator][:, alive], spared.indicators[measure.indicator][:, alive]
        )
        for measure in MEASURES
    }


def band(values: Array) -> Array:
    """Percentiles BAND over economies (years, economies), (3, years)."""
    percentiles: Array = np.percentile(values, BAND, axis=1)
    return percentiles


@dataclass(frozen=True)
class _History:
    """Indicators (years, economies) from BEFORE the year of the shock on, and which economies lived that long."""

    indicators: dict[str, Array]
    alive: BoolArray


def _history(leader: str, follower: str, settings: Mapping[str, Any], years: int, seed: int) -> _History:
    last = STRUCK + years
    game = make(**{**settings, "horizon": last + 1})
    government = named_policies.leader(leader, game, seed)
    policies = (government, named_policies.living_under(government, follower, game, seed))
    alive = np.ones(game.n_games, dtype=bool)
    rows: dict[str, list[Array]] = {measure.indicator: [] for measure in MEASURES}
    for index, year in enumerate(play(game, *policies, game.reset(seed))):
        if index >= STRUCK - BEFORE:
            for name, row in rows.items():
                row.append(year.step.indicators[name])
        alive &= ~year.step.done
        if index == last - 1:
            break
    return _History({name: np.stack(row) for name, row in rows.items()}, alive)
