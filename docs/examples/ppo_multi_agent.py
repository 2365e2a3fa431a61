"""RLlib's own PPO, unchanged, on any game as a turn-based multi-agent environment.

Shows how to
- give a game of this project to an RLlib algorithm by `SMFGMultiAgentEnv`: the government is asked first, then every
  household, who sees its action; rewards arrive after the households' turn,
- map the government to the policy "leader" and all households to one shared policy "follower",
- scale observations in natural units (dollars) with RLlib's `MeanStdFilter`, of each agent by itself.

How to run this script
----------------------
    python docs/examples/ppo_multi_agent.py
    python docs/examples/ppo_multi_agent.py --game stage_game --iterations 30
    python docs/examples/ppo_multi_agent.py --runners 2

`--households` above 100 or so is slow: RLlib handles each of them in Python. `smfg train` is made for more.

Results to expect
-----------------
In the economy, untrained policies ruin it within 6 years. From the fifth iteration on episodes last 150 to 300 years
(300 is the whole horizon), a household's reward is about 0.98 a year (at most 1), and the government's, the growth of
capital in percent, about 8. Not every episode lasts: PPO keeps exploring. Seed 0, ten households, twelve iterations:
less than two minutes on two cores.
"""

from __future__ import annotations

import os
from typing import Annotated, Any

import numpy as np
import ray
import torch
import typer
from ray.rllib.algorithms.ppo import PPOConfig

from envs.registry import portable
from envs.rllib_env import AgentsMeanStdFilter, SMFGMultiAgentEnv, policy_of
from envs.single_game import GOVERNMENT


def ppo_config(game: str, households: int, runners: int = 0) -> PPOConfig:
    """Stock PPO on `game` with N households, played by so many processes (0: by this one).

    The batch is counted in turns, two a year; a minibatch in rows of one policy. RLlib compares the two without
    knowing that the followers bring N rows a year, so its validation is switched off.
    """
    return (
        PPOConfig()
        .environment(SMFGMultiAgentEnv, env_config=portable({"name": game, "followers": households}))
        .multi_agent(policies={"leader", "follower"}, policy_mapping_fn=policy_of)
        .env_runners(num_env_runners=runners, env_to_module_connector=lambda *_, **__: AgentsMeanStdFilter())
        .learners(num_learners=0)
        .training(train_batch_size_per_learner=1200, minibatch_size=600, num_epochs=5, lr=1e-3, gamma=0.95)
        .experimental(_validate_config=False)
        .debugging(seed=0, log_level="ERROR")
    )


def describe(result: dict[str, Any]) -> str:
    """One iteration in one line: years an episode lasted, and mean rewards a year."""
    sampled = result["env_runners"]
    years = sampled["episode_len_mean"] / 2
    returns = dict(sampled["agent_episode_returns_mean"])
    government = returns.pop(GOVERNMENT)
    household = np.mean(list(returns.values()))
    return (
        f"iteration {result['training_iteration']:3d}: {years:6.1f} years an episode, mean reward a year: "
        f"government {government / years:9.4f}, household {household / years:9.4f}"
    )


def main(
    game: Annotated[str, typer.Option(help="The game, by its name in envs.registry or module:Class.")] = "economy",
    households: Annotated[int, typer.Option(min=1, help="Number of households.")] = 10,
    iterations: Annotated[int, typer.Option(min=1, help="Training iterations of 600 years or more.")] = 10,
    runners: Annotated[int, typer.Option(min=0, help="Processes that play; 0: this one.")] = 0,
) -> None:
    """Train RLlib's own PPO on a game and print a line an iteration."""
    torch.set_num_threads(1)  # small networks are several times slower with two
    ray.init(address="local", include_dashboard=False, log_to_driver=False)
    algorithm = ppo_config(game, households, runners).build_algo()
    for _ in range(iterations):
        print(describe(algorithm.train()), flush=True)
    algorithm.stop()
    ray.shutdown()


if __name__ == "__main__":
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    typer.run(main)
