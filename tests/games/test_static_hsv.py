"""The static HSV tax: the formula and the finite-N root against search in the game itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

import envs
from envs.game import Array
from envs.solution import solution, solve
from envs.static_hsv import StaticHSV


def welfare_in_the_game(progressivity: Array, **settings: float) -> Array:
    """The leader's reward for each xi, households at their exact hours."""
    followers = int(settings.pop("followers", 100))
    game = StaticHSV(games=len(progressivity), followers=followers, **settings)
    exact = solution("static_hsv", followers=followers, **settings)
    xi = progressivity[:, None]
    return game.step(xi, exact.follower_rule(game.reset(0).follower, xi)).leader_reward


@pytest.mark.parametrize(
    ("v", "s", "limit", "grid"),
    [(0.3, 2.0, 0.364022, 0.364019), (0.5, 1.0, 0.381966, 0.381963), (0.2, 3.0, 0.344131, 0.344129)],
)
def test_reference_figures(v: float, s: float, limit: float, grid: float) -> None:
    assert solve("static_hsv", v=v, s=s)["xi_star"] == pytest.approx(limit, abs=5.1e-7)
    assert solve("static_hsv", v=v, s=s, followers=200_000)["xi_star"] == pytest.approx(grid, abs=1.1e-6)


def test_reference_figure_for_hundred_households() -> None:
    assert solve("static_hsv", followers=100)["xi_star"] == pytest.approx(0.361278, abs=5.1e-7)


@pytest.mark.parametrize("followers", [2, 16, 100, 1000])
@pytest.mark.parametrize(("v", "s"), [(0.3, 2.0), (0.5, 1.0), (0.2, 3.0), (1.0, 0.5)])
def test_optimum_against_search_in_the_game(v: float, s: float, followers: int) -> None:
    found, settings = solve("static_hsv", v=v, s=s, followers=followers), {"v": v, "s": s, "followers": followers}
    coarse = np.linspace(0, 0.95, 96)
    centre = coarse[welfare_in_the_game(coarse, **settings).argmax()]
    fine = np.linspace(centre - 0.02, centre + 0.02, 401)
    welfare = welfare_in_the_game(fine, **settings)
    assert fine[welfare.argmax()] == pytest.approx(found["xi_star"], abs=1.1e-4)
    assert found["W_star"] == pytest.approx(welfare.max(), abs=1e-7)
    assert found["hours"] == pytest.approx((1 - found["xi_star"]) ** (1 / (1 + s)))


def test_the_limit_against_quadrature() -> None:
    """Log-normal ability by Gauss-Hermite nodes, welfare written out from consumption and hours."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    weights = weights / weights.sum()
    for v, s in ((0.3, 2.0), (0.6, 1.2)):
        e = np.exp(-v / 2 + math.sqrt(v) * nodes)

        def loss(xi: float, e: Array = e, s: float = s) -> float:
            y = e * (1 - xi) ** (1 / (1 + s))
            lam = 0.8 * (weights @ y) / (weights @ y ** (1 - xi))
            return -float(weights @ np.log(lam * y ** (1 - xi)) - (1 - xi) / (1 + s))

        best, found = minimize_scalar(loss, bounds=(0, 0.9), method="bounded"), solve("static_hsv", v=v, s=s)
        assert found["xi_star"] == pytest.approx(best.x, abs=1e-5)
        assert found["W_star"] == pytest.approx(-best.fun, abs=1e-9)


@pytest.mark.parametrize("xi", [0.0, 0.36, 0.8])
def test_hours_against_households_that_search(xi: float) -> None:
    """Exact with lam taken as given; the own effect on lam is worth a share of output."""
    game, exact = StaticHSV(followers=100), solution("static_hsv")
    seen = game.reset(0)
    rule = exact.follower_rule(seen.follower, np.array([[xi]]))
    for i in (0, 50, 99):
        e = game.abilities[i]
        best = minimize_scalar(
            lambda h, e=e: -((1 - xi) * math.log(e * h) - h**3 / 3), bounds=(0.01, 1.5), method="bounded"
        )
        assert rule[0, i, 0] == pytest.approx(best.x, abs=1e-5)

        def own_loss(h: float, i: int = i) -> float:
            trial = rule.copy()
            trial[0, i, 0] = h
            return -float(game.step(np.array([[xi]]), trial).follower_reward[0, i])

        strategic = minimize_scalar(own_loss, bounds=(0.01, 1.5), method="bounded")
        share = max(game.abilities[i] / game.abilities.sum(), 1 / 100)
        assert abs(strategic.x**3 - rule[0, i, 0] ** 3) < 1.1 * share


def test_spending_does_not_move_the_optimum() -> None:
    xi = np.linspace(0.3, 0.42, 121)
    low, high = (welfare_in_the_game(xi, gs=gs) for gs in (0.0, 0.5))
    assert low.argmax() == high.argmax()
    assert low - high == pytest.approx(math.log(2), abs=1e-12)
    assert solve("static_hsv", gs=0.0)["xi_star"] == solve("static_hsv", gs=0.5)["xi_star"]


def test_extreme_inequality_is_taxed_up_to_the_corner() -> None:
    for followers in (math.inf, 1000):
        found = solve("static_hsv", v=400.0, followers=followers)
        assert found["corner"]
        assert found["xi_star"] == pytest.approx(0.95)


def test_a_lone_household_needs_no_redistribution() -> None:
    assert solve("static_hsv", followers=1)["xi_star"] == pytest.approx(0, abs=1e-12)


def test_rewards_follow_the_formulas_and_the_budget_balances() -> None:
    game, random = envs.make("static_hsv", games=2, followers=3, v=0.4, s=1.5, gs=0.1), np.random.default_rng(0)
    seen = game.reset(0)
    xi, h = random.uniform(0, 0.9, (2, 1)), random.uniform(0.2, 1.2, (2, 3, 1))
    step = game.step(xi, h)
    for b in range(2):
        y = [seen.follower[b, i, 0] * h[b, i, 0] for i in range(3)]
        lam = 0.9 * sum(y) / sum(income ** (1 - xi[b, 0]) for income in y)
        kept = [lam * income ** (1 - xi[b, 0]) for income in y]
        assert sum(y) - sum(kept) == pytest.approx(0.1 * sum(y))
        utility = [math.log(kept[i]) - h[b, i, 0] ** 2.5 / 2.5 for i in range(3)]
        assert step.follower_reward[b] == pytest.approx(utility)
        assert step.leader_reward[b] == pytest.approx(sum(utility) / 3)


def test_abilities_are_a_lognormal_grid_of_mean_one() -> None:
    abilities = StaticHSV(followers=100_000, v=0.3).abilities
    assert abilities.mean() == pytest.approx(1, abs=1e-3)
    assert np.log(abilities).mean() == pytest.approx(-0.15, abs=1e-9)
    assert np.log(abilities).var() == pytest.approx(0.3, abs=1e-3)
