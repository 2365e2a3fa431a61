"""Ray's own recipes with SMFRL: a configuration in RLlib's words, a search by Tune, an evaluation, a module that acts.

    python docs/examples/rllib_recipe.py
    python docs/examples/rllib_recipe.py --search pbt

Shows how to
- name a game by `.environment(name, env_config=...)` and settings by RLlib's names: lr is actor_lr and critic_lr, gamma
  discount, tau target_step, train_batch_size_per_learner transitions_per_update; what would change nothing is refused,
- hand the configuration to `ray.tune.Tuner`, with a grid, with ASHA or with population based training, and compare
  trials by the return of an evaluation without exploration,
- take the best trial's checkpoint up again, and let its government act on an observation.

`PopulationPPOConfig` and `PopulationPPO` (the AI Economist) take the places of `SMFRLConfig` and `SMFRL`.
docs/extend.md says more of what stands for what.
"""

from __future__ import annotations

import os
from typing import Annotated, Any, Literal

import ray
import torch
import typer
from ray import tune
from ray.tune.schedulers import ASHAScheduler, PopulationBasedTraining

from rllib_smfg.rllib.config import SMFRLConfig
from rllib_smfg.rllib.smfrl import SMFRL

METRIC = "evaluation/env_runners/episode_return_mean"
RATES = [1e-4, 1e-3]
Search = Literal["grid", "asha", "pbt"]


def recipe(households: int, horizon: int) -> SMFRLConfig:
    """SMFRL in RLlib's words; years_per_iteration are env steps of an iteration."""
    config: SMFRLConfig = (
        SMFRLConfig()
        .environment("economy", env_config={"followers": households, "horizon": horizon})
        .env_runners(num_env_runners=0, num_envs_per_env_runner=4)
        .training(lr=tune.grid_search(RATES), gamma=0.95, tau=0.01, train_batch_size_per_learner=32)
        .training(years_per_iteration=80, warm_up_years=80, updates_per_iteration=10, hidden=[16, 16])
        .evaluation(evaluation_interval=1, evaluation_duration=4, evaluation_config={"explore": False})
        .debugging(seed=1, log_level="ERROR")
    )
    return config


def schedulers(search: Search) -> Any:
    """Tune's scheduler; every result has the metric, as an evaluation follows every iteration."""
    if search == "asha":
        return ASHAScheduler(grace_period=2, max_t=100)
    if search == "pbt":
        return PopulationBasedTraining(
            perturbation_interval=2, hyperparam_mutations={"lr": RATES, "target_step": tune.uniform(0.003, 0.03)}
        )
    return None


def main(
    search: Annotated[Search, typer.Option(help="How trials are chosen.")] = "grid",
    households: Annotated[int, typer.Option(min=1, help="Number of households.")] = 20,
    horizon: Annotated[int, typer.Option(min=1, help="Years of an episode.")] = 50,
    iterations: Annotated[int, typer.Option(min=1, help="Iterations of each trial.")] = 4,
    folder: Annotated[str | None, typer.Option(help="Where Tune keeps trials; Ray's default where left out.")] = None,
) -> float:
    """Search, take the best trial up again, and return its evaluation's return."""
    tuner = tune.Tuner(
        SMFRL,
        param_space=recipe(households, horizon),
        tune_config=tune.TuneConfig(metric=METRIC, mode="max", scheduler=schedulers(search)),
        run_config=tune.RunConfig(
            storage_path=folder,
            stop={"training_iteration": iterations},
            checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=1, checkpoint_at_end=True),
            verbose=0,
        ),
    )
    best = tuner.fit().get_best_result()
    print(f"lr = {best.config['lr']}: {best.metrics['evaluation']['env_runners']['episode_return_mean']:.4g}")
    algorithm = SMFRL.from_checkpoint(best.checkpoint.path)
    government = algorithm.get_module("leader")
    observation = torch.from_numpy(algorithm.env_runner.game.reset(1).leader)
    print("its first actions:", government.forward_inference({"obs": observation})["actions"][0].tolist())
    result: float = algorithm.evaluate()["env_runners"]["episode_return_mean"]
    algorithm.stop()
    return result


if __name__ == "__main__":
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    torch.set_num_threads(1)
    ray.init(address="local", include_dashboard=False, log_to_driver=False)
    typer.run(main)
