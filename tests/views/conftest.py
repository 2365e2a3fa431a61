"""A game whose every number is known beforehand, to tell what a view shows and when."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
from gymnasium.spaces import Box

from envs.game import Array, Observations, StackelbergMeanFieldGame, Transition
from envs.scaling import FeatureScaling


class CountingGame(StackelbergMeanFieldGame):
    """Counts years from a random start; a government action above 0.9 ends it.

    Everybody observes the count (a household also its own number); a household earns 10 g + a_i + i, the government
    the sum of the households' actions.
    """

    name: ClassVar[str] = "counting"
    leader_observation_space = Box(0.0, 1e6, (2,))
    follower_observation_space = Box(0.0, 1e6, (2,))
    leader_action_space = Box(0.25, 1.0, (1,))
    follower_action_space = Box(0.0, 2.0, (1,))
    leader_scaling = FeatureScaling.linear([100.0, 100.0])
    follower_scaling = FeatureScaling.linear([100.0, 100.0])

    def __init__(self, *, games: int = 1, followers: int = 3, horizon: int = 4) -> None:
        super().__init__(games=games, followers=followers, horizon=horizon)
        self.count = np.zeros(games)

    def _start(self, games: np.ndarray) -> None:
        self.count[games] = 1000 * self._start_random.integers(1, 100, size=len(games))

    def _observe(self) -> Observations:
        number = np.broadcast_to(np.arange(self.n_followers, dtype=float), (self.n_games, self.n_followers))
        counts = np.broadcast_to(self.count[:, None], number.shape)
        return Observations(np.stack([self.count, self.count], -1), np.stack([counts, number], -1))

    def _transition(self, leader_action: Array, follower_action: Array) -> Transition:
        self.count = self.count + 1
        choice = follower_action[..., 0]
        return Transition(
            leader_reward=choice.sum(-1),
            follower_reward=10 * leader_action + choice + np.arange(self.n_followers),
            terminated=leader_action[:, 0] > 0.9,
            indicators={"total": choice.sum(-1)},
        )


@pytest.fixture
def counting() -> type[CountingGame]:
    """The class of the counting game."""
    return CountingGame
