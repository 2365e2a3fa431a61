"""The RLlib view: turns, late rewards and last observations, by itself and under RLlib; stock PPO trains on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.connectors.env_to_module import MeanStdFilter
from ray.rllib.env.multi_agent_env_runner import MultiAgentEnvRunner

from envs import InvalidSetting
from envs.registry import GAMES
from envs.rllib_env import SMFGMultiAgentEnv, policy_of, register_games

HOUSEHOLDS = ["household_0", "household_1", "household_2"]


def ppo(env_config: dict[str, Any]) -> PPOConfig:
    """Stock PPO in this process; a batch counts turns, a minibatch counts rows of one policy, hence no validation."""
    return (
        PPOConfig()
        .environment(SMFGMultiAgentEnv, env_config=env_config)
        .multi_agent(policies={"leader", "follower"}, policy_mapping_fn=policy_of)
        .env_runners(num_env_runners=0)
        .learners(num_learners=0)
        .training(train_batch_size_per_learner=40, minibatch_size=20, num_epochs=2)
        .experimental(_validate_config=False)
        .debugging(seed=0, log_level="ERROR")
    )


def choose(choices: list[float]) -> dict[str, np.ndarray]:
    return {household: np.array([choice]) for household, choice in zip(HOUSEHOLDS, choices, strict=True)}


def test_the_government_is_asked_first_then_every_household_who_sees_its_action(counting):
    env = SMFGMultiAgentEnv({"name": counting})
    seen, _ = env.reset(seed=3)
    assert set(seen) == {"government"}
    start = seen["government"][0]

    seen, rewards, terminated, truncated, _ = env.step({"government": np.array([0.5])})
    assert list(seen) == HOUSEHOLDS
    for i, household in enumerate(HOUSEHOLDS):
        np.testing.assert_array_equal(seen[household], [start, i, 0.5])
        assert seen[household] in env.observation_spaces[household]
    assert (rewards, terminated["__all__"], truncated["__all__"]) == ({}, False, False)

    seen, rewards, _, _, infos = env.step(choose([0.1, 0.2, 0.3]))
    assert set(seen) == {"government"}
    np.testing.assert_array_equal(seen["government"], [start + 1, start + 1])
    assert rewards == pytest.approx({"government": 0.6, "household_0": 5.1, "household_1": 6.2, "household_2": 7.3})
    assert infos == {"government": {"total": pytest.approx(0.6)}}


@pytest.mark.parametrize(("taxes", "ending"), [([0.5] * 4, "truncated"), ([0.5, 0.95], "terminated")])
def test_at_the_end_everybody_sees_where_the_game_left_it_and_a_reset_plays_on(counting, taxes, ending):
    env = SMFGMultiAgentEnv({"name": counting})
    for _ in range(2):
        start = env.reset()[0]["government"][0]
        for tax in taxes:
            env.step({"government": np.array([tax])})
            seen, _, terminated, truncated, _ = env.step(choose([1.0, 1.0, 1.0]))
        assert (terminated["__all__"], truncated["__all__"]) == (ending == "terminated", ending == "truncated")
        assert set(seen) == {"government", *HOUSEHOLDS}
        assert {observation[0] for observation in seen.values()} == {start + len(taxes)}


def test_rllib_credits_each_late_reward_to_the_action_that_earned_it(counting):
    runner = MultiAgentEnvRunner(config=ppo({"name": counting}))
    years_played = []
    for episode in runner.sample(num_episodes=5, random_actions=True):
        government, *households = (episode.agent_episodes[agent] for agent in ["government", *HOUSEHOLDS])
        years_played.append(len(government))
        assert {len(household) for household in households} == {len(government)}
        for year in range(len(government)):
            tax = households[0].get_observations(year)[2]
            choices = [h.get_rewards(year) - 10 * tax - i for i, h in enumerate(households)]
            assert all(-1e-6 <= choice <= 2 + 1e-6 for choice in choices)
            assert government.get_rewards(year) == pytest.approx(sum(choices))
    assert max(years_played) > 1
    runner.stop()


def test_a_wrong_setting_is_refused(counting):
    with pytest.raises(InvalidSetting, match="stage_game"):
        SMFGMultiAgentEnv({"name": "stage_gam"})
    with pytest.raises(InvalidSetting, match="games = 4"):
        SMFGMultiAgentEnv({"name": counting, "games": 4})


@pytest.fixture(params=["stage_game", "economy"])
def algorithm(request: pytest.FixtureRequest, ray_local: None) -> Iterator[Any]:
    """Stock PPO with ten households, not trained yet."""
    config = ppo({"name": request.param, "followers": 10, "horizon": 10})
    config.env_runners(env_to_module_connector=lambda *_, **__: MeanStdFilter(multi_agent=True))
    algorithm = config.build_algo()
    yield algorithm
    algorithm.stop()


def test_stock_ppo_trains_both_policies_for_two_iterations(algorithm):
    before = algorithm.get_weights()
    results = [algorithm.train() for _ in range(2)]
    after = algorithm.get_weights()
    assert results[-1]["env_runners"]["num_env_steps_sampled_lifetime"] >= 80
    for policy in ("leader", "follower"):
        assert np.isfinite(results[-1]["learners"][policy]["total_loss"])
        assert np.isfinite(results[-1]["env_runners"]["module_episode_returns_mean"][policy])
        assert any(np.any(after[policy][name] != before[policy][name]) for name in before[policy])
        assert all(np.isfinite(weights).all() for weights in after[policy].values())


def test_rllib_knows_every_game_by_its_name():
    register_games()  # as the import did; a Ray that was shut down since has forgotten it
    for name in GAMES:
        config = PPOConfig().environment(name, env_config={"followers": 3}).experimental(_validate_config=False)
        config.multi_agent(policies={"leader", "follower"}, policy_mapping_fn=policy_of)
        runner = MultiAgentEnvRunner(config=config.env_runners(num_env_runners=0))
        episode = runner.sample(num_timesteps=4, random_actions=True)[0]
        assert set(episode.agent_ids) == {"government", *HOUSEHOLDS}
        runner.stop()
