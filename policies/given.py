"""A policy that is given by its name and settings, and built once there is a game for it to play."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from envs.game import InvalidSetting, StackelbergMeanFieldGame
from policies import registry, written
from policies.policy import FollowerPolicy, LeaderPolicy


@dataclass(frozen=True)
class Given:
    """A policy that `registry` knows by its name, with its own settings, as plain data."""

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, value: Any) -> Given:
        """What a name, a mapping or a YAML file describes (`policies.written.described`), files read now.

        Raises InvalidSetting where it describes nothing.
        """
        described = written.described(value)
        if not isinstance(described, Mapping) or not isinstance(described.get("name"), str):
            raise InvalidSetting(f"{value}: must be a policy's name, or a mapping with its name, or its base")
        settings = dict(described)
        return cls(settings.pop("name"), settings)

    def leader(self, game: StackelbergMeanFieldGame, seed: int) -> LeaderPolicy:
        """The government for a game, with luck of its own; raises InvalidSetting for what does not exist or fit."""
        return registry.leader(self.name, game, seed, **self.settings)

    def follower(self, game: StackelbergMeanFieldGame, seed: int) -> FollowerPolicy:
        """The households for a game; otherwise as `leader`."""
        return registry.follower(self.name, game, seed, **self.settings)
