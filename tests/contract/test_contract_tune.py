"""Ray Tune's own recipes train both algorithms."""

from __future__ import annotations

import math
from pathlib import Path

import ppo_multi_agent
import pytest
import rllib_recipe
from contract_parts import BOTH, tiny
from ray import tune

from rllib_smfg.rllib.config import SMFRLConfig
from rllib_smfg.rllib.game_config import GameConfig


@pytest.mark.parametrize("cls", BOTH)
def test_the_tuner_trains_it_over_a_grid(cls: type[GameConfig], ray_local: None, tmp_path: Path) -> None:
    config = tiny(cls).training(lr=tune.grid_search([1e-4, 1e-2]), hidden=[8, 8])
    config.evaluation(evaluation_interval=1, evaluation_duration=2)
    results = tune.Tuner(
        config.algo_class,
        param_space=config,
        tune_config=tune.TuneConfig(metric=rllib_recipe.METRIC, mode="max"),
        run_config=tune.RunConfig(storage_path=str(tmp_path), stop={"training_iteration": 1}, verbose=0),
    ).fit()
    assert not results.errors
    assert sorted(result.config["lr"] for result in results) == [1e-4, 1e-2]
    assert all(math.isfinite(result.metrics["env_runners"]["num_env_steps_sampled_lifetime"]) for result in results)
    if cls is SMFRLConfig:
        assert sorted(result.config["critic_lr"] for result in results) == [1e-4, 1e-2]


@pytest.mark.parametrize("search", ["asha", pytest.param("pbt", marks=pytest.mark.slow)])
def test_the_recipe_of_the_example_runs(search: rllib_recipe.Search, ray_local: None, tmp_path: Path) -> None:
    found = rllib_recipe.main(search, households=5, horizon=6, iterations=3, folder=str(tmp_path))
    assert math.isfinite(found)


def test_the_example_of_rllib_s_ppo_scales_observations_on_runners(ray_local: None) -> None:
    config = ppo_multi_agent.ppo_config("stage_game", households=3, runners=2)
    config.training(train_batch_size_per_learner=40, minibatch_size=20, num_epochs=1)
    algorithm = config.build_algo()
    for _ in range(2):
        assert "episode_len_mean" in algorithm.train()["env_runners"]
    algorithm.stop()
