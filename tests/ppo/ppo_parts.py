"""A runner and a learner of the AI Economist without the rest of RLlib."""

from __future__ import annotations

from typing import Any

import torch

from rllib_smfg.rllib.population_ppo.config import PopulationPPOConfig
from rllib_smfg.rllib.population_ppo.env_runner import PopulationPPORunner
from rllib_smfg.rllib.population_ppo.learner import PopulationPPOLearner


def small(name: str, followers: int, game: dict[str, Any] | None = None, **training: Any) -> PopulationPPOConfig:
    settings: dict[str, Any] = {"games": 3, "followers": followers} | (game or {})
    few: dict[str, Any] = {"years_per_iteration": 24, "sequence_years": 4, "households_per_game": 5, "num_epochs": 2}
    config = PopulationPPOConfig().game(name, **settings).training(**few | training)
    return config.debugging(seed=1, log_level="ERROR")


def parts(config: PopulationPPOConfig) -> tuple[PopulationPPORunner, PopulationPPOLearner]:
    """With equal weights."""
    config.validate()
    torch.manual_seed(1)
    runner = PopulationPPORunner(config=config)
    learner = PopulationPPOLearner(config=config, module_spec=config.get_multi_rl_module_spec())
    learner.build()
    runner.module.set_state(learner.module.get_state(inference_only=True))
    return runner, learner
