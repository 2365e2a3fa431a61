"""What grows exact with N: the gain found in play, and the indicators of economies that are governed alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from envs.solution import solution
from experiments.studies.convergence import draw
from rllib_smfg.convergence.leader_gain import gains, mean_field_gain, played_gain
from rllib_smfg.convergence.spread import INDICATORS, spread_slope, spreads


def test_the_gain_found_in_play_is_the_exact_one_of_its_own_n() -> None:
    few, many = gains((5, 2000), seed=1)
    for gain in (few, many):
        assert abs(gain.played - gain.exact) < 4 * gain.standard_error
    assert abs(few.played - many.exact) > 4 * few.standard_error  # so that the right N is told from a wrong one
    assert many.standard_error < few.standard_error / 10
    assert abs(many.exact - mean_field_gain()) < abs(few.exact - mean_field_gain()) / 100


def test_a_gain_that_is_not_the_best_is_not_confirmed() -> None:
    """The search does not just return what it is centred on."""
    partial = solution("linear_quadratic", followers=1000, concept="partial")
    played, error = played_gain(partial, games=64, followers=1000, seed=1)
    assert abs(played - partial.values["K"]) > 10 * error


def test_the_spread_between_economies_shrinks_with_the_root_of_n(tmp_path: Path) -> None:
    found = list(spreads("calibrated", (50, 5000), economies=40, years=2, seed=1))
    assert [each.lived for each in found] == [40, 40]
    for name in INDICATORS:
        assert found[1].spread[name] < found[0].spread[name] / 3  # ten times less, were there no chance in it
        assert -0.8 < spread_slope(found, name) < -0.2
    draw(tmp_path / "convergence.png", list(gains((5, 50), seed=1)), mean_field_gain(), found)
    assert (tmp_path / "convergence.png").stat().st_size > 10_000


def test_economies_in_groups_are_different_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rllib_smfg.convergence.spread.AT_ONCE", 100)
    (grouped,) = spreads("calibrated", (50,), economies=4, years=1, seed=1)
    assert grouped.lived == 4
    assert np.isfinite(list(grouped.spread.values())).all()
    assert min(grouped.spread.values()) > 0
