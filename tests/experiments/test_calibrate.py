"""`smfg calibrate`: the calibrated economy against data, and the US-like behaviour it is played with."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from envs import InvalidSetting, make
from envs.economy.calibration import Benchmark, benchmark, first_prices
from envs.economy.household_problem import euler_errors
from envs.economy.presets import CALIBRATED
from experiments.commands.main import app
from experiments.studies import calibrate
from policies import registry
from policies.planned_household import PlannedHousehold
from policies.us_system import US_LEVEL, USSystem
from rllib_smfg.economics import calibration


@pytest.fixture(scope="module")
def settled() -> Benchmark:
    return benchmark(CALIBRATED)


def test_the_long_run_is_within_ten_percent_of_its_targets(settled: Benchmark) -> None:
    for what, value in calibration.long_run_moments(settled).items():
        assert value == pytest.approx(calibration.TARGETS[what].value, rel=calibration.TOLERANCE), what
    assert settled.level == pytest.approx(US_LEVEL, abs=0.002)


def test_households_of_the_long_run_optimise_and_the_budget_balances(settled: Benchmark) -> None:
    errors, free = euler_errors(settled.household, settled.conditions, settled.plan)
    assert errors[free].mean() < 0.01
    share, plan, p = settled.long_run.share, settled.plan, CALIBRATED
    revenue = (share * (plan.income - settled.conditions.income_tax.kept(plan.income))).sum()
    revenue += p.consumption_tax * (share * plan.consumption).sum()
    needed = (p.usual_spending_share + first_prices(p)[1] * p.debt_to_gdp) * settled.moments["gdp"]
    assert revenue == pytest.approx(needed, rel=0.005)
    assert (settled.household.ability * share.sum(axis=1)).sum() == pytest.approx(1.0, abs=1e-6)


def test_planned_households_do_what_the_plan_says(settled: Benchmark) -> None:
    h, plan = settled.household, settled.plan
    states = np.array([[[h.ability[s], h.assets[a], 50.0, 0.04] for s in (0, 4, 9) for a in (0, 30, 90)]])
    acted = PlannedHousehold(settled).act(states, np.zeros((1, 5)))[0]
    for k, (s, a) in enumerate((s, a) for s in (0, 4, 9) for a in (0, 30, 90)):
        cash = settled.conditions.income_tax.kept(plan.income[s, a]) + h.assets[a]
        assert (1 - acted[k, 0]) * cash / 1.065 == pytest.approx(plan.consumption[s, a], rel=1e-9)
        assert acted[k, 1] == pytest.approx(plan.labour[s, a])


def test_the_us_system_answers_debt_and_stays_within_bounds() -> None:
    game = make("economy", preset="calibrated", games=3, followers=10)
    seen = np.tile(game.reset(0).leader[:1], (3, 1))
    seen[:, 9] = [0.97, 1.97, 40.0]
    acted = USSystem(game).act(seen)
    np.testing.assert_allclose(acted[0, [0, 1, 4]], [US_LEVEL, 0.181, 0.19])
    assert 0.86 * (acted[1, 0] - acted[0, 0]) == pytest.approx(0.054)
    assert acted[2, 0] == pytest.approx(game.leader_action_space.high[0])
    assert all(game.leader_action_space.contains(action) for action in acted)
    assert isinstance(registry.leader("us_system", game), USSystem)
    with pytest.raises(InvalidSetting, match="calibrated"):
        USSystem(make("economy", followers=10))


def test_the_command_prints_and_keeps_the_table(
    tmp_path: Path, settled: Benchmark, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibrate, "benchmark", lambda parameters: settled)
    file = tmp_path / "table.json"
    options = ["--games", "2", "--followers", "100", "--years", "3", "--json", str(file)]
    result = CliRunner().invoke(app, ["calibrate", "--check", *options])
    assert result.exit_code == 0
    table = json.loads(file.read_text())
    assert {row["what"] for row in table["rows"]} == set(calibration.TARGETS)
    for row in table["rows"]:
        far = [when for when in ("start", "end") if abs(row[when] / row["target"] - 1) > 0.1]
        assert row["missed"] == far
        assert (row["what"] in table["missed"]) == bool(far)
        assert row["what"] in result.output
    assert "plan that is best" in table["behaviour"]
