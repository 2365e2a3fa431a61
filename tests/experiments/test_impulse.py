"""Impulse responses: the same luck with and without a shock, and the arithmetic of what strikes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from envs import InvalidSetting
from experiments.commands.main import app
from rllib_smfg.economics.impulse import BEFORE, MEASURES, ImpulseMeasure, band, effects

SETTINGS = {"name": "economy", "preset": "calibrated", "games": 3, "followers": 20}


@pytest.fixture(scope="module")
def found() -> dict[str, dict[str, np.ndarray]]:
    """Effects of both shocks over five years."""
    shocks = ("financial_crisis", "disaster")
    return {shock: effects("us_system", "planning", SETTINGS, shock, 5, seed=3) for shock in shocks}


def test_nothing_differs_before_the_shock(found: dict[str, dict[str, np.ndarray]]) -> None:
    for each in found.values():
        for measure in MEASURES:
            assert each[measure.indicator].shape[0] == BEFORE + 5
            assert np.array_equal(each[measure.indicator][:BEFORE], np.zeros_like(each[measure.indicator][:BEFORE]))


def test_a_disaster_takes_a_fifth_of_output_at_given_work(found: dict[str, dict[str, np.ndarray]]) -> None:
    """Y = A K^alpha L^(1 - alpha): A falls by 20 %, capital is what it was, hours were chosen before it is known."""
    first = found["disaster"]["per_capita_gdp"][BEFORE]
    assert first == pytest.approx(-20.0, abs=1e-9)
    assert found["disaster"]["wage"][BEFORE] == pytest.approx(-20.0, abs=1e-9)


def test_a_crisis_halves_capital_and_raises_its_price(found: dict[str, dict[str, np.ndarray]]) -> None:
    """Half the capital at the same work: Y falls to .5^alpha, r + delta rises to .5^(alpha - 1)."""
    first = found["financial_crisis"]["per_capita_gdp"][BEFORE]
    assert first == pytest.approx(100 * (0.5**0.38 - 1), abs=1e-9)
    assert (found["financial_crisis"]["interest_rate"][BEFORE] > 1.0).all()


def test_productivity_falls_by_a_hundredth_and_output_with_it() -> None:
    """Capital is what it was, and hours were chosen by households who see the fall."""
    settings = {**SETTINGS, "followers": 60}
    found = effects("us_system", "planning", settings, "productivity", 3, seed=3)
    assert not found["wage"][:BEFORE].any()
    assert found["wage"][BEFORE] == pytest.approx(-1.0, abs=1e-9)
    assert (found["wage"][BEFORE + 1] > -1.0).all()


def test_relative_and_absolute_effects() -> None:
    struck, spared = np.array([[1.0]]), np.array([[2.0]])
    assert ImpulseMeasure("x", "x", True).effect(struck, spared) == pytest.approx(-50.0)
    assert ImpulseMeasure("x", "x", False).effect(struck, spared) == pytest.approx(-100.0)


def test_a_band_is_percentiles_over_economies() -> None:
    assert band(np.arange(101.0)[None, :]).tolist() == [[5.0], [50.0], [95.0]]


def test_economies_that_all_end_are_refused() -> None:
    with pytest.raises(InvalidSetting, match="no economy lives"):
        effects("free_market", "random", SETTINGS, "disaster", 3, seed=1)


def test_the_command_writes_bands_and_a_picture(tmp_path: Path) -> None:
    image, bands = tmp_path / "impulse.png", tmp_path / "impulse.json"
    sizes = ["--economies", "2", "--followers", "60", "--years", "2", "--shock", "disaster"]
    result = CliRunner().invoke(app, ["impulse", *sizes, "--image", str(image), "--json", str(bands)])
    assert result.exit_code == 0, result.output
    assert image.stat().st_size > 1000
    content = json.loads(bands.read_text(encoding="utf-8"))
    assert content["years_after"] == [-2, -1, 0, 1]
    assert len(content["effects"]["disaster"]["wage"][1]) == 4
