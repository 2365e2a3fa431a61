"""The simplest rules: the same action always, and a free market."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from envs.game import Array
from policies.policy import FollowerPolicy, LeaderPolicy


class ConstantLeader(LeaderPolicy):
    """The same action (al,) in every game and year, in natural units."""

    def __init__(self, action: Sequence[float]) -> None:
        self.action = np.asarray(action, dtype=np.float64)

    def act(self, observation: Array) -> Array:
        """Actions (B, al)."""
        return np.broadcast_to(self.action, (len(observation), len(self.action)))


class ConstantFollower(FollowerPolicy):
    """The same action (af,) for every household and year, in natural units."""

    def __init__(self, action: Sequence[float]) -> None:
        self.action = np.asarray(action, dtype=np.float64)

    def act(self, observation: Array, leader_action: Array) -> Array:
        """Actions (B, N, af)."""
        return np.broadcast_to(self.action, (*observation.shape[:2], len(self.action)))
