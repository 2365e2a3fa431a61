"""Published figures beside ours."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

import rllib_smfg.economics.published as published
from envs import InvalidSetting, make
from envs.economy.presets import BOAR_MIDRIGAN
from experiments.commands.main import app
from rllib_smfg.economics.published import Figure, run, sources_of
from rllib_smfg.economics.published_boar_midrigan import TAU, WEALTH_TO_INCOME, XI, BoarMidriganState, best, here, there


@pytest.fixture(scope="module")
def economy() -> BoarMidriganState:
    return BoarMidriganState.before(states=5, points=70)


def test_their_stationary_state_is_the_presets_first_year(economy: BoarMidriganState) -> None:
    start, p = economy.steady.start, BOAR_MIDRIGAN
    assert economy.wealth_to_income == pytest.approx(WEALTH_TO_INCOME, abs=0.3)
    owned = float((start.share * economy.setting.household.assets).sum())
    assert (owned - start.debt) / start.gdp == pytest.approx(p.capital_to_gdp, rel=0.03)
    labour = (1 - p.capital_share) * start.gdp / start.wage / p.maximal_hours
    assert labour == pytest.approx(p.initial_labour_share, rel=0.03)
    assert economy.steady.actions[4] == pytest.approx(p.usual_spending_share, abs=0.01)
    assert start.debt / start.gdp == pytest.approx(1.0)


def test_nothing_changes_where_nothing_is_reformed_and_their_reform_gains(economy: BoarMidriganState) -> None:
    before = economy.reform(economy.steady.actions[:4], years=60)
    assert np.ptp(before.interest_rate) < 1e-5
    np.testing.assert_allclose(before.actions[:, 5], economy.steady.actions[5], atol=1e-5)
    taxes = np.array([here(0.56, 0.065, economy.income), 0.065, here(-0.002, 0.0017, economy.wealth), 0.0017])
    found = economy.reform(taxes, years=60)
    np.testing.assert_allclose(found.debt, found.debt[0])
    np.testing.assert_allclose(found.spending, before.spending, rtol=1e-5)
    assert found.equivalent(before) > 0.05
    assert (found.transfers / found.gdp).min() > (before.transfers / before.gdp).max()
    shared = replace(economy, purchases="share").reform(taxes, years=60)
    np.testing.assert_allclose(shared.spending / shared.gdp, before.spending[0] / before.gdp[0], rtol=1e-5)
    assert shared.spending[-1] < 0.99 * found.spending[-1]  # as GDP falls, so does what the government buys


@pytest.mark.slow
def test_a_flat_tax_beside_a_transfer_is_searched_for(economy: BoarMidriganState) -> None:
    taxes, gain = best(economy, [0], np.array([0.5, 0.05, 0.002, 0.001]), years=60)
    assert 0.4 < taxes[0] < 0.65
    assert list(taxes[1:]) == [0.0, 0.0, 0.0]
    assert gain > 0.06


def test_units_of_schedules() -> None:
    assert there(here(TAU, XI, 1.4), XI, 1.4) == pytest.approx(TAU)
    assert here(0.3, 0.0, 7.0) == pytest.approx(0.3)
    # what is kept of a dollar at the mean is the same told either way
    assert 1 - here(0.3, 0.1, 2.0) == pytest.approx(0.7 * 2.0**-0.1)


def test_the_preset_plays() -> None:
    game = make("economy", preset="boar_midrigan", instruments=["transfer"], games=2, followers=50)
    seen = game.reset(0)
    leader = np.tile(np.array([[0.3, 0.05, 0.001, 0.0001, 0.075, 0.2]]), (2, 1))
    for _ in range(3):
        step = game.step(leader, np.tile(np.array([0.9, 0.5]), (2, 50, 1)))
        assert np.isfinite(step.follower_reward).all()
    assert seen.follower.shape == (2, 50, 6)


def test_what_is_missed_is_said_with_its_reason(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    right = Figure("A", "x", 1.0, 1.05, 0.1)
    wrong = replace(right, ours=1.2, why="their grid is coarse")
    monkeypatch.setattr(published, "SOURCES", {"a": lambda: iter([right, wrong])})
    console = Console(record=True, width=200)
    assert run(console, ["a"], tmp_path / "x.json") == 1
    text = console.export_text()
    assert "1 of 2 within tolerance" in text
    assert "why: their grid is coarse" in text
    assert "not computed: Heathcote" in text
    kept = json.loads((tmp_path / "x.json").read_text())
    assert [each["passed"] for each in kept["figures"]] == [True, False]
    monkeypatch.setattr(published, "SOURCES", {"a": lambda: iter([right])})
    assert run(Console(quiet=True), ["a"], None) == 0


def test_names_and_options_without_effect_are_refused() -> None:
    assert sources_of([], {"--seeds": None}) == ["aiyagari", "krusell_smith", "boar_midrigan"]
    with pytest.raises(InvalidSetting, match="did you mean 'aiyagari'"):
        sources_of(["aiyagri"], {})
    with pytest.raises(InvalidSetting, match="--seeds: says nothing with --published"):
        sources_of([], {"--seeds": 3})


def test_the_command_prints_aiyagaris_rates(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr(published, "RATES", {(0.2, 0.6, 3.0): (3.8767, 0.05)})
    assert app(["verify", "aiyagari", "--published"], standalone_mode=False) == 0
    assert "1 of 1 within tolerance" in capsys.readouterr().out
