"""The stage game: closed form against best-response iteration and one-dimensional search."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import minimize, minimize_scalar

import envs
from envs.game import Array
from envs.solution import solution, solve
from envs.stage_game import Parameters, StageGame

TABLE = [  # N, concept, g*, abar at z = 1 (THEORY.md, C.1)
    (math.inf, "stackelberg", 0.891290, 0.155300),
    (math.inf, "team", 1.011236, -0.028090),
    (math.inf, "partial", -1.739130, None),
    (math.inf, "partial_team", 10.0, None),
    (100, "stackelberg", 0.892927, 0.153620),
    (100, "team", 1.011236, None),
    (100, "partial", -1.759789, None),
    (100, "partial_team", 10.0, None),
]


def random_instances(count: int) -> list[dict[str, float]]:
    random = np.random.default_rng(0)
    instances = []
    for _ in range(count):
        beta = random.uniform(-0.4, 0.4)
        drawn = dict(zip(("theta", "delta", "kappa", "T"), random.normal(size=4).tolist(), strict=True))
        instances.append({**drawn, "beta": beta, "R": random.uniform(1, 2), "rl": random.uniform(0.2, 1)})
    return instances


def own_cost(p: Parameters, x: Array, a: Array, others: Array, g: float) -> Array:
    """Each follower's cost when it plays a_i and the others' actions sum to `others`."""
    abar = (others + a) / len(x)
    return p.R * a**2 / 2 - a * (p.theta * x + p.beta * abar + p.delta * g)


def game_actions(p: Parameters, x: Array, g: float) -> Array:
    """Best responses iterated to rest, each the lowest point of the parabola through three trials."""
    a = np.zeros_like(x)
    for _ in range(200):
        others = a.sum() - a
        low, middle, high = (own_cost(p, x, np.full_like(x, trial), others, g) for trial in (-1.0, 0.0, 1.0))
        a = 0.5 * a + 0.5 * (low - high) / (2 * (low + high - 2 * middle))
    return a


def team_actions(p: Parameters, x: Array, g: float) -> Array:
    """The joint minimum of the mean cost, by central differences: forward ones stop a millionth or so away from it."""

    def mean_cost(a: Array) -> float:
        return float(own_cost(p, x, a, a.sum() - a, g).mean())

    return minimize(mean_cost, np.zeros_like(x), jac="3-point", tol=1e-12).x


def leader_cost(p: Parameters, g: float, abar: float) -> float:
    return (abar + p.kappa * g - p.T) ** 2 / 2 + p.rl * g**2 / 2


@pytest.mark.parametrize(("followers", "concept", "g_star", "abar"), TABLE)
def test_reference_table(followers: float, concept: str, g_star: float, abar: float | None) -> None:
    found = solve("stage_game", followers=followers, concept=concept)
    assert found["g_star"] == pytest.approx(g_star, abs=5.1e-7)
    if abar is not None:
        assert found["abar"] == pytest.approx(abar, abs=5.1e-7)


@pytest.mark.parametrize(("concept", "react"), [("stackelberg", game_actions), ("team", team_actions)])
@pytest.mark.parametrize("instance", [{}, *random_instances(4)])
def test_leader_against_search_over_equilibria(
    instance: dict[str, float], concept: str, react: Callable[[Parameters, Array, float], Array]
) -> None:
    p, n = Parameters(**instance), 100 if concept == "stackelberg" else 6
    x = np.random.default_rng(1).normal(size=n)
    x += 0.7 - x.mean()
    exact = solution("stage_game", followers=n, concept=concept, **instance)
    best = minimize_scalar(lambda g: leader_cost(p, g, float(react(p, x, g).mean())), bracket=(-1, 1), tol=1e-10)
    assert exact.leader_rule(np.array([[0.7]]))[0, 0] == pytest.approx(best.x, abs=1e-5)


def test_hundred_followers_brute_force_figure() -> None:
    p, x = Parameters(), np.ones(100)
    best = minimize_scalar(lambda g: leader_cost(p, g, float(game_actions(p, x, g).mean())), bracket=(-1, 1))
    assert best.x == pytest.approx(0.892927, abs=1e-6)


@pytest.mark.parametrize(("concept", "react"), [("stackelberg", game_actions), ("team", team_actions)])
@pytest.mark.parametrize("n", [2, 7])
@pytest.mark.parametrize("instance", [{}, *random_instances(3)])
def test_follower_rule_on_and_off_path(
    instance: dict[str, float], n: int, concept: str, react: Callable[[Parameters, Array, float], Array]
) -> None:
    p, random = Parameters(**instance), np.random.default_rng(2)
    exact = solution("stage_game", followers=n, concept=concept, **instance)
    for g in (-2.0, 0.3, 1.7):
        x = random.normal(size=n)
        seen = np.stack([x, np.full(n, x.mean())], axis=-1)[None]
        rule = exact.follower_rule(seen, np.array([[g]]))[0, :, 0]
        np.testing.assert_allclose(rule, react(p, x, g), atol=2e-6)
        figures = exact.values
        assert rule.mean() == pytest.approx(figures["phi"] * (p.theta * x.mean() + p.delta * g), abs=1e-12)


@pytest.mark.parametrize("concept", ["partial", "partial_team"])
@pytest.mark.parametrize("instance", [{}, *random_instances(3)])
def test_a_partial_leader_rests_where_its_cost_is_flat_at_fixed_actions(
    instance: dict[str, float], concept: str
) -> None:
    p, exact = Parameters(**instance), solve("stage_game", followers=50, concept=concept, **instance)
    g, step = exact["g_star"], 1e-4
    slope = (leader_cost(p, g + step, exact["abar"]) - leader_cost(p, g - step, exact["abar"])) / (2 * step)
    assert slope == pytest.approx(0, abs=1e-9)


def test_finite_followers_approach_the_mean_field() -> None:
    limit = solve("stage_game")["g_star"]
    gaps = [abs(solve("stage_game", followers=n)["g_star"] - limit) for n in (10, 100, 1000, 10_000)]
    assert all(8 < one / other < 14 for one, other in pairwise(gaps))  # O(1/N)


def test_rewards_follow_the_formulas() -> None:
    settings = {"theta": 0.8, "beta": 0.2, "delta": -0.7, "kappa": 0.3, "T": 0.4, "rl": 0.6, "R": 1.3}
    game, random = envs.make("stage_game", games=2, followers=3, **settings), np.random.default_rng(0)
    seen = game.reset(5)
    g, a = random.uniform(-1, 1, (2, 1)), random.uniform(-1, 1, (2, 3, 1))
    step = game.step(g, a)
    for b in range(2):
        abar = sum(a[b, :, 0]) / 3
        assert seen.leader[b, 0] == pytest.approx(sum(seen.follower[b, :, 0]) / 3)
        cost = 0.5 * (abar + 0.3 * g[b, 0] - 0.4) ** 2 + 0.5 * 0.6 * g[b, 0] ** 2
        assert step.leader_reward[b] == pytest.approx(-cost)
        assert step.indicators["mean_action"][b] == pytest.approx(abar)
        for i in range(3):
            push = 0.8 * seen.follower[b, i, 0] + 0.2 * abar - 0.7 * g[b, 0]
            assert step.follower_reward[b, i] == pytest.approx(-(0.5 * 1.3 * a[b, i, 0] ** 2 - a[b, i, 0] * push))


def test_the_state_ignores_actions_and_follows_its_law() -> None:
    game = StageGame(games=200, followers=200, rho=0.8, sigma=0.5)
    before = game.reset(0).follower[..., 0]
    shape = (200, 200, 1)
    after = game.step(np.full((200, 1), 3.0), np.full(shape, 5.0)).observations.follower[..., 0]
    noise = after - 0.8 * before
    assert noise.mean() == pytest.approx(0, abs=0.01)
    assert noise.std() == pytest.approx(0.5, rel=0.02)


def test_the_mean_state_varies_enough_to_read_the_leader_rule() -> None:
    game, seen = StageGame(games=500, followers=16), []
    observations = game.reset(0)
    for _ in range(game.horizon):
        seen.append(observations.leader)
        observations = game.step(np.zeros((500, 1)), np.zeros((500, 16, 1))).observations
    share = [(np.concatenate(seen) > low).mean() - (np.concatenate(seen) > low + 0.5).mean() for low in (-1.5, 0, 1)]
    assert min(share) > 0.08


def test_the_exact_leader_pays_least_in_the_game() -> None:
    exact = solution("stage_game", followers=30)
    costs = []
    for wrong in (0.8, 1.0, 1.2):
        game = StageGame(games=100, followers=30)
        observations, cost = game.reset(0), 0.0
        for _ in range(10):
            g = wrong * exact.leader_rule(observations.leader)
            step = game.step(g, exact.follower_rule(observations.follower, g))
            observations, cost = step.observations, cost - step.leader_reward.mean()
        costs.append(cost)
    assert costs[1] < min(costs[0], costs[2])
