"""What holds in every solved game: shapes, seeds, horizons, symmetry, and boxes that hold the optimum."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import envs
from envs import InvalidSetting, StackelbergMeanFieldGame, Step
from envs.game import Array, Observations
from envs.solution import SOLVED_GAMES, solution

OF_THE_ECONOMY = ("aiyagari", "krusell_smith")  # which have tests of their own, among the economy's
GAMES = [name for name in SOLVED_GAMES if name not in OF_THE_ECONOMY]


def random_actions(game: StackelbergMeanFieldGame, seed: int) -> tuple[Array, Array]:
    random, leader, follower = np.random.default_rng(seed), game.leader_action_space, game.follower_action_space
    return (
        random.uniform(leader.low, leader.high, (game.n_games, *leader.shape)),
        random.uniform(follower.low, follower.high, (game.n_games, game.n_followers, *follower.shape)),
    )


def play(game: StackelbergMeanFieldGame, seed: int, years: int) -> list[Step]:
    game.reset(seed)
    return [game.step(*random_actions(game, year)) for year in range(years)]


@pytest.mark.parametrize("followers", [1, 16, 1000])
@pytest.mark.parametrize("name", GAMES)
def test_shapes_and_finite_numbers(name: str, followers: int) -> None:
    game = envs.make(name, games=3, followers=followers)
    observations = game.reset(0)
    for step in play(game, 0, 3):
        for seen in (observations, step.observations, step.final_observations):
            assert seen.leader.shape == (3, *game.leader_observation_space.shape)
            assert seen.follower.shape == (3, followers, *game.follower_observation_space.shape)
            assert game.leader_observation_space.contains(seen.leader[0])
            assert game.follower_observation_space.contains(seen.follower[0, 0])
        assert step.leader_reward.shape == step.terminated.shape == step.truncated.shape == (3,)
        assert step.follower_reward.shape == (3, followers)
        assert "mean_action" in step.indicators
        numbers = [step.leader_reward, step.follower_reward, step.observations.follower, *step.indicators.values()]
        assert all(np.isfinite(number).all() for number in numbers)
        assert all(value.shape == (3,) for value in step.indicators.values())
        assert not step.terminated.any()


@pytest.mark.parametrize("name", GAMES)
def test_features_are_of_order_one(name: str) -> None:
    game = envs.make(name, games=50, followers=100)
    observations = game.reset(0)
    for scaling, seen in (
        (game.leader_scaling, observations.leader),
        (game.follower_scaling, observations.follower),
    ):
        unit, shift, width = (np.array(part) for part in (scaling.unit, scaling.shift, scaling.width))
        value = np.where(scaling.logarithmic, np.sign(seen) * np.log1p(np.abs(seen) / unit), seen)
        feature = (value - shift) / width
        assert np.abs(feature).max() < 6
        assert np.abs(feature).mean() < 1.5


@pytest.mark.parametrize("name", GAMES)
def test_the_same_seed_gives_the_same_numbers(name: str) -> None:
    first, second = (play(envs.make(name, games=2, followers=5, horizon=3), 7, 8) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.follower_reward, other.follower_reward)
        np.testing.assert_array_equal(one.observations.follower, other.observations.follower)


@pytest.mark.parametrize("name", ["stage_game", "linear_quadratic", "brock_mirman"])
def test_another_seed_starts_elsewhere(name: str) -> None:
    game = envs.make(name, games=2, followers=5)
    assert not np.allclose(game.reset(1).follower, game.reset(2).follower)
    starts = game.reset(1)
    assert not np.allclose(starts.leader[0], starts.leader[1])


@pytest.mark.parametrize("name", GAMES)
def test_the_horizon_truncates_and_restarts(name: str) -> None:
    steps = play(envs.make(name, games=2, followers=5, horizon=4), 0, 9)
    assert [bool(step.truncated.all()) for step in steps] == [False, False, False, True] * 2 + [False]
    for step in steps:
        restarted = not np.array_equal(step.observations.follower, step.final_observations.follower)
        assert restarted == (step.truncated.all() and name not in ("income_tax", "static_hsv"))


@pytest.mark.parametrize("name", GAMES)
def test_followers_are_exchangeable(name: str) -> None:
    game, twin = (envs.make(name, games=3, followers=11) for _ in range(2))
    order = np.random.default_rng(0).permutation(11)
    game.reset(4)
    twin.set_state(game.get_state())
    twin.state = {each: x[..., order] for each, x in twin.state.items()}
    leader, follower = random_actions(game, 0)
    one, other = game.step(leader, follower), twin.step(leader, follower[:, order])
    np.testing.assert_allclose(other.follower_reward, one.follower_reward[:, order], rtol=1e-12)
    np.testing.assert_allclose(other.leader_reward, one.leader_reward, rtol=1e-12)
    for indicator, value in one.indicators.items():
        np.testing.assert_allclose(other.indicators[indicator], value, rtol=1e-10)


@pytest.mark.parametrize("name", GAMES)
def test_games_side_by_side_do_not_touch_each_other(name: str) -> None:
    game, twin = (envs.make(name, games=2, followers=6) for _ in range(2))
    game.reset(3)
    twin.set_state(game.get_state())
    leader, follower = random_actions(game, 0)
    one = game.step(leader, follower)
    leader[0], follower[0] = random_actions(game, 1)[0][0], random_actions(game, 1)[1][0]
    other = twin.step(leader, follower)
    assert not np.allclose(one.follower_reward[0], other.follower_reward[0])
    np.testing.assert_array_equal(one.follower_reward[1], other.follower_reward[1])
    np.testing.assert_array_equal(one.final_observations.follower[1], other.final_observations.follower[1])


@pytest.mark.parametrize("followers", [16, 100, 1000])
@pytest.mark.parametrize("name", GAMES)
def test_the_action_boxes_hold_the_exact_solution(name: str, followers: int) -> None:
    """Normal states have tails, so that the linear rules may leave the box, but in less than one case in 1000."""
    game, exact = envs.make(name, games=20, followers=followers), solution(name, followers=followers)
    observations, inside = game.reset(0), []
    for _ in range(10):
        leader = exact.leader_rule(observations.leader)
        follower = exact.follower_rule(observations.follower, leader)
        assert leader.shape == (20, 1)
        assert follower.shape == (20, followers, 1)
        assert game.leader_action_space.low < leader.min()
        assert leader.max() < game.leader_action_space.high
        inside.append((game.follower_action_space.low < follower) & (follower < game.follower_action_space.high))
        observations = game.step(leader, follower).observations
    assert np.mean(inside) > 0.999


@pytest.mark.parametrize("name", GAMES)
def test_the_exact_rules_leave_their_arguments_alone(name: str) -> None:
    game, exact = envs.make(name, games=2, followers=4), solution(name, followers=4)
    observations = game.reset(0)
    kept = Observations(observations.leader.copy(), observations.follower.copy())
    leader = exact.leader_rule(observations.leader)
    exact.follower_rule(observations.follower, leader)[:] = -1
    leader[:] = -1
    np.testing.assert_array_equal(observations.leader, kept.leader)
    np.testing.assert_array_equal(observations.follower, kept.follower)


@pytest.mark.parametrize("name", GAMES)
def test_games_have_their_own_discount_factor(name: str) -> None:
    discount = {"linear_quadratic": 0.9, "brock_mirman": 0.9}.get(name, 0.0)
    assert envs.make(name).discount == discount


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("stage_game", {"R": 0.5}),
        ("stage_game", {"sigma": -1.0}),
        ("linear_quadratic", {"gam": 0.0}),
        ("linear_quadratic", {"sigma": -0.1}),
        ("income_tax", {"epsilon": -1.0}),
        ("income_tax", {"epsilon": math.nan}),
        ("brock_mirman", {"al": 0.0}),
        ("static_hsv", {"s": 0.0}),
        ("static_hsv", {"followers": 0}),
    ],
)
def test_a_game_without_an_optimum_is_not_built(name: str, settings: dict[str, Any]) -> None:
    with pytest.raises(InvalidSetting, match=next(iter(settings))):
        envs.make(name, **settings)
