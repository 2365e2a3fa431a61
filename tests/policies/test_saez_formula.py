"""The pure functions of the Saez tax against closed forms: Pareto incomes, known elasticities, brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from policies.saez_formula import (
    BINS,
    CUTOFFS,
    binned_rates,
    bracket_rates,
    elasticity_estimate,
    optimal_rates,
    pareto_parameter,
    welfare_weight_above,
    welfare_weights,
)

MIDDLES = 4e6 * (np.arange(BINS) + 0.5) / BINS
LOWEST = 400_000.0  # bins before the eleventh hold none of the Pareto incomes
FIRST = 10


def pareto_incomes(shape: float, n: int = 1_000_000) -> np.ndarray:
    """Quantiles of a Pareto distribution from LOWEST."""
    return LOWEST * (1 - (np.arange(n) + 0.5) / n) ** (-1 / shape)


# --- the formula's parts ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("shape", [1.5, 2.0, 3.0])
def test_the_pareto_parameter_of_pareto_incomes_is_their_shape_everywhere(shape: float) -> None:
    alpha = pareto_parameter(pareto_incomes(shape))
    assert (alpha[:FIRST] == 0).all()
    np.testing.assert_allclose(alpha[FIRST:-1], shape, rtol=0.04)
    # of a million quantiles the tail beyond the last is missing
    assert alpha[-1] == pytest.approx(shape, rel=0.02)


@pytest.mark.parametrize("shape", [1.5, 2.0, 3.0])
def test_welfare_weights_of_pareto_incomes_fall_as_one_over_income(shape: float) -> None:
    # E[1/z | z > Z] = a / ((a + 1) Z), so relative to the mean weight of all, G(Z) = lowest / Z
    weight = welfare_weight_above(pareto_incomes(shape))
    np.testing.assert_allclose(weight[FIRST:-1], LOWEST / MIDDLES[FIRST:], rtol=0.02)
    assert weight[-1] == pytest.approx(LOWEST / 4e6, rel=0.01)
    np.testing.assert_allclose(weight[:FIRST], 1.0, rtol=1e-12)


@pytest.mark.parametrize(("shape", "elasticity"), [(1.5, 0.25), (2.0, 1.0), (3.0, 0.5)])
def test_top_rate_of_pareto_incomes_is_the_asymptotic_rate(shape: float, elasticity: float) -> None:
    weight = LOWEST / 4e6
    asymptotic = (1 - weight) / (1 - weight + shape * elasticity)
    assert bracket_rates(pareto_incomes(shape), elasticity)[-1] == pytest.approx(asymptotic, rel=0.01)


@pytest.mark.parametrize(("shape", "elasticity"), [(1.5, 0.25), (2.0, 1.0), (3.0, 0.5)])
def test_brackets_are_means_of_the_continuous_schedule(shape: float, elasticity: float) -> None:
    gain = 1 - LOWEST / MIDDLES
    exact = gain / (gain + shape * elasticity)
    exact[:FIRST] = exact[FIRST]  # nobody earns so little
    brackets = bracket_rates(pareto_incomes(shape), elasticity)
    exact = exact.reshape(4, -1).mean(-1)
    # the lowest bracket holds bins that are wide against their incomes
    np.testing.assert_allclose(brackets[0], exact[0], rtol=0.03)
    np.testing.assert_allclose(brackets[1:4], exact[1:], rtol=1e-3)


def test_optimal_rates_follow_saez() -> None:
    rates = optimal_rates(np.array([0.25, 0.5, 1.0]), np.array([2.0, 1.5, 2.0]), 0.4)
    np.testing.assert_allclose(rates, [0.75 / (0.75 + 0.8), 0.5 / (0.5 + 0.6), 0.0], rtol=1e-14)


def test_without_behaviour_everything_above_the_poorest_is_taxed_and_a_common_bracket_is_not() -> None:
    assert optimal_rates(np.array([0.5]), np.array([2.0]), 0.0) == pytest.approx([1.0])
    # everybody in the top bin: there is nobody to give to, whatever rounding says of G
    random = np.random.default_rng(0)
    assert not any(bracket_rates(random.uniform(5e6, 9e8, 500), 0.0).any() for _ in range(20))


def test_the_poor_weigh_more_and_incomes_below_a_dollar_weigh_one() -> None:
    np.testing.assert_array_equal(welfare_weights(np.array([0.0, 0.5, 1.0, 4.0])), [1, 1, 1, 0.25])


def test_parts_agree_with_brute_force_over_incomes() -> None:
    incomes = np.random.default_rng(0).lognormal(13.5, 1.2, 500)
    weights, width = 1 / np.maximum(1, incomes), 4e6 / BINS
    own = np.minimum(incomes // width, BINS).astype(int)
    for k in (0, 7, 31, BINS):
        # incomes of the bin itself lie half above its middle; the top bin has no middle
        above = np.where(own > k, 1.0, np.where(own == k, 1.0 if k == BINS else 0.5, 0.0))
        expected = (above * weights).sum() / above.sum() / weights.mean()
        assert welfare_weight_above(incomes)[k] == pytest.approx(expected, rel=1e-12)
        if k < BINS:
            density = (own == k).mean() / width
            alpha = (k + 0.5) * width * density / (above.sum() / 500)
            assert pareto_parameter(incomes)[k] == pytest.approx(alpha, rel=1e-12)
    top = incomes[incomes >= 4e6]
    assert pareto_parameter(incomes)[BINS] == pytest.approx(top.mean() / (top.mean() - 4e6), rel=1e-12)


def test_empty_bins_lie_on_the_line_between_occupied_ones() -> None:
    incomes = np.concatenate([np.full(300, 50_000.0), np.full(100, 130_000.0), np.full(50, 330_000.0)])
    rates = binned_rates(incomes, 0.5)  # bins 1, 3 and 8
    assert rates[2] == pytest.approx((rates[1] + rates[3]) / 2, rel=1e-12)
    assert rates[5] == pytest.approx(rates[3] + 2 / 5 * (rates[8] - rates[3]), rel=1e-12)
    assert rates[0] == rates[1]
    assert (rates[8:] == rates[8]).all()
    assert rates[8] != rates[3]


@settings(max_examples=50, deadline=None)
@given(arrays(np.float64, 60, elements=st.floats(0, 1e9)), st.floats(0, 5))
def test_rates_are_rates_for_any_incomes(incomes: np.ndarray, elasticity: float) -> None:
    rates = bracket_rates(incomes, elasticity)
    assert rates.shape == CUTOFFS.shape
    assert ((rates >= 0) & (rates <= 1)).all()


def test_rates_fall_as_incomes_react_more() -> None:
    incomes = pareto_incomes(2.0, 10_000)
    assert (bracket_rates(incomes, 1.0) < bracket_rates(incomes, 0.2)).all()


# --- elasticity ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("elasticity", [0.1, 0.5, 1.0, 2.5])
def test_elasticity_is_recovered_exactly_without_noise(elasticity: float) -> None:
    rates = np.random.default_rng(1).uniform(0, 0.9, 500)
    assert elasticity_estimate(3e5 * (1 - rates) ** elasticity, rates) == pytest.approx(elasticity, rel=1e-10)


def test_elasticity_is_recovered_within_its_standard_error_from_noisy_incomes() -> None:
    random, n, spread = np.random.default_rng(2), 20_000, 0.8
    rates = random.uniform(0, 0.9, n)
    estimate = elasticity_estimate(3e5 * (1 - rates) ** 0.7 * random.lognormal(0, spread, n), rates)
    assert estimate is not None
    assert abs(estimate - 0.7) < 4 * spread / (np.log(1 - rates).std() * np.sqrt(n))


def test_elasticity_is_the_least_squares_slope() -> None:
    random = np.random.default_rng(3)
    rates, incomes = random.choice([0.1, 0.4, 0.7], 200), random.lognormal(11, 1, 200)
    slope = np.polyfit(np.log(1 - rates), np.log(incomes), 1)[0]
    estimate = elasticity_estimate(incomes, rates)
    assert estimate == pytest.approx(max(slope, 0.0), rel=1e-9, abs=1e-12)


def test_elasticity_is_never_negative() -> None:
    rates = np.linspace(0, 0.9, 50)
    assert elasticity_estimate(1e5 / (1 - rates), rates) == 0.0


def test_pairs_without_a_logarithm_are_left_out() -> None:
    rates = np.linspace(0, 0.9, 50)
    incomes = 1e5 * (1 - rates) ** 0.5
    more_rates, more_incomes = np.append(rates, [1.0, 0.3]), np.append(incomes, [5e5, 0.0])
    assert elasticity_estimate(more_incomes, more_rates) == pytest.approx(0.5, rel=1e-10)


def test_rates_that_do_not_differ_teach_nothing() -> None:
    assert elasticity_estimate(np.geomspace(1e4, 1e6, 50), np.full(50, 0.3)) is None
    assert elasticity_estimate(np.array([1e5, 2e5]), np.array([1.0, 1.0])) is None
