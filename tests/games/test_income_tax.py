"""The linear income tax: closed form against households that optimise one by one and a search over the tax."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import minimize, minimize_scalar

import envs
from envs.game import Array
from envs.income_tax import LARGEST_TAX, IncomeTax, optimal_tax, population
from envs.solution import solution, solve


def utilities(h: Array, t: float, abilities: Array, epsilon: float) -> Array:
    income = abilities * h
    return (1 - t) * income + t * income.mean() - h ** (1 + 1 / epsilon) / (1 + 1 / epsilon)


def chosen_hours(t: float, abilities: Array, epsilon: float) -> Array:
    """Every household's best hours given the others', by search; the rebate of its own tax is part of its problem."""
    hours = np.ones_like(abilities)
    for _ in range(2):
        for i in range(len(abilities)):

            def loss(h: float, i: int = i) -> float:
                trial = hours.copy()
                trial[i] = h
                return -float(utilities(trial, t, abilities, epsilon)[i])

            found = minimize_scalar(loss, bounds=(0, 3 * abilities.max()), method="bounded", options={"xatol": 1e-10})
            hours[i] = found.x
    return hours


def play(t: Array, followers: int = 100, concept: str = "stackelberg") -> tuple[Array, dict[str, Array]]:
    """The leader's reward and the year's indicators of one game for each tax, households at their exact rule."""
    game, exact = IncomeTax(games=len(t), followers=followers), solution("income_tax", followers=100, concept=concept)
    seen = game.reset(0)
    step = game.step(t[:, None], exact.follower_rule(seen.follower, t[:, None]))
    return step.leader_reward, step.indicators


def test_reference_figures() -> None:
    found = solve("income_tax", followers=100)
    assert found["gbar"] == pytest.approx(0.69239284, abs=5e-9)
    assert found["t_star"] == pytest.approx(0.38639080, abs=5e-9)
    assert found["W_star"] == pytest.approx(0.69213311, abs=5e-9)
    assert not found["corner"]
    assert optimal_tax(0.5, found["gbar"], 1.0) == pytest.approx(0.380887, abs=5e-7)


def test_reference_welfare_played_in_the_game() -> None:
    t_star = solve("income_tax", followers=100)["t_star"]
    welfare, _ = play(np.array([t_star, 0.0, t_star + 0.05, t_star - 0.05, 0.99]))
    assert welfare == pytest.approx([0.69213311, 0.60797517, 0.69041841, 0.69050777, 0.184377], abs=5e-7)


@pytest.mark.parametrize("t", [0.0, 0.386, 0.8])
@pytest.mark.parametrize("epsilon", [0.25, 0.5, 1.0])
def test_hours_against_households_that_search(epsilon: float, t: float) -> None:
    game, exact = IncomeTax(followers=16, epsilon=epsilon), solution("income_tax", followers=16, epsilon=epsilon)
    rule = exact.follower_rule(game.reset(0).follower, np.array([[t]]))[0, :, 0]
    np.testing.assert_allclose(rule, chosen_hours(t, game.abilities, epsilon), atol=3e-7)


@pytest.mark.parametrize("followers", [16, 100, 1000])
@pytest.mark.parametrize("epsilon", [0.25, 0.5, 1.0])
def test_optimal_tax_of_random_populations_against_search(epsilon: float, followers: int) -> None:
    random, k = np.random.default_rng(followers), 1 - 1 / followers
    abilities, weights = np.exp(random.normal(scale=0.6, size=followers)), random.uniform(0.5, 1.5, followers)
    weights = weights / abilities / (weights / abilities).mean()

    def loss(t: float) -> float:
        hours = ((1 - k * t) * abilities) ** epsilon
        return -float((weights * utilities(hours, t, abilities, epsilon)).mean())

    best = minimize_scalar(loss, bounds=(0, 0.99), method="bounded", options={"xatol": 1e-9})
    gbar = float((weights * abilities ** (1 + epsilon)).sum() / (abilities ** (1 + epsilon)).sum())
    assert optimal_tax(epsilon, gbar, k) == pytest.approx(best.x, abs=1e-6)


def test_a_leader_that_cares_for_the_idle_alone_sets_the_laffer_rate() -> None:
    for epsilon in (0.2, 1.0):
        assert optimal_tax(epsilon, 0.0, 1.0) == pytest.approx(1 / (1 + epsilon))


@pytest.mark.parametrize("followers", [2, 5, 100])
def test_the_solution_is_the_best_tax_in_the_game(followers: int) -> None:
    found, exact = solve("income_tax", followers=followers), solution("income_tax", followers=followers)
    taxes = np.linspace(0, 0.99, 991)
    game = IncomeTax(games=len(taxes), followers=followers)
    seen = game.reset(0)
    welfare = game.step(taxes[:, None], exact.follower_rule(seen.follower, taxes[:, None])).leader_reward
    assert taxes[welfare.argmax()] == pytest.approx(found["t_star"], abs=0.0011)
    assert found["W_star"] == pytest.approx(welfare.max(), abs=1e-5)
    assert found["W_star"] >= welfare.max()


def test_a_partial_leader_goes_to_the_corner() -> None:
    """With hours held fixed welfare rises in the tax, whatever the hours: income goes from rich to poor."""
    found = solve("income_tax", followers=100, concept="partial")
    assert found["corner"]
    assert found["t_star"] == LARGEST_TAX
    assert found["W_star"] == pytest.approx(0.184377, abs=5e-7)
    exact = solution("income_tax", followers=100)
    taxes = np.linspace(0, 0.99, 12)[:, None]
    for t in (0.1, 0.5, 0.9):
        game = IncomeTax(games=12)
        hours = exact.follower_rule(game.reset(0).follower, np.full((12, 1), t))
        assert (np.diff(game.step(taxes, hours).leader_reward) > 0).all()


@pytest.mark.parametrize("t", [0.0, 0.5, 0.9])
def test_a_team_ignores_the_tax(t: float) -> None:
    game, exact = IncomeTax(followers=5), solution("income_tax", followers=5, concept="team")
    rule = exact.follower_rule(game.reset(0).follower, np.array([[t]]))[0, :, 0]
    best = minimize(lambda h: -utilities(h, t, game.abilities, 0.5).mean(), np.ones(5), tol=1e-12, bounds=[(0, 9)] * 5)
    np.testing.assert_allclose(rule, best.x, rtol=1e-5)


@pytest.mark.parametrize("concept", ["team", "partial_team"])
def test_a_leader_of_a_team_goes_to_the_corner(concept: str) -> None:
    found = solve("income_tax", followers=100, concept=concept)
    taxes = np.linspace(0, 0.99, 12)
    welfare, _ = play(taxes, concept=concept)
    assert found["corner"]
    assert taxes[welfare.argmax()] == found["t_star"] == LARGEST_TAX
    assert found["W_star"] == pytest.approx(welfare.max(), rel=1e-12)


def test_hardly_elastic_labour_is_taxed_up_to_the_corner() -> None:
    found = solve("income_tax", epsilon=0.001)
    assert found["corner"]
    assert found["t_star"] == LARGEST_TAX


def test_many_households_approach_the_lognormal_limit() -> None:
    limit = solve("income_tax")
    gaps = [abs(solve("income_tax", followers=n)["t_star"] - limit["t_star"]) for n in (100, 10_000, 1_000_000)]
    assert gaps[0] > 10 * gaps[1] > 100 * gaps[2]
    assert limit["t_star"] == pytest.approx((1 - limit["gbar"]) / (1 - limit["gbar"] + 0.5), abs=1e-14)


def test_rewards_follow_the_formulas_and_the_rebate_is_the_tax() -> None:
    game, random = envs.make("income_tax", games=2, followers=3, epsilon=0.4), np.random.default_rng(0)
    seen, (e, om) = game.reset(0), population(3)
    t, h = random.uniform(0, 0.9, (2, 1)), random.uniform(0.1, 1, (2, 3, 1))
    step = game.step(t, h)
    np.testing.assert_allclose(seen.follower[1, :, 0], e)
    assert sum(om) == pytest.approx(3)
    assert om[0] / om[2] == pytest.approx(e[2] / e[0])
    for b in range(2):
        z = [e[i] * h[b, i, 0] for i in range(3)]
        c = [(1 - t[b, 0]) * z[i] + t[b, 0] * sum(z) / 3 for i in range(3)]
        assert sum(c) == pytest.approx(sum(z))
        u = [c[i] - h[b, i, 0] ** 3.5 / 3.5 for i in range(3)]
        assert step.follower_reward[b] == pytest.approx(u)
        assert step.leader_reward[b] == pytest.approx(sum(om[i] * u[i] for i in range(3)) / 3)
        assert step.indicators["revenue"][b] == pytest.approx(t[b, 0] * sum(z) / 3)


def test_the_box_leaves_the_ablest_a_margin() -> None:
    for followers, epsilon in ((2, 0.2), (100, 0.5), (5000, 1.0)):
        game = IncomeTax(followers=followers, epsilon=epsilon)
        assert game.follower_action_space.high[0] >= 1.4 * population(followers)[0].max() ** epsilon
        assert math.isfinite(game.follower_action_space.high[0])
