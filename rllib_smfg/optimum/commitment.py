"""The best rule to commit to, once and for all, from today's distribution: over exact transitions, without any luck."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, minimize

from envs import make
from envs.economy.foresight import SURVEYED, Setting, Start, Transition, survey_start, transition
from envs.economy.game import Economy
from envs.economy.presets import CALIBRATED
from envs.game import Array, InvalidSetting
from rllib_smfg.optimum.family import US, Family, RulesOfGames

Vector = NDArray[np.float64]
STATES, POINTS, YEARS = 6, 90, 110  # while searching; what is found is judged on the usual grid
NO_PATH = 0.5  # welfare of a rule under which there is no path: far below any that has one
DIFFERENCE = 0.05  # of the widths, for slopes
Progress = Callable[[float], None]


class Paths:
    """Discounted welfare under rules (6,) that all households know to hold for ever, from the survey's distribution."""

    def __init__(self, setting: Setting, years: int, seed: int = 0) -> None:
        self._setting, self._years = setting, years
        game = make("economy", preset="calibrated", games=1, followers=SURVEYED)
        assert isinstance(game, Economy)
        self._game = game
        seen = game.reset(seed).follower[0].astype(np.float64)
        self.start: Start = survey_start(setting, seen[:, 0], seen[:, 1])
        self._near: Transition | None = None
        self.solved = 0

    @classmethod
    def coarse(cls, seed: int = 0) -> Paths:
        """Fast ones, to search on."""
        return cls(Setting.of(CALIBRATED, STATES, POINTS), YEARS, seed)

    def path(self, rule: Array) -> Transition:
        """The transition under a rule; raises InvalidSetting where there is none."""
        found = transition(
            self._setting, self.start, RulesOfGames(self._game, rule), years=self._years, near=self._near
        )
        self._near = found
        return found

    def welfare(self, rule: Array) -> float:
        """Discounted welfare of the mean household, a year; `NO_PATH` where debt settles nowhere."""
        self.solved += 1
        try:
            return self.path(rule).welfare
        except InvalidSetting:
            self._near = None
            return NO_PATH


def commit(family: Family, paths: Paths, trials: int, first: Vector, advance: Progress = lambda _: None) -> Vector:
    """The free instruments of the best rule to commit to, by L-BFGS-B from `first` with slopes from differences."""
    low, high = family.limits()
    widths = family.widths()

    def lost(x: Vector) -> float:
        advance(1 / trials)
        return -1e3 * paths.welfare(family.rules(np.clip(x * widths, low, high)))

    found = minimize(
        lost,
        np.clip(first, low, high) / widths,
        method="L-BFGS-B",
        bounds=Bounds(low / widths, high / widths),
        options={"maxfun": trials, "eps": DIFFERENCE, "ftol": 1e-7, "gtol": 1e-3},
    )
    chosen: Vector = np.clip(np.asarray(found.x) * widths, low, high)
    return chosen


def us_path(paths: Paths) -> Transition:
    """The transition under the US system."""
    return paths.path(US)
