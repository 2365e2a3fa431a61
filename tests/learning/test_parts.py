"""Networks, mean fields, replay, exploration and scaling, each by what it promises."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box

from envs import InvalidSetting, make
from envs.scaling import FeatureScaling, ShareBox
from rllib_smfg import build
from rllib_smfg.build import Interface
from rllib_smfg.collect import record, sampled_households
from rllib_smfg.export import TrainedPolicies, load_policies, save_policies
from rllib_smfg.learned import Exploration, LearnedFollower, LearnedLeader
from rllib_smfg.mean_field import moved, on_the_mean, summary, view_size
from rllib_smfg.networks import Critic, features, to_natural, to_unit
from rllib_smfg.replay_buffer import ReplayBuffer
from rllib_smfg.rollout import evaluate, play
from rllib_smfg.settings import LearningSettings


def test_shared_inputs_broadcast_like_repeated_ones() -> None:
    critic = Critic(3, 2, (8, 8), quadratic=True)
    torch.nn.init.normal_(critic.curvature)
    own, shared = torch.randn(5, 4, 3), torch.randn(5, 1, 2)
    assert torch.allclose(critic(own, shared), critic(own, shared.expand(5, 4, 2)), atol=1e-5)


@pytest.mark.parametrize("quadratic", [False, True])
def test_networks_give_the_same_with_and_without_derivatives(quadratic: bool) -> None:
    critic = Critic(3, 2, (8, 8), quadratic)
    own, shared = torch.randn(5, 4, 3), torch.randn(5, 1, 2)
    kept = own.clone(), shared.clone()
    with torch.inference_mode():
        without = critic(own, shared).clone()
    assert torch.allclose(without, critic(own, shared), atol=1e-6)
    assert torch.equal(own, kept[0])
    assert torch.equal(shared, kept[1])


def test_unit_actions_span_the_box_and_come_back() -> None:
    box = Box(np.array([0.0, -3.0]), np.array([0.2, 3.0]), dtype=np.float64)
    actions = np.random.default_rng(0).uniform(box.low, box.high, (7, 2))
    assert np.allclose(to_natural(to_unit(actions, box), box), actions, atol=1e-6)
    assert np.allclose(to_unit(box.low, box), -1)
    assert np.allclose(to_natural(np.array([5.0, -5.0]), box), [0.2, -3.0])


def test_shares_are_even_in_their_log_odds() -> None:
    box = ShareBox(np.array([0.001]), np.array([0.999]), dtype=np.float64)
    unit = np.array([[-1.0], [-0.5], [0.0], [0.5], [1.0]], dtype=np.float32)
    share = to_natural(unit, box)
    np.testing.assert_allclose(np.diff(np.log(share / (1 - share)), axis=0), np.log(999.0) / 2, rtol=1e-5)
    np.testing.assert_allclose(to_unit(share, box), unit, atol=1e-6)
    assert to_natural(np.array([[9.0]]), box) == 0.999


def test_features_keep_order_and_sign_over_fifteen_orders_of_magnitude() -> None:
    scaling = FeatureScaling.log(unit=(1e4,), shift=(0.0,), width=(6.0,))
    amounts = np.concatenate([-np.logspace(15, 0, 50), [0.0], np.logspace(0, 15, 50)])[:, None]
    scaled = features(amounts, scaling)[:, 0]
    assert (np.diff(scaled) > 0).all()
    assert np.allclose(scaled, -scaled[::-1], atol=1e-6)
    assert np.abs(scaled).max() < 5


@pytest.mark.parametrize("statistics", [("mean",), ("mean", "standard_deviation", "quantiles")])
def test_mean_field_of_a_whole_population_needs_no_estimate(statistics: tuple[str, ...]) -> None:
    before, after = torch.randn(3, 10, 4), torch.randn(3, 10, 4)
    assert torch.allclose(
        moved(summary(before, statistics), before, after, statistics), summary(after, statistics), atol=1e-5
    )
    assert summary(before, statistics).shape[-1] == view_size("mean_field", 4, 10, statistics)


def test_own_share_touches_the_mean_alone() -> None:
    step = torch.ones(2, 3)
    assert on_the_mean(step, ("standard_deviation", "mean"))[0].tolist() == [0, 0, 0, 1, 1, 1]


def test_replay_keeps_the_newest_rows_and_its_luck() -> None:
    buffer = ReplayBuffer(5, seed=1)
    for start in range(0, 12, 3):
        buffer.add({"x": np.arange(start, start + 3, dtype=np.float32)})
    assert buffer.size == 5
    assert set(buffer.sample(500)["x"]) == {7, 8, 9, 10, 11}
    twin = ReplayBuffer(5, seed=99)
    twin.set_state(buffer.get_state())
    assert np.array_equal(buffer.sample(20)["x"], twin.sample(20)["x"])
    with pytest.raises(ValueError, match="empty"):
        ReplayBuffer(3, seed=0).sample(1)


def test_sampled_households_are_distinct_and_each_is_as_likely() -> None:
    random = np.random.default_rng(0)
    counts = np.zeros(10)
    for _ in range(2000):
        chosen = sampled_households(10, 4, random)
        assert len(set(chosen)) == 4
        counts[chosen] += 1
    assert np.allclose(counts / counts.sum(), 0.1, atol=0.01)


def test_noise_is_drawn_per_household_with_a_common_part() -> None:
    exploration = Exploration(0.1, 0.2, 0.1, np.random.default_rng(0))
    noise = exploration.of_follower((400, 50, 1))
    assert noise.std(1).mean() == pytest.approx(0.2, rel=0.05)
    assert noise.mean(1).std() == pytest.approx(np.hypot(0.1, 0.2 / np.sqrt(50)), rel=0.1)


def _trained(followers: int = 6) -> TrainedPolicies:
    game = {"name": "stage_game", "followers": followers}
    interface, settings = Interface.of(make(**game)), LearningSettings(discount=0.0, hidden=(8,))
    torch.manual_seed(0)
    return TrainedPolicies(
        build.leader_actor(interface, settings), build.follower_actor(interface, settings), interface, settings, game
    )


def test_actors_start_at_the_action_they_are_told() -> None:
    interface, settings = _trained().interface, LearningSettings(discount=0.0)
    leader = LearnedLeader(build.leader_actor(interface, settings, start=[1.5]), interface)
    assert leader.act(np.zeros((2, 1))) == pytest.approx(1.5, abs=0.3)


def test_record_writes_what_was_seen_done_and_followed() -> None:
    trained = _trained()
    game = trained.make_game(games=3)
    leader, follower = trained.policies()
    year = next(play(game, leader, follower, game.reset(0)))
    rows = record(game, leader, follower, year, np.array([0, 2]), ("mean",))
    everybody = np.concatenate(
        [
            features(year.observations.follower, game.follower_scaling),
            to_unit(year.follower_action, game.follower_action_space),
        ],
        -1,
    )
    assert np.allclose(rows["mean_field"], everybody.mean(1), atol=1e-6)
    assert np.allclose(rows["follower_reward"], year.step.follower_reward[:, [0, 2]])
    assert rows["next_follower_state"].shape == (3, 2, 2)
    final = year.step.final_observations
    next_action = to_unit(follower.act(final.follower, leader.act(final.leader)), game.follower_action_space)
    after = np.concatenate([features(final.follower, game.follower_scaling), next_action], -1)
    assert np.allclose(rows["next_mean_field"], after.mean(1), atol=1e-6)
    assert np.allclose(rows["next_follower_action"], next_action[:, [0, 2]], atol=1e-6)


def test_exported_policies_act_alike_and_damage_is_noticed(tmp_path) -> None:  # type: ignore[no-untyped-def]
    trained = _trained()
    save_policies(trained, tmp_path)
    results = [evaluate(p.make_game(games=2), *p.policies(), seed=3) for p in (trained, load_policies(tmp_path))]
    assert all(np.array_equal(results[0][k], results[1][k]) for k in results[0])
    weights = tmp_path / "leader.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(bytes(data))
    with pytest.raises(InvalidSetting, match="damaged"):
        load_policies(tmp_path)
    with pytest.raises(InvalidSetting, match="holds no policies"):
        load_policies(tmp_path / "nowhere")


def test_export_keeps_on_which_scale_actions_are_even(tmp_path) -> None:  # type: ignore[no-untyped-def]
    game, settings = make("brock_mirman", followers=4), LearningSettings(discount=0.9, hidden=(8,))
    interface = Interface.of(game)
    actors = (build.leader_actor(interface, settings), build.follower_actor(interface, settings))
    save_policies(TrainedPolicies(*actors, interface, settings, {"name": "brock_mirman"}), tmp_path)
    restored = load_policies(tmp_path).interface
    assert isinstance(restored.leader_action, ShareBox)
    assert isinstance(restored.follower_action, ShareBox)
    assert not isinstance(restored.leader_observation, ShareBox)


def test_an_episode_counts_until_it_ends_and_not_beyond() -> None:
    trained = _trained()
    game = trained.make_game(games=2)
    results = evaluate(game, *trained.policies(), seed=0)
    assert (results["years"] == game.horizon).all()
    leader, follower = trained.policies()
    game.reset(0)
    total = np.zeros(2)
    for _, year in zip(range(game.horizon), play(game, leader, follower, game.reset(0)), strict=False):
        total += year.step.leader_reward
    assert np.allclose(results["leader_return"], total)


def test_follower_that_does_not_see_the_leader_ignores_it() -> None:
    trained = _trained()
    blind = LearningSettings(discount=0.0, hidden=(8,), followers_see_leader=False)
    follower = LearnedFollower(build.follower_actor(trained.interface, blind), trained.interface, False)
    observation = np.zeros((1, 6, 2))
    assert np.array_equal(follower.act(observation, np.array([[-1.0]])), follower.act(observation, np.array([[1.0]])))


def test_impossible_settings_are_refused_with_what_is_possible() -> None:
    with pytest.raises(InvalidSetting, match="did you mean 'mean_field'"):
        LearningSettings(leader_view="mean_feild")  # type: ignore[arg-type]
    with pytest.raises(InvalidSetting, match=r"discount = 1.5: must lie in"):
        LearningSettings(discount=1.5)
