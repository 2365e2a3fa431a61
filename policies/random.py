"""Uniformly random actions, anew for every game, household and year."""

from __future__ import annotations

import numpy as np
from gymnasium.spaces import Box

from envs.game import Array
from policies.policy import FollowerPolicy, LeaderPolicy


class RandomLeader(LeaderPolicy):
    """Uniform over the leader's action space."""

    def __init__(self, space: Box, seed: int) -> None:
        self._space, self._random = space, np.random.default_rng(seed)

    def act(self, observation: Array) -> Array:
        """Actions (B, al)."""
        return self._random.uniform(self._space.low, self._space.high, (len(observation), *self._space.shape))


class RandomFollower(FollowerPolicy):
    """Uniform over the follower's action space."""

    def __init__(self, space: Box, seed: int) -> None:
        self._space, self._random = space, np.random.default_rng(seed)

    def act(self, observation: Array, leader_action: Array) -> Array:
        """Actions (B, N, af)."""
        return self._random.uniform(self._space.low, self._space.high, (*observation.shape[:2], *self._space.shape))
