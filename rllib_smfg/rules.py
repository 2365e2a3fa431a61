"""A government and households that are both given: nothing is learned, but it is run, kept and evaluated like the rest.

It has the few methods of an RLlib Algorithm that a training run calls, and needs no Ray.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from envs import make
from policies.given import Given
from policies.pairing import check_pair
from rllib_smfg.build import Interface
from rllib_smfg.export import TrainedPolicies
from rllib_smfg.rollout import evaluate
from rllib_smfg.settings import LearningSettings

STATE = "rules.json"
OF_EPISODES = ("years", "leader_return", "follower_return")  # what `evaluate` adds to a game's indicators


@dataclass(frozen=True)
class RulesConfig:
    """Who plays which game (`envs.make`'s name and settings), from which seed."""

    game: dict[str, Any]
    leader: Given
    follower: Given
    seed: int

    def validate(self) -> None:
        """Raises InvalidSetting for policies that do not exist or do not fit the game."""
        game = make(**{**self.game, "games": 1})
        check_pair(game, self.leader.leader(game, 0), self.follower.follower(game, 0))

    def followers(self) -> int:
        """N."""
        return make(**{**self.game, "games": 1}).n_followers

    def build_algo(self) -> Rules:
        """What plays them."""
        return Rules(self)


class Rules:
    """Plays an episode of every game in each iteration, with new luck; there is nothing to learn from it."""

    def __init__(self, config: RulesConfig) -> None:
        self.config, self.iteration = config, 0
        self._game = make(**config.game)

    def train(self) -> dict[str, Any]:
        """One iteration: its years, and the indicators' means over games, named as RLlib's results are."""
        seed = int(np.random.SeedSequence([self.config.seed, self.iteration]).generate_state(1)[0])
        found = evaluate(self._game, *self.trained_policies().policies(self._game, seed), seed=seed)
        self.iteration += 1
        years = int(found["years"].sum())
        indicators = {name: float(x.mean()) for name, x in found.items() if name not in OF_EPISODES}
        return {"env_runners": {"num_env_steps_sampled": years, "indicators": indicators}}

    def trained_policies(self) -> TrainedPolicies:
        """Both rules, with the game they play."""
        config = self.config
        settings = LearningSettings(discount=self._game.discount)
        return TrainedPolicies(config.leader, config.follower, Interface.of(self._game), settings, config.game)

    def save_to_path(self, path: str) -> None:
        """Writes down how many iterations were played, into a new folder."""
        Path(path).mkdir()
        (Path(path) / STATE).write_text(json.dumps({"iteration": self.iteration}), encoding="utf-8")

    def restore_from_path(self, path: str) -> None:
        """Goes back to where `save_to_path` was called."""
        self.iteration = json.loads((Path(path) / STATE).read_text(encoding="utf-8"))["iteration"]

    def stop(self) -> None:
        """Nothing to release."""
