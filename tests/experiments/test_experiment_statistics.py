"""Statistics against their definitions in numpy."""

from __future__ import annotations

import io

import numpy as np
import pytest
from rich.console import Console

from experiments.results.tables import between, indicator_table, number, span
from rllib_smfg.statistics.summaries import interquartile_mean, interval, summarise, summarise_all


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


def test_each_statistic_has_an_interval_of_its_own() -> None:
    """FAULTS.md A8: an inter-quartile mean of 1.28e5 stood beside the mean's interval, 1.03e9 to 7.18e9."""
    episodes = np.concatenate([np.full(28, 1.28e5) + np.arange(28), [1e10, 4e10, 2e10, 6e10]])
    summary = summarise([episodes])
    assert summary.ci_low <= summary.mean <= summary.ci_high
    assert summary.iqm_low <= summary.iqm <= summary.iqm_high < summary.ci_low
    draws = np.random.default_rng(1).choice(episodes, size=(40_000, 32))
    low, high = np.quantile(np.sort(draws)[:, 8:-8].mean(1), [0.025, 0.975])
    assert (summary.iqm_low, summary.iqm_high) == pytest.approx((low, high), rel=0.001)
    screen = io.StringIO()
    Console(file=screen, width=120).print(indicator_table({"x": summary}))
    line = next(line for line in screen.getvalue().splitlines() if " x " in line)
    cells = [cell.strip() for cell in line.strip("│").split("│")]
    told = [cells[1], cells[2], cells[3], cells[4]]
    assert told == [
        number(summary.mean),
        span(summary),
        number(summary.iqm),
        between(summary.iqm_low, summary.iqm_high),
    ]


def test_what_is_not_defined_is_left_out_and_said() -> None:
    found = summarise([np.array([1.0, np.nan, 3.0])])
    assert (found.mean, found.per_seed) == (2.0, [2.0])
    nothing = summarise([np.array([np.nan, np.nan])])
    assert np.isnan(nothing.mean)
    assert number(nothing.mean) == "not defined"
    assert span(nothing) == ""
