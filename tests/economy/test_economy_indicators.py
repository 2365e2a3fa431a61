"""Ginis, Lorenz curves, group means and the government's rewards against their definitions."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from economies import random_year
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from envs.economy.indicators import Groups, gini, group_means, group_means_by_rank, lorenz_curve, weighted_gini
from envs.economy.observation import observe
from envs.economy.presets import PAPER, PRESETS

amounts = arrays(np.float64, st.tuples(st.integers(1, 3), st.integers(1, 30)), elements=st.floats(1, 1e9))
# few different numbers, so that there are ties
tied = arrays(np.float64, st.tuples(st.integers(1, 3), st.integers(2, 30)), elements=st.sampled_from([1.0, 2.0, 3.0]))


def gini_by_definition(x: np.ndarray) -> float:
    """Half the mean absolute difference between two households, over the mean."""
    return np.abs(x[:, None] - x[None, :]).mean() / 2 / x.mean()


@given(x=amounts)
def test_gini_is_half_the_relative_mean_difference(x: np.ndarray) -> None:
    expected = [[gini_by_definition(row)] for row in x]
    np.testing.assert_allclose(gini(x), expected, atol=1e-12)
    np.testing.assert_allclose(gini(x, 1e-7), [[gini_by_definition(row + 1e-7)] for row in x], atol=1e-12)


@given(x=amounts)
def test_gini_is_the_trapezoid_rule_on_the_lorenz_curve(x: np.ndarray) -> None:
    for row in x:
        held = np.concatenate([[0], np.cumsum(np.sort(row))]) / row.sum()
        area = np.trapezoid(held, np.linspace(0, 1, row.size + 1))
        assert gini(row[None])[0, 0] == pytest.approx(1 - 2 * area, abs=1e-12)
        assert weighted_gini(row, np.ones(row.size)) == pytest.approx(1 - 2 * area, abs=1e-12)


def test_gini_of_equals_is_0_and_of_one_owner_nearly_1() -> None:
    assert gini(np.full((1, 50), 3.0))[0, 0] == 0
    assert gini(np.eye(1, 50))[0, 0] == pytest.approx(49 / 50)
    assert gini(np.zeros((1, 50)), 1e-7)[0, 0] == 0


def test_a_weight_of_two_is_a_household_twice() -> None:
    x, weight = np.array([1.0, 5.0, 9.0]), np.array([1.0, 2.0, 3.0])
    assert weighted_gini(x, weight) == pytest.approx(gini_by_definition(np.repeat(x, [1, 2, 3])))


def test_lorenz_curve() -> None:
    population, held = lorenz_curve(np.array([[1.0, 3.0, 6.0, 0.0], [2.0, 2.0, 2.0, 2.0]]), points=5)
    np.testing.assert_allclose(population, [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(held, [[0, 0, 0.1, 0.4, 1], [0, 0.25, 0.5, 0.75, 1]])


def groups_by_definition(ranked_by: np.ndarray) -> tuple[list[int], list[int]]:
    """Ranks fall; equal ranks keep their order; the top 10 %, and those after the first half."""
    order = sorted(range(len(ranked_by)), key=lambda i: ranked_by[i], reverse=True)
    return order[: max(1, int(0.1 * len(order)))], order[int(0.5 * len(order)) :]


@given(x=st.one_of(amounts, tied), seed=st.integers(0, 1000))
@settings(max_examples=200)
def test_group_means_with_ties_by_order(x: np.ndarray, seed: int) -> None:
    other = np.random.default_rng(seed).random(x.shape)
    groups = Groups.of(x.shape[1], 0.1, 0.5)
    means = group_means(groups, np.sort(x)), group_means_by_rank(groups, other, x, np.sort(x))
    for values, (top, bottom) in zip((x, other), means, strict=True):
        for b, row in enumerate(x):
            best, worst = groups_by_definition(row)
            assert top[b, 0] == pytest.approx(values[b, best].mean(), rel=1e-12)
            assert bottom[b, 0] == pytest.approx(values[b, worst].mean(), rel=1e-12)


@pytest.mark.parametrize("preset", ["paper", "taxai"])
def test_what_the_two_sides_observe(preset: str) -> None:
    year = random_year(11, games=3, households=25, preset=preset)
    _, state = year.advance()
    seen = observe(PRESETS[preset], state)
    for b in range(3):
        wealthy, poor = groups_by_definition(state.assets[b])
        earning, idle = groups_by_definition(state.income[b])
        expected = [
            *(state.assets[b, wealthy].mean(), state.income[b, earning].mean(), state.ability[b, earning].mean()),
            *(state.assets[b, poor].mean(), state.income[b, idle].mean(), state.ability[b, idle].mean()),
            *([state.wage[b, 0]] if preset == "taxai" else []),
        ]
        np.testing.assert_allclose(seen.leader[b], expected, rtol=1e-12)
    np.testing.assert_array_equal(seen.follower, np.stack([state.ability, state.assets], axis=-1))


@pytest.mark.parametrize("preset", ["paper", "taxai"])
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_the_governments_rewards_are_their_formulas(preset: str, seed: int) -> None:
    weight = 2.5
    parameters = replace(PRESETS[preset], inequality_weight=weight)
    flows, following = random_year(seed, games=2, households=30, preset=preset).advance()

    def g(x: np.ndarray) -> np.ndarray:
        return np.array([gini_by_definition(row + parameters.gini_shift) for row in x])

    wealth = flows.post_assets if preset == "paper" else following.assets
    product = g(wealth) * g(flows.post_income)
    growth = (flows.gdp / flows.previous_gdp - 1)[:, 0]
    cuts = (1 - g(flows.post_assets) / g(flows.assets)) + (1 - g(flows.post_income) / g(flows.income))
    expected = {
        "gdp": 100 * (following.capital / flows.capital - 1)[:, 0] if preset == "paper" else growth,
        "gini": 100 * cuts if preset == "paper" else -product,
        "social_welfare": flows.reward.sum(axis=-1),
        "gdp_gini": growth - weight * product,
    }
    tasks = parameters.laws.tasks
    assert set(tasks) == set(expected)
    for name, reward in expected.items():
        # ginis are differences of numbers of order one
        np.testing.assert_allclose(tasks[name].reward(parameters, flows)[:, 0], reward, rtol=1e-9, atol=1e-9)


def test_measuring_raises_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gini(np.ones((2, 3)), PAPER.gini_shift)
        lorenz_curve(np.ones((2, 3)))
