"""Mixed populations: who follows which policy, and what is told of every group."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs import InvalidSetting, make
from envs.game import Array, BoolArray
from policies import FollowerPolicy
from policies.constant import ConstantFollower, ConstantLeader
from policies.free_market import free_market
from policies.mixed import MixedFollowers, group_sizes
from policies.random import RandomFollower
from rllib_smfg.groups import evaluate_groups
from rllib_smfg.rollout import evaluate

SAVERS, WORKERS = ConstantFollower([0.98, 0.3]), ConstantFollower([0.97, 0.8])
GOVERNMENT = ConstantLeader([0.1, 0.02, 0.05, 0.01, 0.01])


class Listener(FollowerPolicy):
    """Remembers what it was shown and told."""

    def __init__(self) -> None:
        self.shown: list[tuple[Array, Array]] = []
        self.forgotten: list[BoolArray] = []

    def act(self, observation: Array, leader_action: Array) -> Array:
        self.shown.append((observation, leader_action))
        return np.zeros((*observation.shape[:2], 2))

    def forget(self, games: BoolArray) -> None:
        self.forgotten.append(games)


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_shares_of_households_follow_their_policies(share: float) -> None:
    mixed = MixedFollowers({"a": SAVERS, "b": WORKERS}, {"a": share, "b": 1 - share}, 20)
    actions = mixed.act(np.ones((3, 20, 2)), np.zeros((3, 5)))
    assert actions.shape == (3, 20, 2)
    savers = (actions == SAVERS.action).all(-1)
    assert (savers.sum(1) == 20 * share).all()
    assert ((actions == WORKERS.action).all(-1) == ~savers).all()


def test_a_household_stays_in_its_group_and_a_group_sees_its_own_households_only() -> None:
    first, second = Listener(), Listener()
    mixed = MixedFollowers({"first": first, "second": second}, {"first": 0.3, "second": 0.7}, 10)
    observation, announced = np.arange(40.0).reshape(2, 10, 2), np.ones((2, 5))
    for _ in range(2):
        mixed.act(observation, announced)
    for shown, leader_action in first.shown:
        np.testing.assert_array_equal(shown, observation[:, :3])
        np.testing.assert_array_equal(leader_action, announced)
    for shown, _ in second.shown:
        np.testing.assert_array_equal(shown, observation[:, 3:])
    assert mixed.households == {"first": slice(0, 3), "second": slice(3, 10)}


def test_every_group_is_told_when_games_start_anew() -> None:
    first, second, nobody = Listener(), Listener(), Listener()
    mixed = MixedFollowers({"a": first, "b": second, "c": nobody}, {"a": 0.5, "b": 0.5, "c": 0.0}, 4)
    mixed.forget(np.array([True, False]))
    assert [games.tolist() for games in first.forgotten + second.forgotten] == [[True, False]] * 2
    assert nobody.forgotten == nobody.shown == []


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=6).filter(any), st.integers(1, 100_000))
def test_group_sizes_are_whole_close_to_their_share_and_sum_to_everybody(parts: list[int], followers: int) -> None:
    shares = {str(k): part / sum(parts) for k, part in enumerate(parts)}
    sizes = group_sizes(shares, followers)
    assert sum(sizes.values()) == followers
    assert all(abs(sizes[name] - share * followers) < 1 for name, share in shares.items())
    assert all(sizes[name] == 0 for name, share in shares.items() if share == 0)


@pytest.mark.parametrize("shares", [{"a": 0.5, "b": 0.6}, {"a": 1.5, "b": -0.5}, {"a": float("nan"), "b": 1.0}])
def test_shares_that_make_up_no_population_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(InvalidSetting, match="sum to 1"):
        MixedFollowers({"a": SAVERS, "b": WORKERS}, shares, 10)


def test_shares_and_policies_must_name_the_same_groups() -> None:
    with pytest.raises(InvalidSetting, match="must name the groups"):
        MixedFollowers({"a": SAVERS}, {"b": 1.0}, 10)


# --- indicators of groups --------------------------------------------------------------------------------------------
def test_groups_make_up_the_population() -> None:
    game = make("economy", games=3, followers=20, horizon=6)
    mixed = MixedFollowers({"savers": SAVERS, "workers": WORKERS}, {"savers": 0.25, "workers": 0.75}, 20)
    results = evaluate_groups(game, GOVERNMENT, mixed, seed=4)
    savers, workers = results.groups["savers"], results.groups["workers"]
    for group, population in (
        ("wealth", "mean_assets"),
        ("income", "mean_income"),
        ("consumption", "mean_consumption"),
        ("hours", "mean_hours"),
    ):
        mean = 0.25 * savers[group] + 0.75 * workers[group]
        np.testing.assert_allclose(mean, results.population[population], rtol=1e-9)
    welfare = 20 * (0.25 * savers["utility"] + 0.75 * workers["utility"])
    np.testing.assert_allclose(welfare, results.population["social_welfare"], rtol=1e-9)
    np.testing.assert_allclose(savers["hours"] / workers["hours"], 0.3 / 0.8, rtol=1e-12)
    assert set(results.population) == set(evaluate(game, GOVERNMENT, mixed, seed=4))


def test_a_population_of_one_policy_is_that_policy() -> None:
    game = make("economy", games=2, followers=20, horizon=5)
    mixed = MixedFollowers({"a": SAVERS, "b": WORKERS}, {"a": 1.0, "b": 0.0}, 20)
    alone, together = evaluate(game, GOVERNMENT, SAVERS, seed=1), evaluate_groups(game, GOVERNMENT, mixed, seed=1)
    assert list(together.groups) == ["a"]
    for name, value in alone.items():
        np.testing.assert_array_equal(value, together.population[name])


def test_years_after_the_end_of_an_episode_do_not_count() -> None:
    game = make("economy", games=8, followers=20, weighting="unweighted", horizon=30)
    spenders = RandomFollower(game.follower_action_space, 0)
    mixed = MixedFollowers({"a": spenders, "b": WORKERS}, {"a": 0.5, "b": 0.5}, 20)
    results = evaluate_groups(game, free_market(game), mixed, seed=2)
    assert results.population["years"].min() < 30
    mean = (results.groups["a"]["utility"] + results.groups["b"]["utility"]) / 2
    np.testing.assert_allclose(mean * results.population["years"], results.population["follower_return"], rtol=1e-9)


def test_games_without_money_tell_the_utility_alone() -> None:
    game = make("stage_game", games=2, followers=6)
    random = RandomFollower(game.follower_action_space, 0)
    mixed = MixedFollowers({"a": random, "b": random}, {"a": 0.5, "b": 0.5}, 6)
    results = evaluate_groups(game, free_market(game), mixed, seed=0)
    assert {name: set(group) for name, group in results.groups.items()} == {"a": {"utility"}, "b": {"utility"}}
