"""Measures where amounts are few, nothing, or below 0, and schedules that upset the order of incomes."""

from __future__ import annotations

import io
import json
import math
import warnings
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from rich.console import Console

from envs import InvalidSetting, make
from envs.economy.indicators import by_tenth, gini, gini_of_taxed, wealth_share, weighted_gini
from envs.economy.population import Population
from envs.economy.taxation import HSV, Brackets, NoTax, ScaledHSV, check_schedule, us_federal_2022
from envs.game import Array
from experiments.studies.data import run as check_data
from policies import registry
from policies.pairing import check_pair
from policies.tax_rule import TaxRule
from rllib_smfg.rollout import evaluate
from rllib_smfg.storage.files import write_json


@pytest.fixture(autouse=True)
def _no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


# --- ginis and shares ------------------------------------------------------------------------------------------------
def test_a_gini_of_amounts_below_0_stays_below_1() -> None:
    x = np.array([[-5.0, 1.0, 2.0, 3.0], [-10.0, -1.0, 0.0, 12.0]])
    found = gini(x)
    pairs = np.abs(x[:, :, None] - x[:, None, :]).mean((1, 2))
    np.testing.assert_allclose(found[:, 0], pairs / 2 / np.abs(x).mean(1))
    assert (found < 1).all()
    for row, value in zip(x, found[:, 0], strict=True):
        assert weighted_gini(row, np.ones(4)) == pytest.approx(value)
    assert weighted_gini(x[0], np.array([1.0, 2.0, 1.0, 1.0])) == pytest.approx(
        gini(np.array([[-5.0, 1.0, 1.0, 2.0, 3.0]]))[0, 0]
    )


def test_ginis_and_shares_of_nothing_are_not_defined(tmp_path: Path) -> None:
    nothing = np.zeros((1, 5))
    assert math.isnan(gini(nothing)[0, 0])
    assert math.isnan(weighted_gini(nothing[0], np.ones(5)))
    assert math.isnan(wealth_share(nothing, 0.1)[0, 0])
    write_json(tmp_path / "x.json", {"gini": float(gini(nothing)[0, 0])})
    assert json.loads((tmp_path / "x.json").read_text()) == {"gini": None}


def test_a_survey_in_which_nobody_owns_anything_has_no_gini_of_assets(tmp_path: Path) -> None:
    lines = ["ASSET,INCOME,EDUC,WGT", *(f"0,{1000 * k},8,1" for k in range(1, 6))]
    (tmp_path / "poor.csv").write_text("\n".join(lines) + "\n")
    screen = io.StringIO()
    check_data(Console(file=screen, width=100), tmp_path / "poor.csv")
    assert screen.getvalue().count("not defined") == 2


@pytest.mark.parametrize(("n", "share"), [(1, 0.1), (2, 0.2), (4, 0.4), (5, 0.5), (10, 1.0)])
def test_the_richest_tenth_of_a_few_households_is_a_part_of_one(n: int, share: float) -> None:
    """With one household that owns all, the richest tenth owns the part of it that it makes up."""
    ascending = np.zeros((1, n))
    ascending[0, -1] = 7.0
    assert wealth_share(ascending, 0.1)[0, 0] == pytest.approx(share)


def test_shares_of_halves_add_up_at_odd_numbers() -> None:
    ascending = np.array([[1.0, 2.0, 3.0, 4.0, 90.0]])
    assert 1 - wealth_share(ascending, 0.5)[0, 0] == pytest.approx((1 + 2 + 1.5) / 100)
    assert by_tenth(ascending, ascending)[0, :5].sum() / 10 * 5 == pytest.approx(1 + 2 + 1.5)


# --- schedules -------------------------------------------------------------------------------------------------------
class Notch:
    """Nothing up to 40,000 dollars; whoever earns more owes half of everything."""

    def tax(self, x: Array) -> Array:
        """Tax owed."""
        return np.where(x > 40_000.0, 0.5 * x, 0.0)

    def marginal_rate(self, x: Array) -> Array:
        """Tax on one dollar more, the notch apart."""
        return np.where(x > 40_000.0, 0.5, 0.0)


class Levied(TaxRule):
    """A government that levies what it is given."""

    def __init__(self, game, schedule) -> None:
        super().__init__(game)
        self._given = schedule

    def schedule(self, year: NDArray[np.int64]):
        """The same always."""
        return self._given


def test_ginis_are_right_where_taxes_upset_the_order_of_incomes() -> None:
    game = make("economy", preset="calibrated", games=2, followers=200, horizon=3)
    rule, households = Levied(game, Notch()), registry.follower("real_data", game)
    seen = game.reset(3)
    action = rule.act(seen.leader)
    step = rule.enact(game, action, households.act(seen.follower, action))
    kept = game.flows.income - Notch().tax(game.flows.income)
    np.testing.assert_allclose(step.indicators["income_gini"], gini(kept)[:, 0])
    ascending = np.sort(game.flows.income, axis=-1)
    left = ascending - Notch().tax(ascending)
    assert (np.diff(left) < 0).any()
    np.testing.assert_allclose(gini_of_taxed(left), gini(kept))


class Odd:
    """Schedules that nobody can pay, or understand."""

    def __init__(self, what: str) -> None:
        self.what = what

    def tax(self, x: Array) -> Array:
        """Tax owed."""
        owed = {
            "more": 1.5 * x,
            "nan": np.where(x > 1e6, np.nan, 0.0),
            "shape": np.zeros(3),
            "rate": 0.2 * x,
            "infinite": np.where(x > 1e6, -np.inf, 0.0),
        }
        return owed[self.what]

    def marginal_rate(self, x: Array) -> Array:
        """Tax on one dollar more."""
        return np.full_like(x, np.nan) if self.what == "rate" else np.full_like(x, 0.2)


REFUSED = {
    "more": "takes more than all of an income of 1 dollars: must be at most all",
    "nan": "its tax is not a number of an income of 1,",
    "infinite": "its tax is not a number",
    "shape": "has shape",
    "rate": "its marginal rate is not a number",
}


@pytest.mark.parametrize(("what", "remedy"), REFUSED.items())
def test_a_schedule_that_cannot_be_levied_is_refused_in_one_line(what: str, remedy: str) -> None:
    game = make("economy", preset="calibrated", games=2, followers=10, horizon=3)
    households = registry.follower("real_data", game)
    with pytest.raises(InvalidSetting) as mistake:
        evaluate(game, Levied(game, Odd(what)), households, seed=0)
    assert "tax schedule Odd" in str(mistake.value)
    assert remedy in str(mistake.value)
    assert "\n" not in str(mistake.value)
    assert game.year.tolist() == [0, 0]


def test_a_schedule_is_looked_at_before_anything_plays() -> None:
    game = make("economy", preset="calibrated", followers=10)
    with pytest.raises(InvalidSetting, match="takes more than all"):
        check_pair(game, Levied(game, Odd("more")), registry.follower("real_data", game))
    check_pair(game, registry.leader("saez", game), registry.follower("real_data", game))


def test_schedules_that_can_be_levied_are_taken() -> None:
    per_game = Brackets([0, 1e4], np.array([[0.1, 0.2], [0.3, 1.0]]))
    for schedule in (NoTax(), Notch(), us_federal_2022(), HSV(0.2, 0.1), ScaledHSV(0.3, 0.2, 1e5), per_game):
        check_schedule(schedule, games=2)


# --- observations ----------------------------------------------------------------------------------------------------
def _penniless() -> Population:
    one, none = np.ones(1), np.zeros(1)
    return Population(one, 8 * one, none, none, 50_000.0 * one, none)


@pytest.mark.parametrize("preset", ["paper", "taxai", "calibrated"])
@pytest.mark.parametrize("followers", [1, 5])
def test_observations_are_finite_where_nobody_owns_anything(preset: str, followers: int) -> None:
    game = make("economy", preset=preset, games=2, followers=followers)
    game.population = _penniless()
    seen = game.reset(0)
    assert np.isfinite(seen.leader).all()
    assert np.isfinite(seen.follower).all()
    middle = (game.leader_action_space.low + game.leader_action_space.high) / 2
    step = game.step(np.tile(middle, (2, 1)), np.full((2, followers, 2), 0.6))
    for each in (step.observations, step.final_observations):
        assert np.isfinite(each.leader).all()
        assert np.isfinite(each.follower).all()


@pytest.mark.parametrize("preset", ["paper", "taxai", "calibrated"])
def test_observations_of_one_household_are_finite_in_every_start(preset: str) -> None:
    """FAULTS.md A15: one start in 512 of `taxai` was not."""
    game = make("economy", preset=preset, games=2048, followers=1)
    seen = game.reset(0)
    assert np.isfinite(seen.leader).all()
    assert np.isfinite(seen.follower).all()
