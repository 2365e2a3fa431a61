"""Transitions with perfect foresight."""

import json
from dataclasses import replace

import numpy as np
import pytest

from envs import InvalidSetting, make
from envs.economy.foresight import TransitionSetting, steady_state, survey_start, transition
from envs.economy.presets import CALIBRATED
from experiments.commands.main import app
from policies import registry

YEARS = 120


@pytest.fixture(scope="module")
def setting():
    return TransitionSetting.of(CALIBRATED, states=5, points=80)


@pytest.fixture(scope="module")
def game():
    return make("economy", preset="calibrated", games=1, followers=20_000)


@pytest.fixture(scope="module")
def us(game):
    return registry.leader("us_system", game)


@pytest.fixture(scope="module")
def steady(setting, us):
    return steady_state(setting, us).start


@pytest.fixture(scope="module")
def staying(setting, steady, us):
    return transition(setting, steady, us, years=YEARS)


@pytest.fixture(scope="module")
def reform(game):
    return registry.leader("debt_rule", game, tau=0.332, xi=0.35, debt=-1.0)


def test_a_stationary_state_stays_as_it_is(staying):
    for path in (staying.interest_rate, staying.capital, staying.debt, staying.gdp, staying.actions[:, 0]):
        assert np.ptp(path) < 2e-6 * abs(path[0])
    assert staying.rounds <= 5
    assert staying.equivalent(staying) == 0


def test_markets_clear_and_nothing_is_lost(setting, game, reform):
    seen = game.reset(3).follower[0]
    start = survey_start(setting, seen[:, 0], seen[:, 1])
    found = transition(setting, start, reform, years=YEARS)
    assert np.abs(found.clearing).max() < 1e-6
    assert np.abs(found.goods).max() < 1e-7  # Walras' law: the market that was not looked at
    np.testing.assert_allclose(found.capital + found.debt, found.assets, rtol=1e-12)
    owed = (1 + found.interest_rate) * found.debt + found.spending - found.revenue
    np.testing.assert_allclose(owed[:-1], found.debt[1:], rtol=1e-9, atol=1e-6 * found.gdp[0])
    wage = 0.62 * found.gdp / found.labour
    np.testing.assert_allclose(found.wage, wage, rtol=1e-5)
    assert found.assets[0] / start.gdp == pytest.approx(4.77, abs=1e-3)
    rule = 0.332 + 0.054 / 0.86 * (found.debt[1:] / found.gdp[:-1] + 1)
    np.testing.assert_allclose(found.actions[1:, 0], rule, atol=2e-6)


@pytest.mark.slow
def test_more_years_and_a_finer_grid_change_little(setting, game, us, reform):
    gains = []
    for years, grid in (
        (YEARS, setting),
        (200, setting),
        (YEARS, TransitionSetting.of(CALIBRATED, states=7, points=140)),
    ):
        start = steady_state(grid, us).start
        found = [transition(grid, start, each, years=years) for each in (reform, us)]
        gains.append(100 * found[0].equivalent(found[1]))
    assert gains[0] == pytest.approx(gains[1], abs=0.03)
    assert gains[0] == pytest.approx(gains[2], abs=0.15)
    assert gains[0] == pytest.approx(4.9, abs=0.3)


def test_the_poor_gain_and_the_rich_lose_by_progressivity(setting, steady, staying, reform):
    found = transition(setting, steady, reform, years=YEARS)
    tenths = found.equivalent_by_wealth(staying)
    assert tenths[0] > tenths[5] > tenths[9]
    assert tenths[0] > 0 > tenths[9]
    logs = np.log1p(tenths)
    assert np.expm1(logs.mean()) == pytest.approx(found.equivalent(staying), rel=1e-6)


@pytest.fixture(scope="module")
def giving():
    return make("economy", preset="calibrated", games=1, followers=100, instruments={"transfer": 1.0})


class Constant:
    """A government that always does the same."""

    def __init__(self, *action):
        self.action = np.array([action])

    def act(self, observation):
        return np.tile(self.action, (len(observation), 1))


def test_a_transfer_is_paid_out_of_taxes(setting, steady, giving):
    richer = TransitionSetting(giving.parameters, setting.household)
    same = transition(richer, steady, Constant(0.29, 0.18, 0.0, 0.0, 0.19, 0.0), years=YEARS, closure="tau")
    tax = Constant(0.29, 0.18, 0.0, 0.0, 0.19, 0.1)
    found = transition(richer, steady, tax, years=YEARS, closure="tau", tolerance=1e-7)
    income = found.gdp - 0.06 * found.capital + found.interest_rate * found.debt
    np.testing.assert_allclose(found.transfers[1:], 0.1 * income[:-1], rtol=1e-5)
    needed = found.spending + found.transfers + found.interest_rate * found.debt
    np.testing.assert_allclose(found.revenue, needed, rtol=1e-5)
    assert np.abs(found.goods).max() < 1e-7
    assert found.actions[0, 0] > same.actions[0, 0] + 0.08
    assert found.equivalent_by_wealth(same)[0] > 0.01
    assert same.transfers.max() == 0


def test_a_transfer_that_pays_for_the_rest(setting, giving):
    richer = TransitionSetting(giving.parameters, setting.household)
    start = steady_state(richer, Constant(0.35, 0.1, 0.0, 0.0, 0.19, 0.1), debt_to_gdp=1.0, pays="spending")
    assert start.start.debt / start.start.gdp == pytest.approx(1.0)
    spent = float(start.actions[4])
    staying = Constant(0.35, 0.1, 0.0, 0.0, spent, 0.1)
    path = transition(richer, start.start, staying, years=60, closure="transfer")
    assert path.actions[:, 5] == pytest.approx(0.1, abs=1e-6)
    assert np.ptp(path.interest_rate) < 1e-6
    higher = transition(richer, start.start, Constant(0.4, 0.1, 0.0, 0.0, spent, 0.0), years=60, closure="transfer")
    assert higher.actions[5, 5] > 0.12
    np.testing.assert_allclose(higher.debt, higher.debt[0], rtol=1e-12)


@pytest.mark.parametrize("closure", ["tau", "spending"])
def test_closures_keep_debt_where_it_is(setting, steady, game, closure):
    constant = registry.leader("debt_rule", game, tau=0.29, xi=0.25, response=0.0)
    found = transition(setting, steady, constant, years=YEARS, closure=closure)
    np.testing.assert_allclose(found.debt, found.debt[0], rtol=1e-12)
    needed = found.spending + found.interest_rate * found.debt
    np.testing.assert_allclose(found.revenue, needed, rtol=1e-5)
    moved, kept = (0, 4) if closure == "tau" else (4, 0)
    assert np.ptp(found.actions[:, moved]) > 1e-3
    np.testing.assert_allclose(found.actions[:, kept], found.actions[0, kept])


def test_a_change_that_is_announced_or_passes(setting, steady, staying, us, reform):
    later = transition(setting, steady, reform, years=YEARS, before=us, announced=5)
    assert later.actions[:5, 1] == pytest.approx(0.181)
    assert later.actions[5:, 1] == pytest.approx(0.35)
    assert abs(later.labour[0] / staying.labour[0] - 1) > 1e-3  # households answer before it comes
    passing = transition(setting, steady, reform, years=YEARS, before=us, lasts=3)
    assert passing.actions[3:, 1] == pytest.approx(0.181)
    assert passing.capital[-1] == pytest.approx(staying.capital[-1], rel=0.02)
    with pytest.raises(InvalidSetting, match="who governs before"):
        transition(setting, steady, reform, announced=5)


def test_debt_that_is_never_paid_is_refused_in_one_line(setting, steady, game):
    careless = registry.leader("debt_rule", game, tau=0.15, xi=0.18, response=0.0)
    with pytest.raises(InvalidSetting, match=r"no transition found.*must be a policy under which debt settles"):
        transition(setting, steady, careless, years=YEARS)
    with pytest.raises(InvalidSetting, match="no stationary state found"):
        steady_state(setting, careless)


def test_the_level_that_pays_for_a_debt(setting, game):
    rule = registry.leader("debt_rule", game, tau=0.3, xi=0.35)
    found = steady_state(setting, rule, debt_to_gdp=-1.0)
    assert found.start.debt / found.start.gdp == pytest.approx(-1.0)
    kept = registry.leader("debt_rule", game, tau=float(found.actions[0]), xi=0.35, debt=-1.0)
    path = transition(setting, found.start, kept, years=YEARS)
    assert np.ptp(path.interest_rate) < 1e-7


def test_the_command_writes_every_year(tmp_path, monkeypatch):
    import rllib_smfg.economics.transition as command

    small = TransitionSetting.of(CALIBRATED, states=4, points=60)
    monkeypatch.setattr(command.TransitionSetting, "of", lambda parameters: small)
    file = tmp_path / "found.json"
    arguments = ["transition", "debt_rule:tau=.33,xi=.3,debt=0", "--from", "us_system", "--years", "60", "--json", file]
    assert app([str(each) for each in arguments], standalone_mode=False) in (0, None)
    found = json.loads(file.read_text())
    assert len(found["by_wealth"]) == 10
    assert found["consumption_equivalent"] != 0
    assert found["against"] == "us_system"
    for name in ("r", "W", "K", "B", "revenue"):
        assert len(found["path"][name]) == len(found["path_against"][name]) == 60
    assert found["path"]["largest_gap_over_A"] < 1e-6


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["us_systm"], "us_systm"),
        (["debt_rule:xi=high"], "must be KEY=NUMBER"),
        (["debt_rule:xi=.9"], "xi = 0.9: must be between"),
        (["saez"], "taxes by what it saw"),
        (["us_federal", "--closure", "tau"], "has no level"),
        (["us_system", "--announced", "200"], "announced"),
    ],
)
def test_bad_input_ends_in_one_line(arguments, said, capsys):
    assert app(["transition", *arguments], standalone_mode=False) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert said in error


def test_starts_of_other_kinds_are_not_compared(staying):
    other = replace(staying, start=replace(staying.start, share=staying.start.share[::-1]))
    with pytest.raises(InvalidSetting, match="different distributions"):
        other.equivalent(staying)
