"""A policy that is given by its name and settings, and built once there is a game for it to play."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from envs.game import StackelbergMeanFieldGame
from policies import registry
from policies.policy import FollowerPolicy, LeaderPolicy


@dataclass(frozen=True)
class Given:
    """One of `registry.LEADERS` or `registry.FOLLOWERS` with its own settings, as plain data."""

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    def leader(self, game: StackelbergMeanFieldGame, seed: int) -> LeaderPolicy:
        """The government for a game, with luck of its own; raises InvalidSetting for what does not exist or fit."""
        return registry.leader(self.name, game, seed, **self.settings)

    def follower(self, game: StackelbergMeanFieldGame, seed: int) -> FollowerPolicy:
        """The households for a game; otherwise as `leader`."""
        return registry.follower(self.name, game, seed, **self.settings)
