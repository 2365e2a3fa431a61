"""Statistics over training seeds, against what can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rllib_smfg.statistics.seeds import iqm, iqm_curve, iqm_over_settings, probability_of_improvement


def test_the_inter_quartile_mean_drops_the_outer_quarters() -> None:
    found = iqm([100.0, 1.0, 2.0, 3.0, 4.0, -100.0, 2.0, 3.0])
    assert found.value == 2.5
    assert found.seeds == 8
    assert found.low <= found.value <= found.high


def test_equal_seeds_leave_no_doubt() -> None:
    found = iqm([3.0] * 5)
    assert (found.value, found.low, found.high) == (3.0, 3.0, 3.0)


def test_the_interval_covers_as_often_as_it_says() -> None:
    random, covered = np.random.default_rng(0), 0
    for _ in range(100):
        found = iqm(random.normal(5.0, 1.0, 20))
        covered += found.low <= 5.0 <= found.high
    assert 85 <= covered <= 100


def test_seeds_are_never_drawn_across_settings() -> None:
    """Each setting's seeds agree, so drawing within settings cannot move the mean; drawing across them would."""
    found = iqm_over_settings([[0.0] * 4, [10.0] * 4])
    assert (found.value, found.low, found.high) == (5.0, 5.0, 5.0)


def test_probability_of_improvement_counts_pairs_and_halves_ties() -> None:
    assert probability_of_improvement([1.0, 2.0], [0.0, 1.0]).value == pytest.approx((1 + 0.5 + 1 + 1) / 4)
    certain = probability_of_improvement([2.0, 3.0], [0.0, 1.0])
    assert (certain.value, certain.low, certain.high) == (1.0, 1.0, 1.0)
    assert probability_of_improvement([1.0, 5.0, 2.0], [3.0, 4.0]).value == pytest.approx(2 / 6)


def test_a_curve_is_the_mean_of_its_middle_seeds_at_every_point() -> None:
    curves = np.array([[0.0, 10.0], [1.0, 20.0], [2.0, 30.0], [9.0, 90.0]])
    middle, low, high = iqm_curve(curves)
    assert middle.tolist() == [1.5, 25.0]
    assert (low <= middle).all()
    assert (middle <= high).all()
