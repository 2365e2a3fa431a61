"""The AI Economist learns, with RLlib's own loss."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from ppo_parts import parts, small
from ray.rllib.algorithms.ppo.torch.ppo_torch_learner import PPOTorchLearner

from envs import InvalidSetting, make
from envs.game import Array
from envs.solution import solution
from policies import FollowerPolicy, LeaderPolicy
from rllib_smfg.rllib.population_ppo.algorithm import to_batch
from rllib_smfg.rllib.population_ppo.config import PopulationPPOConfig
from rllib_smfg.rllib.population_ppo.learner import PopulationPPOLearner
from rllib_smfg.rollout import evaluate


def test_the_loss_is_rllibs() -> None:
    assert PopulationPPOLearner.compute_loss_for_module is PPOTorchLearner.compute_loss_for_module


def iterate(runner: Any, learner: Any, iterations: int, free_market: bool = False) -> None:
    for _ in range(iterations):
        fragments = runner.sample(free_market=free_market)
        learner.update(batch=to_batch(fragments), timesteps={"num_env_steps_sampled_lifetime": runner.years_sampled})
        runner.module.set_state(learner.module.get_state(inference_only=True))


def stage_game_in_training() -> tuple[Any, Any]:
    training = {
        "years_per_iteration": 160,
        "sequence_years": 10,
        "households_per_game": 10,
        "num_epochs": 8,
        "lr": 2e-3,
    }
    return parts(small("stage_game", 20, game={"games": 8}, **training))


def returns(runner: Any, seed: int = 7) -> tuple[float, float]:
    game = make(**{**runner.config.env_config, "games": 32})
    results = evaluate(game, *runner.evaluated_policies(game), seed=seed)
    return results["leader_return"].mean(), results["follower_return"].mean()


def equilibrium(followers: int) -> tuple[LeaderPolicy, FollowerPolicy]:
    known = solution("stage_game", followers=followers)

    class Leader(LeaderPolicy):
        def act(self, observation: Array) -> Array:
            return known.leader_rule(observation)

    class Follower(FollowerPolicy):
        def act(self, observation: Array, leader_action: Array) -> Array:
            return known.follower_rule(observation, leader_action)

    return Leader(), Follower()


def test_both_sides_learn_the_stage_game() -> None:
    """The government loses 25 an episode where it starts, near its lower bound, and 2.2 in equilibrium."""
    runner, learner = stage_game_in_training()
    game = make("stage_game", games=32, followers=20)
    best = evaluate(game, *equilibrium(20), seed=7)["leader_return"].mean()
    first, _ = returns(runner)
    iterate(runner, learner, 12)
    last, _ = returns(runner)
    assert first < 5 * best
    assert last - first > 0.6 * (best - first)


def test_households_learn_in_the_free_market_while_the_government_stays_as_it_is() -> None:
    runner, learner = stage_game_in_training()
    before = {name: x.clone() for name, x in learner.module["leader"].state_dict().items()}
    _, first = returns(runner)
    iterate(runner, learner, 6, free_market=True)
    _, last = returns(runner)
    assert last > first + 5
    assert all(torch.equal(before[name], x) for name, x in learner.module["leader"].state_dict().items())
    iterate(runner, learner, 1)
    changed = learner.module["leader"].state_dict()
    assert not torch.equal(before["actor.last.weight"], changed["actor.last.weight"])
    assert not torch.equal(before["critic.last.weight"], changed["critic.last.weight"])


def test_a_government_starts_from_the_free_market() -> None:
    runner, _ = parts(small("economy", 5))
    space = runner.game.leader_action_space
    action = runner.evaluated_policies(runner.game)[0].act(runner.game.reset(1).leader)
    assert ((action - space.low) / (space.high - space.low) < 0.1).all()
    elsewhere = (space.low + 0.7 * (space.high - space.low)).tolist()
    runner, _ = parts(small("economy", 5, leader_start=elsewhere))
    action = runner.evaluated_policies(runner.game)[0].act(runner.game.reset(1).leader)
    assert ((action - space.low) / (space.high - space.low)) == pytest.approx(0.7, abs=0.1)


def test_a_clone_is_where_households_start_from() -> None:
    runner, _ = parts(small("economy", 50, pretrain="real_data/ai_economist"))
    game = runner.game
    observations = game.reset(1)
    households = runner.evaluated_policies(game)[1].act(observations.follower, np.zeros((3, 5)))
    from policies.behavior_cloned import SHIPPED
    from rllib_smfg.export import load_policies

    clone = load_policies(SHIPPED / "real_data" / "ai_economist").follower_policy()
    assert np.array_equal(households, clone.act(observations.follower, np.zeros((3, 5))))


@pytest.mark.parametrize(
    ("training", "reason"),
    [
        ({"sequence_years": 0}, "sequence_years = 0: must be at least 1"),
        ({"households_per_game": 0}, "households_per_game"),
        ({"free_market_years": -1}, "free_market_years = -1: must be not negative"),
        ({"pretrain": "real_data/maddpg"}, "follower network is actor, not recurrent"),
        ({"pretrain": "real_data/ai_economist", "hidden": [16, 16]}, "hidden is"),
        ({"clip_parm": 0.1}, "did you mean 'clip_param'"),
        ({"actor_lr": 0.1}, "no training setting 'actor_lr'"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_one_line(training: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidSetting, match=reason) as error:
        small("economy", 5, **training).validate()
    assert "\n" not in str(error.value)


def test_iterations_are_whole_sequences_of_every_game() -> None:
    config = PopulationPPOConfig().game("stage_game", games=3, followers=4)
    config.training(years_per_iteration=100, sequence_years=7)
    assert config.years_per_runner() == 105
    assert config.env_runners(num_env_runners=4).years_per_runner() == 42
