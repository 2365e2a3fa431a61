"""Aggregate shocks: those that strike in given years of an episode, and productivity, which moves every year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from envs.economy.arrays import namespace, positive
from envs.game import Array, InvalidSetting
from envs.registry import nearest

if TYPE_CHECKING:
    from envs.economy.parameters import EconomyParameters

ShockKind = Literal["tfp", "assets", "productivity"]
KINDS: tuple[str, ...] = get_args(ShockKind)
LARGEST = 100.0  # a factor beyond it is a slip of the pen
FORM = (
    "must be none, financial_crisis, disaster, productivity, or a list of [year, tfp, assets or productivity, factor],"
    " as [[50, tfp, 0.8]]"
)


@dataclass(frozen=True)
class Event:
    """In the year with this index (the first is 0) TFP, or everybody's assets before anything else, times `size`.

    TFP is struck for that year alone; productivity, where it moves by itself, goes on from there.
    """

    year: int
    kind: ShockKind
    size: float


@dataclass(frozen=True)
class Scenario:
    """All events of an episode; no two of one kind in one year."""

    events: tuple[Event, ...] = ()

    def factors(self, year: NDArray[np.int64]) -> tuple[Array, Array]:
        """The factors on TFP and on assets in games that are in these years, (B,) to two of (B, 1)."""
        return self._factors("tfp", year), self._factors("assets", year)

    def productivity(self, year: NDArray[np.int64]) -> Array:
        """The factor on productivity in games that are in these years, (B,) to (B, 1)."""
        return self._factors("productivity", year)

    def _factors(self, kind: ShockKind, year: NDArray[np.int64]) -> Array:
        factors = _no_shock(len(year))
        for event in self.events:
            if event.kind == kind:
                factors = np.where((year == event.year)[:, None], event.size, factors)
        return factors


SCENARIOS: dict[str, Scenario] = {
    "none": Scenario(),
    "financial_crisis": Scenario((Event(100, "assets", 0.5),)),
    "disaster": Scenario((Event(100, "tfp", 0.8), Event(101, "tfp", 0.8))),
    "productivity": Scenario((Event(100, "productivity", 0.99),)),
}


def first_tfp(parameters: EconomyParameters, tfp: Array, luck: Array | None) -> Array:
    """TFP of the first year, (B, 1), of standard normal luck: the preset's, times productivity in its long run."""
    if luck is None:
        return tfp
    first: Array = tfp * np.exp(productivity_spread(parameters) * luck)
    return first


def next_tfp(parameters: EconomyParameters, tfp: Array, luck: Any) -> Array:
    """TFP a year later, (B, 1), of standard normal luck; without luck the same.

    Productivity A = TFP over the preset's moves by log A' = persistence log A + sd eps.
    """
    if luck is None:
        return tfp
    p, xp = parameters, namespace(tfp)
    log = p.productivity_persistence * xp.log(positive(tfp) / p.tfp) + p.productivity_sd * luck
    following: Array = p.tfp * xp.exp(log)
    return following


def productivity_luck(parameters: EconomyParameters, random: np.random.Generator, games: int) -> Array | None:
    """Standard normal luck, (B, 1); None, and nothing drawn, where productivity does not move."""
    return random.standard_normal((games, 1)) if parameters.productivity_sd > 0 else None


def struck_luck(
    parameters: EconomyParameters, random: np.random.Generator, scenario: Scenario, year: NDArray[np.int64]
) -> Array | None:
    """`productivity_luck` of games in these years (B,), whose productivity of next year is struck by the scenario."""
    luck = productivity_luck(parameters, random, year.size)
    if luck is None:
        return None
    struck: Array = luck + np.log(scenario.productivity(year + 1)) / parameters.productivity_sd
    return struck


def productivity_spread(parameters: EconomyParameters) -> float:
    """Standard deviation of log productivity in the long run: sd / sqrt(1 - persistence^2)."""
    return float(parameters.productivity_sd / np.sqrt(1 - parameters.productivity_persistence**2))


def scenario_of(shock: Any, horizon: int, productivity_moves: bool = False) -> Scenario:
    """The scenario that the setting `shock` stands for: a name of SCENARIOS, or a list of [year, kind, size].

    An event may also be a mapping with these three keys. Raises InvalidSetting for one that is malformed, or that
    cannot strike because an episode of `horizon` years ends before.
    """
    if isinstance(shock, str):
        if shock not in SCENARIOS:
            raise InvalidSetting(f"unknown shock '{shock}'{nearest(shock, list(SCENARIOS))}")
        scenario = SCENARIOS[shock]
    else:
        scenario = Scenario(_events(shock))
    for event in scenario.events:
        if event.kind == "productivity":
            _refuse_productivity_that_cannot_move(shock, event, productivity_moves)
        if event.year >= horizon:
            raise InvalidSetting(
                f"shock = {shock}: strikes in year {event.year}, and episodes end with year {horizon - 1}"
                f" (horizon = {horizon}); must strike from 0 to {horizon - 1}, as [[{horizon // 2}, {event.kind},"
                f" {event.size:g}]], or the horizon must be longer"
            )
    return scenario


def _refuse_productivity_that_cannot_move(shock: Any, event: Event, moves: bool) -> None:
    if not moves:
        raise InvalidSetting(
            f"shock = {shock}: strikes productivity, which does not move here; say productivity_sd = 0.01 as well,"
            " or strike tfp, for a year"
        )
    if event.year == 0:
        raise InvalidSetting(f"shock = {shock}: productivity is struck on the way to a year; from year 1 on")


def _events(shock: Any) -> tuple[Event, ...]:
    if not isinstance(shock, Sequence) or not shock:
        raise InvalidSetting(f"shock = {shock!r}: {FORM}")
    events = tuple(_event(each) for each in shock)
    struck = [(event.year, event.kind) for event in events]
    for twice in struck:
        if struck.count(twice) > 1:
            raise InvalidSetting(f"shock: {twice[1]} is struck twice in year {twice[0]}; must be struck once a year")
    return events


def _event(given: Any) -> Event:
    if isinstance(given, Event):
        given = (given.year, given.kind, given.size)
    if isinstance(given, Mapping):
        if set(given) != {"year", "kind", "size"}:
            raise InvalidSetting(f"shock: {dict(given)!r} is no event; must have year, kind and size")
        given = (given["year"], given["kind"], given["size"])
    if isinstance(given, str) or not isinstance(given, Sequence) or len(given) != 3:
        raise InvalidSetting(f"shock: {given!r} is no event; {FORM}")
    year, kind, size = given
    if isinstance(year, bool) or not isinstance(year, int | np.integer) or year < 0:
        raise InvalidSetting(f"shock: year {year!r} must be a whole number of at least 0, the first year being 0")
    if kind not in KINDS:
        raise InvalidSetting(f"shock: unknown kind {kind!r}{nearest(str(kind), list(KINDS))}")
    if isinstance(size, bool) or not isinstance(size, int | float | np.number) or not 0 < size <= LARGEST:
        raise InvalidSetting(f"shock: size {size!r} must be a factor above 0 and at most {LARGEST:g}, as 0.8 for -20 %")
    return Event(int(year), kind, float(size))


@lru_cache(maxsize=4)
def _no_shock(games: int) -> Array:
    """Ones (B, 1), the same array every year."""
    ones = np.ones((games, 1))
    ones.flags.writeable = False
    return ones
