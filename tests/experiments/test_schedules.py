"""`smfg schedule`: what is drawn is what the schedules say."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from envs import InvalidSetting
from envs.economy.taxation import us_federal_2022
from experiments.commands.main import app
from rllib_smfg.economics import tax_schedules
from rllib_smfg.economics.tax_schedules import ASSETS, INCOMES, drawn


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tax_schedules, "FOLLOWERS", 30)


def test_the_us_federal_tax_is_its_brackets() -> None:
    found = drawn("us_federal", "planning", 3, seed=1)
    tax = us_federal_2022().tax(INCOMES[None])[0]
    np.testing.assert_allclose(found.average, tax / INCOMES, rtol=1e-9)
    assert not found.on_assets.any()


def test_an_announced_schedule_is_scaled_by_mean_income() -> None:
    """Under the US system marginal rates are 1 - (1 - tau) (y / z)^(-xi): their log is straight in that of income."""
    found = drawn("us_system", "planning", 3, seed=1)
    slope = np.polyfit(np.log(INCOMES), np.log(1 - found.marginal), 1)[0]
    assert slope == pytest.approx(-0.181, abs=0.002)
    assert np.abs(found.on_assets).max() < 1e-3
    assert found.on_assets.shape == ASSETS.shape
    assert found.economy["spending_to_gdp"] == pytest.approx(0.19)
    assert 0.0 < found.economy["interest_rate"] < 0.1


def test_a_year_that_no_game_reaches_is_refused() -> None:
    with pytest.raises(InvalidSetting, match="no game lives"):
        drawn("free_market", "random", 60, seed=1)


def test_the_command_draws_and_writes(tmp_path: Path) -> None:
    image, file = tmp_path / "a.png", tmp_path / "a.json"
    names = ["schedule", "us_system", "us_federal", "--year", "2"]
    result = CliRunner().invoke(app, [*names, "--image", str(image), "--json", str(file)])
    assert result.exit_code == 0, result.output
    assert image.stat().st_size > 1000
    assert set(json.loads(file.read_text(encoding="utf-8"))["governments"]) == {"us_system", "us_federal"}
