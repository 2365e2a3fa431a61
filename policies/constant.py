"""The simplest rule: the same action always."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from envs.game import Array
from policies.policy import FollowerPolicy, LeaderPolicy


class ConstantLeader(LeaderPolicy):
    """The same action in every year, in natural units: (al,) for all games, or (B, al), one for each."""

    def __init__(self, action: Sequence[float] | Array) -> None:
        self.action = np.asarray(action, dtype=np.float64)

    def act(self, observation: Array) -> Array:
        """Actions (B, al)."""
        return np.broadcast_to(self.action, (len(observation), self.action.shape[-1]))


class ConstantFollower(FollowerPolicy):
    """The same action for every household and year, in natural units: (af,) for all games, or (B, af), one for each."""

    def __init__(self, action: Sequence[float] | Array) -> None:
        self.action = np.asarray(action, dtype=np.float64)

    def act(self, observation: Array, leader_action: Array) -> Array:
        """Actions (B, N, af)."""
        return np.broadcast_to(self.action[..., None, :], (*observation.shape[:2], self.action.shape[-1]))
