"""Households who know the path of prices and taxes under the government they meet, and nothing of their own luck."""

from __future__ import annotations

import pickle
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from envs.economy.best_response import cash_on_hand, choose
from envs.economy.calibration import gdp_per_household
from envs.economy.foresight import (
    SURVEYED,
    TOLERANCE,
    TransitionPath,
    TransitionSetting,
    survey_start,
    surveyed,
    transition,
)
from envs.economy.game import Economy
from envs.game import Array, BoolArray, InvalidSetting, StackelbergMeanFieldGame
from envs.registry import make
from policies.policy import FollowerPolicy, LeaderPolicy
from policies.tax_rule import TaxRule

LEAST_YEARS = 150  # of the path; its last year lasts

# what a government in an economy pickles to -> the transition under it, which all that are alike share
PATHS: dict[bytes, TransitionPath] = {}


class PerfectForesight(FollowerPolicy):
    """The plan of each year of the transition from the survey's distribution under the government that is met.

    The path is that of an economy without luck in the aggregate (`envs.economy.foresight`), solved once a government,
    in some seconds. An economy of N households strays from it by its luck, which these households do not see.
    All instruments and schedules of the government are on it. Raises InvalidSetting for a game other than the economy
    `calibrated`, and, when it is met, for a government whose schedule depends on what it saw (saez), or under which
    there is no such path.
    """

    def __init__(self, game: StackelbergMeanFieldGame) -> None:
        if not isinstance(game, Economy) or "debt_to_gdp" not in game.parameters.laws.leader_sees:
            raise InvalidSetting("households 'perfect_foresight' know the economy 'calibrated': game.preset must be so")
        self._parameters, self._box = game.parameters, game.follower_action_space
        self._years, self._year = max(LEAST_YEARS, game.horizon), np.zeros(game.n_games, dtype=np.int64)
        self._path: TransitionPath | None = None

    def meet(self, leader: LeaderPolicy) -> None:
        """Solves the path under this government."""
        if isinstance(leader, TaxRule) and leader.remembers:
            raise InvalidSetting(
                f"{leader.title}: its schedule depends on years that have not been lived; households"
                " 'perfect_foresight' cannot foresee it: must be other households (learned, planning)"
            )
        self._path = usual_path(TransitionSetting.of(self._parameters), leader, self._years)

    def act(self, observation: Array, leader_action: Array) -> Array:
        """Actions (B, N, 2); raises RuntimeError before a government was met."""
        if self._path is None:
            raise RuntimeError("households 'perfect_foresight' were not told who governs: call meet(leader) first")
        if len(observation) != len(self._year):
            raise ValueError(f"made for {len(self._year)} games, asked to act in {len(observation)}")
        actions = np.empty((*observation.shape[:2], 2))
        for year in np.unique(self._year).tolist():
            games = self._year == year
            actions[games] = self._in_year(self._path, year, observation[games])
        self._year += 1
        clipped: Array = np.clip(actions, self._box.low, self._box.high)
        return clipped

    def forget(self, games: BoolArray) -> None:
        """Games (B,) start anew, in the first year."""
        self._year[games] = 0

    def _in_year(self, path: TransitionPath, year: int, observation: Array) -> Array:
        """Saving rate and share of time worked, (b, N, 2), of households who are all in this year."""
        place = min(year, self._years - 1)
        household, plan, conditions = path.setting.household, path.plans[place], path.conditions[place]
        ability, assets = (observation[..., k].astype(np.float64).ravel() for k in (0, 1))
        consumption, labour = choose(household, plan, ability, assets)
        labour = np.clip(labour, 0.0, 1.0)
        cash = cash_on_hand(household, conditions, ability, assets, labour)
        saved = 1 - (1 + conditions.consumption_tax) * consumption / np.maximum(
            cash, 1e-6 * gdp_per_household(self._parameters)
        )
        return np.stack([saved, labour], axis=-1).reshape(*observation.shape[:2], 2)


def usual_path(
    setting: TransitionSetting, leader: LeaderPolicy, years: int, tolerance: float = TOLERANCE
) -> TransitionPath:
    """The transition of a government from `usual_households` on, solved once a process.

    Raises InvalidSetting where there is none.
    """
    known = pickle.dumps((leader, setting, years, tolerance))
    if known not in PATHS:
        start = survey_start(setting, *usual_households())
        PATHS[known] = transition(setting, start, leader, years=years, tolerance=tolerance)
    return PATHS[known]


@lru_cache(maxsize=1)
def usual_households() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Abilities and assets of `SURVEYED` households of the calibrated economy, drawn once."""
    return surveyed(make("economy", preset="calibrated", games=1, followers=SURVEYED))
