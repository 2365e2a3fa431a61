"""The linear-quadratic game as a game: formulas, the exact rules played in it, and wrong rules paying for it."""

from __future__ import annotations

import math

import numpy as np
import pytest

import envs
from envs.game import Array
from envs.linear_quadratic import LinearQuadratic
from envs.linear_quadratic_solution import LinearRules, best_response_cost
from envs.solution import solution, solve

YEARS = 250  # 0.9^250 is 4e-12


def reference_rules(followers: float = math.inf, concept: str = "stackelberg") -> LinearRules:
    figures = solve("linear_quadratic", followers=followers, concept=concept)
    return LinearRules(*(figures[name] for name in ("Fx", "Fz", "Fg", "K")))


def quiet_game(followers: int, z: float) -> LinearQuadratic:
    """One game without noise, started at deviations of 0.1 around z: no action comes near its box."""
    game = LinearQuadratic(followers=followers, sigma=0.0, horizon=10_000)
    game.reset(0)
    deviations = np.random.default_rng(0).normal(scale=0.1, size=(1, followers))
    game.state = {"x": z + deviations - deviations.mean()}
    return game


def discounted_costs(
    game: LinearQuadratic, rules: LinearRules, deviator_gain: tuple[float, float] | None = None
) -> tuple[float, Array]:
    """The leader's and each follower's discounted cost; follower 0 may play a = -(kx x + kz z) instead."""
    leader_cost, follower_cost = 0.0, np.zeros(game.n_followers)
    for year in range(YEARS):
        x, z = game.state["x"][0], game.state["x"][0].mean()
        g = -rules.K * z
        a = -(rules.Fx * x + rules.Fz * z + rules.Fg * g)
        if deviator_gain is not None:
            a[0] = -(deviator_gain[0] * x[0] + deviator_gain[1] * z)
        step = game.step(np.array([[g]]), a[None, :, None])
        leader_cost -= 0.9**year * step.leader_reward[0]
        follower_cost -= 0.9**year * step.follower_reward[0]
    return leader_cost, follower_cost


def test_rewards_and_motion_follow_the_formulas() -> None:
    p = {
        "A": 0.8,
        "D": 0.1,
        "B": 0.9,
        "C": 0.4,
        "Q": 1.2,
        "H": 0.3,
        "R": 0.6,
        "M": 0.5,
        "Ql": 0.7,
        "Rl": 0.8,
        "Ml": 0.9,
    }
    game, random = envs.make("linear_quadratic", games=2, followers=3, sigma=0.0, **p), np.random.default_rng(0)
    seen = game.reset(5)
    g, a = random.uniform(-1, 1, (2, 1)), random.uniform(-1, 1, (2, 3, 1))
    step = game.step(g, a)
    for b in range(2):
        x, abar = seen.follower[b, :, 0], sum(a[b, :, 0]) / 3
        z = sum(x) / 3
        assert seen.leader[b, 0] == pytest.approx(z)
        np.testing.assert_allclose(seen.follower[b, :, 1], z)
        leader_cost = 0.5 * (0.7 * z**2 + 0.8 * g[b, 0] ** 2 + 0.9 * abar**2)
        assert step.leader_reward[b] == pytest.approx(-leader_cost)
        for i in range(3):
            own = a[b, i, 0]
            cost = 0.5 * (1.2 * (x[i] - 0.3 * z) ** 2 + 0.6 * own**2 + 2 * 0.5 * own * abar)
            assert step.follower_reward[b, i] == pytest.approx(-cost)
            moved = 0.8 * x[i] + 0.1 * z + 0.9 * own + 0.4 * g[b, 0]
            assert step.observations.follower[b, i, 0] == pytest.approx(moved)


def test_noise_has_its_scale_and_starts_have_theirs() -> None:
    game = LinearQuadratic(games=400, followers=100, sigma=0.3)
    x = game.reset(0).follower[..., 0]
    assert x.std(axis=1).mean() == pytest.approx(1, rel=0.02)
    assert x.mean(axis=1).std() == pytest.approx(4 / math.sqrt(12), rel=0.1)
    after = game.step(np.zeros((400, 1)), np.zeros((400, 100, 1))).observations.follower[..., 0]
    assert (after - 0.9 * x).std() == pytest.approx(0.3, rel=0.02)


@pytest.mark.parametrize("followers", [1, 4, 16])
@pytest.mark.parametrize("concept", ["stackelberg", "partial", "team"])
def test_the_rules_played_in_the_game_return_the_exact_values(followers: int, concept: str) -> None:
    figures = solve("linear_quadratic", followers=followers, concept=concept)
    game = quiet_game(followers, z=0.8)
    x = game.state["x"][0].copy()
    leader, follower = discounted_costs(game, reference_rules(followers, concept))
    value = 0.5 * (figures["Vxx"] * x**2 + 2 * figures["Vxz"] * x * 0.8 + figures["Vzz"] * 0.8**2)
    np.testing.assert_allclose(follower, value, rtol=1e-9)
    assert leader == pytest.approx(0.5 * figures["U"] * 0.8**2, rel=1e-9)


def test_the_solution_rules_are_the_linear_rules() -> None:
    rules, exact = reference_rules(16), solution("linear_quadratic", followers=16)
    game = LinearQuadratic(games=3, followers=16)
    seen = game.reset(0)
    g = np.array([[0.5], [-1.0], [0.0]])
    np.testing.assert_allclose(exact.leader_rule(seen.leader), -rules.K * seen.leader)
    expected = -(rules.Fx * seen.follower[..., 0] + rules.Fz * seen.leader + rules.Fg * g)
    np.testing.assert_allclose(exact.follower_rule(seen.follower, g)[..., 0], expected, rtol=1e-12)


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_a_leader_ten_percent_off_pays_more_in_the_game(factor: float) -> None:
    """The followers' rule kept as it is; the loss is the one the Riccati equation says."""
    rules = reference_rules(16)
    wrong = LinearRules(rules.Fx, rules.Fz, rules.Fg, factor * rules.K)
    right_cost, _ = discounted_costs(quiet_game(16, 0.8), rules)
    wrong_cost, _ = discounted_costs(quiet_game(16, 0.8), wrong)
    exact = best_response_cost(wrong, followers=16, z0=0.8)
    assert wrong_cost > right_cost
    assert wrong_cost == pytest.approx(exact.leader_cost, rel=1e-9)
    assert wrong_cost - right_cost == pytest.approx(exact.leader_exploitability, rel=1e-5)


@pytest.mark.parametrize("concept", ["stackelberg", "team"])
def test_a_deviator_gains_in_the_game_what_the_exploitability_says(concept: str) -> None:
    rules, followers = reference_rules(16, concept), 16
    game = quiet_game(followers, 0.8)
    x0 = float(game.state["x"][0, 0])
    exact = best_response_cost(rules, followers=followers, x0=x0, z0=0.8)
    _, along = discounted_costs(game, rules)
    _, deviating = discounted_costs(quiet_game(followers, 0.8), rules, exact.follower_gain)
    assert along[0] == pytest.approx(exact.follower_cost, rel=1e-9)
    assert deviating[0] == pytest.approx(exact.follower_best_cost, rel=1e-9)
    gain = along[0] - deviating[0]
    assert gain == pytest.approx(0, abs=1e-10) if concept == "stackelberg" else gain > 0.005


def test_expected_costs_with_noise() -> None:
    """Noise enters every later state; a mean of 4000 simulated episodes knows no formula."""
    rules, followers, sigma = reference_rules(4), 4, 0.2
    exact = best_response_cost(rules, followers=followers, x0=0.5, z0=0.5, sigma=sigma)
    game = LinearQuadratic(games=4000, followers=followers, sigma=sigma, horizon=10_000)
    game.reset(1)
    game.state = {"x": np.full((4000, followers), 0.5)}
    leader, follower = np.zeros(4000), np.zeros((4000, followers))
    for year in range(120):
        x, z = game.state["x"], game.state["x"].mean(axis=1, keepdims=True)
        g = -rules.K * z
        step = game.step(g, -(rules.Fx * x + rules.Fz * z + rules.Fg * g)[..., None])
        leader, follower = leader - 0.9**year * step.leader_reward, follower - 0.9**year * step.follower_reward
    assert abs(leader.mean() - exact.leader_cost) < 4 * leader.std() / math.sqrt(4000)
    followers_mean = follower.mean(axis=1)
    assert abs(followers_mean.mean() - exact.follower_cost) < 4 * followers_mean.std() / math.sqrt(4000)
