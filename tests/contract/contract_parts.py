"""Tiny configurations of both algorithms, in RLlib's words."""

from __future__ import annotations

from typing import Any

import numpy as np
from ray.rllib.algorithms.algorithm import Algorithm

from rllib_smfg.rllib.config import SMFRLConfig
from rllib_smfg.rllib.game_config import GameConfig
from rllib_smfg.rllib.population_ppo.config import PopulationPPOConfig

GAME = {"followers": 5, "games": 2, "horizon": 6}
TINY: dict[type[GameConfig], dict[str, Any]] = {
    SMFRLConfig: {"updates_per_iteration": 2, "transitions_per_update": 8, "warm_up_years": 0, "hidden": [8]},
    PopulationPPOConfig: {"sequence_years": 4, "num_epochs": 1, "minibatches": 2},
}
BOTH = list(TINY)


def tiny(cls: type[GameConfig], **training: Any) -> GameConfig:
    config = cls().environment("economy", env_config=GAME)
    return config.training(**{"years_per_iteration": 24, **TINY[cls], **training}).debugging(seed=3, log_level="ERROR")


def weights(algorithm: Algorithm) -> dict[str, np.ndarray]:
    state = algorithm.learner_group.get_weights()
    return {f"{side}/{name}": np.array(value) for side in state for name, value in state[side].items()}


def changed(before: dict[str, np.ndarray], after: dict[str, np.ndarray]) -> set[str]:
    """The sides of which some weight is another."""
    return {name.split("/")[0] for name in before if not np.array_equal(before[name], after[name])}
