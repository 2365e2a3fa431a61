"""The best rule to commit to, once and for all, from today's distribution: over exact transitions, without any luck."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, minimize

from envs.economy.foresight import (
    SURVEYED,
    Start,
    TransitionPath,
    TransitionSetting,
    survey_start,
    surveyed,
    transition,
)
from envs.game import Array, InvalidSetting
from rllib_smfg.optimum.family import RESPONSE, US, RuleFamily, RulesOfGames, family_game
from rllib_smfg.optimum.search import Advance

Vector = NDArray[np.float64]
STATES, POINTS, YEARS = 6, 90, 110  # while searching; what is found is judged on the usual grid
FAR = 0.05  # below the US system: what the search takes a rule to be worth under which there is no path
FIRST_RADIUS, LAST_RADIUS = 1.0, 0.02  # of the widths
# where else the search starts: much redistribution, and taxes that pay off what the government owes
PAYING = np.array([0.45, 0.35, 0.004, 0.002, 0.15, US[RESPONSE], 0.0])


class Paths:
    """Discounted welfare under rules (7,) that all households know to hold for ever, from the survey's distribution."""

    def __init__(self, family: RuleFamily, states: int, points: int, years: int, seed: int = 0) -> None:
        self._game = family_game(family, games=1, followers=SURVEYED)
        self._setting, self._years = TransitionSetting.of(self._game.parameters, states, points), years
        self.start: Start = survey_start(self._setting, *surveyed(self._game, seed))
        self._near: TransitionPath | None = None

    @classmethod
    def coarse(cls, family: RuleFamily, seed: int = 0) -> Paths:
        """Fast ones, to search on."""
        return cls(family, STATES, POINTS, YEARS, seed)

    def path(self, rule: Array) -> TransitionPath:
        """The transition under a rule; raises InvalidSetting where there is none."""
        try:
            found = self._solved(rule, self._near)
        except InvalidSetting:
            if self._near is None:
                raise
            found = self._solved(rule, None)
        self._near = found
        return found

    def _solved(self, rule: Array, near: TransitionPath | None) -> TransitionPath:
        government = RulesOfGames(self._game, rule)
        return transition(self._setting, self.start, government, years=self._years, near=near)

    def welfare(self, rule: Array) -> float:
        """Discounted welfare of the mean household, a year; no number where debt settles nowhere."""
        try:
            return self.path(rule).welfare
        except InvalidSetting:
            self._near = None
            return np.nan


def commit(
    family: RuleFamily, paths: Paths, trials: int, starts: Sequence[Vector], advance: Advance = lambda _: None
) -> Vector:
    """The free instruments of the best rule to commit to that is found from any of some starts, in so many trials.

    By COBYQA (Ragonneau 2022), which moves on quadratics through what it has seen and needs no slopes.
    """
    low, high = family.limits()
    widths, worst = family.widths(), paths.welfare(US) - FAR

    def lost(x: Vector) -> float:
        advance(1 / trials)
        welfare = paths.welfare(family.rules(np.clip(x * widths, low, high)))
        return -1e3 * (welfare if welfare > worst else worst)

    found = [
        minimize(
            lost,
            np.clip(start, low, high) / widths,
            method="COBYQA",
            bounds=Bounds(low / widths, high / widths),
            options={
                "maxfev": trials // len(starts),
                "initial_tr_radius": FIRST_RADIUS,
                "final_tr_radius": LAST_RADIUS,
            },
        )
        for start in starts
    ]
    best = min(found, key=lambda each: float(each.fun))
    chosen: Vector = np.clip(np.asarray(best.x) * widths, low, high)
    return chosen


def starts_of(family: RuleFamily) -> list[Vector]:
    """Where searches start: the US system, half a width off the bounds, and a government that pays its debt."""
    low, high = family.limits()
    near, far = low + 0.5 * family.widths(), high - 0.5 * family.widths()
    return [np.clip(rule[family.places], np.minimum(near, far), np.maximum(near, far)) for rule in (US, PAYING)]
