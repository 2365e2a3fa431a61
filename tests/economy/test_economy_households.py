"""Utility, and how ability moves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from envs.economy.ability import AbilityDraws, next_ability
from envs.economy.households import utility
from envs.economy.presets import PAPER

CONSUMPTION = np.array([[1e-3, 50.0, 1000.0, 4e4, 1e9]])
LABOUR = np.array([[0.001, 0.2, 0.5, 0.7, 0.99]])


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def test_utility_is_logarithmic_in_thousands_of_dollars() -> None:
    expected = sigmoid(np.log(CONSUMPTION / 1000) - 10 * LABOUR**3 / 3)
    np.testing.assert_allclose(utility(PAPER, CONSUMPTION, LABOUR), expected, rtol=1e-12)


@pytest.mark.parametrize(("theta", "gamma"), [(0.5, 2.0), (2.0, 2.0), (3.0, 1.0), (0.0, 0.5)])
def test_utility_with_other_curvatures(theta: float, gamma: float) -> None:
    parameters = replace(PAPER, crra=theta, inverse_frisch=gamma)
    with np.errstate(over="ignore"):
        expected = sigmoid(CONSUMPTION ** (1 - theta) / (1 - theta) - 10 * LABOUR ** (1 + gamma) / (1 + gamma))
        np.testing.assert_allclose(utility(parameters, CONSUMPTION, LABOUR), expected, rtol=1e-12)


def draws(uniform: float | np.ndarray, shape: tuple[int, int] = (2, 5), normal: float = 0.0) -> AbilityDraws:
    return AbilityDraws(np.full(shape, normal), np.broadcast_to(uniform, shape).astype(float))


ABILITY = np.array([[1.0, 2.0, 4.0, 8.0, 3000.0], [5.0, 6.0, 7.0, 8.0, 9.0]])
STARS = np.array([[False] * 4 + [True], [False] * 5])


def test_normal_ability_is_autoregressive_in_logs() -> None:
    rng = np.random.default_rng(1)
    shock = AbilityDraws(rng.standard_normal((2, 5)), np.full((2, 5), 0.5))
    following, stars = next_ability(PAPER, ABILITY, np.zeros((2, 5), dtype=bool), shock)
    np.testing.assert_allclose(np.log(following), 0.982 * np.log(ABILITY) + 0.2 * shock.normal, rtol=1e-12)
    assert not stars.any()


def test_a_household_rises_to_a_multiple_of_the_mean_of_the_normal() -> None:
    uniform = np.full((2, 5), 0.5)
    uniform[0, 1] = 2.1e-6
    following, stars = next_ability(PAPER, ABILITY, STARS, draws(uniform))
    assert stars.tolist() == [[False, True, False, False, True], [False] * 5]
    # the mean of those who were normal before the draw, the one who rises included; the superstar stays at it too
    assert following[0, [1, 4]] == pytest.approx(504.3 * (1 + 2 + 4 + 8) / 4)
    np.testing.assert_allclose(following[1], ABILITY[1] ** 0.982)


def test_nobody_rises_at_the_entry_probability_itself() -> None:
    _, stars = next_ability(PAPER, ABILITY, np.zeros((2, 5), dtype=bool), draws(2.2e-6))
    assert not stars.any()


@pytest.mark.parametrize(("uniform", "expected"), [(0.99, 1.0), (0.995, 4.5), (1 - 1e-12, 8.0)])
def test_a_superstar_falls_uniformly_among_the_normal(uniform: float, expected: float) -> None:
    following, stars = next_ability(PAPER, ABILITY, STARS, draws(uniform))
    assert not stars.any()
    assert following[0, 4] == pytest.approx(expected)
    np.testing.assert_allclose(following[0, :4], ABILITY[0, :4] ** 0.982)


def test_superstars_enter_and_stay_as_often_as_they_should() -> None:
    parameters = replace(PAPER, superstar_entry=0.01)
    rng = np.random.default_rng(2)
    ability, stars = np.full((1, 20_000), 10.0), np.zeros((1, 20_000), dtype=bool)
    was, entered, stayed, normal = stars, 0, 0, 0
    for _ in range(100):
        ability, stars = next_ability(parameters, ability, was, AbilityDraws.sample(rng, 1, 20_000))
        entered, stayed, normal = entered + (stars & ~was).sum(), stayed + (stars & was).sum(), normal + (~was).sum()
        was = stars
    total = 100 * 20_000 - normal
    assert entered / normal == pytest.approx(0.01, rel=0.05)
    assert stayed / total == pytest.approx(0.99, abs=0.002)
    share_shining = ability[stars]
    assert np.all(share_shining == share_shining[0])


def test_an_economy_of_superstars_alone_goes_on() -> None:
    everyone = np.ones((1, 3), dtype=bool)
    staying, stars = next_ability(PAPER, np.full((1, 3), 504.3), everyone, draws(0.5, (1, 3)))
    assert stars.all()
    np.testing.assert_allclose(staying, 504.3)
    falling, stars = next_ability(PAPER, np.full((1, 3), 504.3), everyone, draws(0.995, (1, 3)))
    assert not stars.any()
    np.testing.assert_allclose(falling, 1.0)


def test_ability_in_float32_meets_the_same_luck() -> None:
    shock = AbilityDraws.sample(np.random.default_rng(3), 2, 5)
    exact, _ = next_ability(PAPER, ABILITY, STARS, shock)
    single, _ = next_ability(PAPER, ABILITY.astype(np.float32), STARS, shock)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, exact, rtol=1e-5)
