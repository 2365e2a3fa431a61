"""Statistics against their definitions in numpy."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.statistics import interquartile_mean, interval, summarise, summarise_all


def quarter_trimmed(x: np.ndarray) -> float:
    cut = len(x) // 4
    return float(np.sort(x)[cut : len(x) - cut].mean())


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8, 13, 32])
def test_the_inter_quartile_mean_leaves_a_quarter_out_at_each_end(n: int) -> None:
    x = np.random.default_rng(n).exponential(size=n)
    assert interquartile_mean(x) == pytest.approx(quarter_trimmed(x), rel=1e-12)


def test_the_interval_is_the_percentile_bootstrap_of_the_mean() -> None:
    x = np.random.default_rng(0).exponential(size=25)
    draws = np.random.default_rng(1).choice(x, size=(40_000, len(x))).mean(axis=1)
    low, high = np.quantile(draws, [0.025, 0.975])
    assert interval(x) == pytest.approx((low, high), rel=0.02)
    assert interval(x) == interval(x)


def test_equal_observations_have_an_interval_of_no_width() -> None:
    assert interval(np.full(7, 300.0)) == (300.0, 300.0)
    assert interval(np.array([3.0])) == (3.0, 3.0)


def test_several_seeds_are_the_observations() -> None:
    seeds = [np.array([1.0, 3.0]), np.array([5.0, 5.0]), np.array([0.0, 20.0])]
    summary = summarise(seeds)
    assert summary.per_seed == [2.0, 5.0, 10.0]
    assert summary.mean == pytest.approx(17 / 3)
    assert summary.iqm == pytest.approx(17 / 3)  # of three observations, a quarter is none
    assert (summary.ci_low, summary.ci_high) == (2.0, 10.0)


def test_of_a_single_seed_the_episodes_are_the_observations() -> None:
    episodes = np.random.default_rng(2).normal(10.0, 2.0, size=40)
    summary = summarise([episodes])
    assert summary.per_seed == [pytest.approx(episodes.mean())]
    assert summary.mean == pytest.approx(episodes.mean())
    assert summary.iqm == pytest.approx(quarter_trimmed(episodes))
    standard_error = episodes.std() / np.sqrt(len(episodes))
    assert summary.ci_low == pytest.approx(episodes.mean() - 1.96 * standard_error, abs=0.2 * standard_error)
    assert summary.ci_high == pytest.approx(episodes.mean() + 1.96 * standard_error, abs=0.2 * standard_error)


def test_every_indicator_is_summed_up() -> None:
    evaluations = [{"a": np.array([1.0]), "b": np.array([2.0])}, {"a": np.array([3.0]), "b": np.array([2.0])}]
    found = summarise_all(evaluations)
    assert {name: summary.mean for name, summary in found.items()} == {"a": 2.0, "b": 2.0}
