"""Episodes as they are played: what has been summed up of those that run, and what is known of those that ended."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from rllib_smfg.rollout import PlayedYear


class Episode(NamedTuple):
    """An episode that ended: each side's sum of rewards (the mean household's), its years, and means over them."""

    leader_return: float
    follower_return: float
    years: int
    indicators: dict[str, float]


class RunningEpisodes:
    """What has happened so far in the running episodes of B games."""

    def __init__(self, games: int) -> None:
        self._lived, self._returns, self._follower_returns = (np.zeros(games) for _ in range(3))
        self._totals: dict[str, np.ndarray] = {}

    def ended(self, year: PlayedYear) -> list[Episode]:
        """Counts a year in; the episodes that end with it."""
        step = year.step
        self._returns += step.leader_reward
        self._follower_returns += step.follower_reward.mean(-1)
        self._lived += 1
        for name, values in step.indicators.items():
            self._totals[name] = self._totals.get(name, 0.0) + values
        result = []
        for game in np.flatnonzero(step.done):
            means = {name: float(total[game] / self._lived[game]) for name, total in self._totals.items()}
            returns = float(self._returns[game]), float(self._follower_returns[game])
            result.append(Episode(*returns, int(self._lived[game]), means))
        for counted in (self._returns, self._follower_returns, self._lived, *self._totals.values()):
            counted[step.done] = 0.0
        return result

    def get_state(self) -> dict[str, Any]:
        """All of it."""
        return {
            "returns": self._returns.copy(),
            "follower_returns": self._follower_returns.copy(),
            "lived": self._lived.copy(),
            "totals": {name: total.copy() for name, total in self._totals.items()},
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes back to a state from `get_state`; those of older checkpoints know no household's return."""
        self._returns, self._lived = state["returns"].copy(), state["lived"].copy()
        self._follower_returns = state.get("follower_returns", np.zeros_like(self._returns)).copy()
        self._totals = {name: total.copy() for name, total in state["totals"].items()}


def columns(episodes: Sequence[Episode]) -> tuple[list[float], list[float], list[float]]:
    """Governments' returns, mean households' returns, years."""
    return (
        [episode.leader_return for episode in episodes],
        [episode.follower_return for episode in episodes],
        [episode.years for episode in episodes],
    )


def or_nan(values: ArrayLike) -> np.ndarray:
    """The values as an array; of none, one that is no number."""
    array = np.asarray(values, dtype=np.float64)
    return array if array.size else np.array([math.nan])
