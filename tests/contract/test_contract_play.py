"""What an RLlib user does with a built algorithm: modules that act, sides that are trained, metrics, evaluations."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from contract_parts import BOTH, GAME, changed, tiny, weights

from envs import InvalidSetting, make
from envs.rllib_env import SMFGMultiAgentEnv
from rllib_smfg.export import TrainedPolicies
from rllib_smfg.learned import LearnedFollower, LearnedLeader
from rllib_smfg.networks import Features
from rllib_smfg.rllib.config import SMFRLConfig
from rllib_smfg.rllib.game_config import GameConfig
from rllib_smfg.rllib.population_ppo.config import PopulationPPOConfig

NAMES = ("episode_return_mean", "episode_return_min", "episode_return_max", "episode_len_mean", "episode_len_max")


@pytest.mark.parametrize("cls", BOTH)
def test_a_dictionary_builds_and_modules_act_on_what_the_environment_shows(
    cls: type[GameConfig], ray_local: None
) -> None:
    algorithm = cls().algo_class(config=tiny(cls).to_dict())
    env = SMFGMultiAgentEnv({"name": "economy", **{k: v for k, v in GAME.items() if k != "games"}})
    try:
        seen, _ = env.reset(seed=1)
        observation = torch.from_numpy(seen["government"]).unsqueeze(0)
        action = algorithm.get_module().forward_inference({"obs": observation})["actions"][0].numpy()
        assert env.action_spaces["government"].contains(action)
        government, seen = seen["government"][None], env.step({"government": action})[0]
        households = np.stack([seen[f"household_{i}"] for i in range(5)])
        follower = algorithm.get_module("follower")
        assert follower.observation_space.contains(households[0])
        choices = follower.forward_inference({"obs": households})["actions"].numpy()
        policies: TrainedPolicies = algorithm.trained_policies()
        game = make(**{**policies.game, "games": 1})
        leads, follows = policies.policies(game, 1)
        assert np.allclose(action, leads.act(government)[0], rtol=1e-5)
        assert np.allclose(choices, follows.act(households[None, :, : -len(action)], action[None])[0], rtol=1e-5)
        with pytest.raises(
            InvalidSetting, match=r"obs has shape .*: the last axis must be the follower's own"
        ) as error:
            follower.forward_inference({"obs": households[:, :1]})
        assert "\n" not in str(error.value)
    finally:
        algorithm.stop()


@pytest.mark.parametrize("cls", BOTH)
@pytest.mark.parametrize("side", ["leader", "follower"])
def test_only_the_sides_that_are_named_are_trained(cls: type[GameConfig], side: str, ray_local: None) -> None:
    algorithm = tiny(cls).multi_agent(policies_to_train=[side]).build_algo()
    before = weights(algorithm)
    for _ in range(2):
        algorithm.train()
    assert changed(before, weights(algorithm)) == {side}
    algorithm.stop()


@pytest.mark.parametrize("cls", BOTH)
def test_metrics_have_rllib_s_names_in_every_result(cls: type[GameConfig], ray_local: None) -> None:
    algorithm = tiny(cls, years_per_iteration=8).build_algo()
    results = [algorithm.train()["env_runners"] for _ in range(6)]
    algorithm.stop()
    assert all(name in result for result in results for name in NAMES)
    last = results[-1]
    assert 1 <= last["episode_len_mean"] <= GAME["horizon"]
    assert last["episode_return_min"] <= last["episode_return_mean"] <= last["episode_return_max"]
    assert last["module_episode_returns_mean"]["leader"] == last["episode_return_mean"]
    assert math.isfinite(last["module_episode_returns_mean"]["follower"])
    assert last["num_episodes_lifetime"] == sum(result["num_episodes"] for result in results) > 0
    assert last["num_module_steps_sampled_lifetime"] == {"leader": 48, "follower": 240}


EVALUATIONS: dict[str, dict[str, Any]] = {
    "episodes": {"evaluation_duration": 4},
    "timesteps": {"evaluation_duration": 24, "evaluation_duration_unit": "timesteps"},
    "remote": {"evaluation_num_env_runners": 1, "evaluation_duration": 4},
    "parallel": {"evaluation_num_env_runners": 1, "evaluation_duration": 4, "evaluation_parallel_to_training": True},
    "auto": {"evaluation_num_env_runners": 1, "evaluation_duration": "auto", "evaluation_parallel_to_training": True},
}


@pytest.mark.parametrize("how", EVALUATIONS)
def test_every_evaluation_has_metrics_and_none_explores(how: str, ray_local: None) -> None:
    config = tiny(SMFRLConfig, leader_noise=5.0, follower_noise=5.0, warm_up_years=10**6)
    config.evaluation(evaluation_interval=1, evaluation_config={"explore": False}, **EVALUATIONS[how])
    algorithm = config.build_algo()
    found = []
    for _ in range(2):
        found.append(algorithm.train()["evaluation"]["env_runners"])
    policies = algorithm.trained_policies()
    algorithm.stop()
    assert all(math.isfinite(result[name]) for result in found for name in (*NAMES, "leader_return", "per_capita_gdp"))
    # nothing is learned and evaluations meet the same luck: with noise this large they would differ
    if how != "auto":
        assert found[0]["episode_return_mean"] == found[1]["episode_return_mean"]
        assert found[0]["per_capita_gdp"] == pytest.approx(found[1]["per_capita_gdp"])
    assert policies.game["followers"] == 5


def test_an_evaluation_by_timesteps_leaves_the_runner_that_trains_as_it_is(ray_local: None) -> None:
    config = tiny(SMFRLConfig).evaluation(evaluation_duration=24, evaluation_duration_unit="timesteps")
    algorithm = config.build_algo()
    algorithm.train()
    years, played = algorithm.env_runner.game.year.copy(), algorithm.years()
    assert math.isfinite(algorithm.evaluate()["env_runners"]["episode_return_mean"])
    assert (algorithm.env_runner.game.year == years).all()
    assert algorithm.years() == played
    algorithm.stop()


def test_without_exploration_training_plays_what_its_actors_say(ray_local: None) -> None:
    config = tiny(SMFRLConfig, leader_noise=1.0, warm_up_years=10**6).env_runners(explore=False)
    algorithm = config.build_algo()
    algorithm.train()
    rows = algorithm.replay.get_state()["arrays"]
    with torch.inference_mode():
        state = torch.from_numpy(rows["leader_state"])
        actions = algorithm.get_module("leader").actor.act(state, state[..., :0]).numpy()
    assert np.allclose(rows["leader_action"], actions, atol=1e-5)
    algorithm.stop()


def test_callbacks_around_sampling_are_called(ray_local: None) -> None:
    calls = []
    config = tiny(SMFRLConfig).callbacks(
        on_environment_created=lambda env, env_context, **_: calls.append((env.n_followers, env_context["followers"])),
        on_sample_end=lambda samples, metrics_logger, **_: metrics_logger.log_value(
            "seen", sum(map(len, samples)), window=1
        ),
    )
    algorithm = config.build_algo()
    assert algorithm.train()["env_runners"]["seen"] == 24
    assert calls == [(5, 5)]
    algorithm.stop()


def test_features_are_of_what_an_array_holds_now() -> None:
    game = make("economy", games=2, followers=3)
    observation = game.reset(1).leader
    remembers, fresh = Features(game.leader_scaling), Features(game.leader_scaling)
    remembers(observation)
    observation[:] = game.reset(2).leader
    assert np.array_equal(remembers(observation), fresh(observation.copy()))


@pytest.mark.parametrize("cls", BOTH)
def test_policies_answer_what_they_are_shown_now(cls: type[GameConfig], ray_local: None) -> None:
    """The same array with other numbers in it, as a user's loop may write it."""
    algorithm = tiny(cls).build_algo()
    policies = algorithm.trained_policies()
    algorithm.stop()
    game = make(**{**policies.game, "games": 1})
    first, second = game.reset(1), game.reset(2)
    leads, follows = policies.policies(game, 1)
    fresh_leads, fresh_follows = policies.policies(game, 1)
    leader, household = first.leader.copy(), first.follower.copy()
    action = leads.act(leader)
    follows.act(household, action)
    leader[:], household[:] = second.leader, second.follower
    for policy in (leads, follows):
        policy.forget(np.array([True]))
    assert np.array_equal(leads.act(leader), fresh_leads.act(second.leader))
    assert np.array_equal(follows.act(household, action), fresh_follows.act(second.follower, action))
    assert cls is PopulationPPOConfig or (isinstance(leads, LearnedLeader) and isinstance(follows, LearnedFollower))
