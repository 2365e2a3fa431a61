"""Households who plan and who foresee respond to every instrument and schedule that stands there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from envs import InvalidSetting, make
from envs.economy.calibration import first_prices, household_of
from envs.economy.conditions import Conditions, keeping
from envs.economy.foresight import TransitionSetting, survey_start, transition
from envs.economy.hours_search import keeping_nothing
from envs.economy.household_problem import hand_to_mouth, solve_household, step_back
from envs.economy.instruments import FURTHER, INSTRUMENTS
from envs.economy.presets import CALIBRATED
from envs.economy.taxation import Brackets, ScaledHSV
from policies import registry, solved_planner
from policies.given import Given
from policies.us_law import PayrollTax, USLaw
from rllib_smfg.exploitability.exact import household_gain

WAGE, RATE = first_prices(CALIBRATED)
HSV = ScaledHSV(0.28, 0.18, 1.6e5)
YEARS = 60
BASIC = {"income_tax": {"rate": 0.43, "progressivity": 0.0}, "transfer": 0.19}


@pytest.fixture(scope="module")
def household() -> Any:
    return household_of(CALIBRATED, 4, 60)


# --- the household's problem -----------------------------------------------------------------------------------------
def test_flat_taxes_on_earnings_and_interest_are_lower_wages_and_interest(household: Any) -> None:
    taxed = Conditions(WAGE, RATE, HSV, consumption_tax=0.065, labour_tax=0.2, capital_tax=0.3)
    lower = Conditions(0.8 * WAGE, 0.7 * RATE, HSV, consumption_tax=0.065)
    found, same = (solve_household(household, each, tolerance=1e-6) for each in (taxed, lower))
    np.testing.assert_allclose(found.consumption, same.consumption, rtol=1e-9)
    np.testing.assert_allclose(found.labour, same.labour, rtol=1e-9)
    # losses on assets are not taxed
    assert Conditions(WAGE, -0.02, capital_tax=0.3).net_interest_rate == -0.02


def test_what_every_instrument_takes_is_what_is_not_left() -> None:
    conditions = Conditions(
        WAGE, RATE, HSV, ScaledHSV(0.01, 0.002, 1e6), 0.1, 7e3, 0.1, 0.2, keeping(Brackets((0.0, 1e5), (0.08, 0.02)))
    )
    earnings, assets = np.array([[0.0, 5e4, 3e5]]), np.array([[1e4, 0.0, 2e6]])
    cash = conditions.cash(earnings, assets)
    consumption = 0.3 * cash
    taken = conditions.taxes(earnings, assets, consumption)
    left = earnings + RATE * assets + assets - sum(taken.values()) + taken["consumption_tax"]
    np.testing.assert_allclose(cash, left, rtol=1e-12)
    assert (taken["transfer"] == -7e3).all()


class _Searched(Conditions):
    """The same conditions, whose hours are searched for."""

    convex = False  # type: ignore[assignment]


def test_searching_for_hours_finds_what_first_order_conditions_say(household: Any) -> None:
    smooth = Conditions(WAGE, RATE, HSV, consumption_tax=0.065, transfer=5e3)
    searched = _Searched(WAGE, RATE, HSV, consumption_tax=0.065, transfer=5e3)
    plan = solve_household(household, smooth, tolerance=1e-7)
    again = step_back(household, searched, plan, searched)
    inside = slice(0, 50)
    np.testing.assert_allclose(again.consumption[:, inside], plan.consumption[:, inside], rtol=2e-4)
    np.testing.assert_allclose(again.labour[:, inside], plan.labour[:, inside], atol=2e-4)


def test_where_marginal_rates_fall_no_other_hours_are_better(household: Any) -> None:
    """A cap on contributions bends the budget inwards: the best of 4,001 hours is no better than what is found."""
    capped = keeping(Brackets((0.0, 6e4), (0.45, 0.0)))
    conditions = Conditions(WAGE, RATE, HSV, consumption_tax=0.065, earnings_tax=capped)
    assert not conditions.convex
    assert not Conditions(WAGE, RATE, capped).convex
    assert Conditions(WAGE, RATE, keeping(Brackets((0.0, 6e4), (0.1, 0.3)))).convex
    plan = hand_to_mouth(household, conditions)
    assert np.array_equal(plan.labour, keeping_nothing(household, conditions).labour)
    hours = np.linspace(0, 1, 4001)[None, :]
    for state, ability in enumerate(household.ability):
        earning = WAGE * household.hours * ability

        def worth(labour: Any, earning: float = earning) -> Any:
            cash = conditions.cash(earning * labour, np.broadcast_to(household.assets[:, None], labour.shape))
            return np.log(np.maximum(cash, 1e-9) / 1.065) - household.disutility * labour**3 / 3

        best = worth(np.broadcast_to(hours, (len(household.assets), hours.size))).max(axis=1)
        assert (worth(plan.labour[state][:, None])[:, 0] > best - 1e-6).all()


def test_us_law_can_be_planned_for(household: Any) -> None:
    game = make("economy", preset="calibrated", games=1, followers=10)
    law = USLaw(game)
    payroll = law.labour_schedule(np.zeros(1, dtype=np.int64))
    assert payroll is not None
    assert isinstance(payroll.schedules[0], PayrollTax)  # type: ignore[attr-defined]
    both = [keeping(each) for each in (law.schedule(np.zeros(1, dtype=np.int64)), payroll)]
    free = solve_household(household, Conditions(WAGE, RATE, both[0]), tolerance=1e-4)
    taxed = solve_household(household, Conditions(WAGE, RATE, both[0], earnings_tax=both[1]), tolerance=1e-4)
    assert (taxed.consumption < free.consumption).mean() > 0.95


# --- perfect foresight -----------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def surveyed() -> tuple[Any, Any]:
    seen = make("economy", preset="calibrated", games=1, followers=20_000).reset(0).follower[0].astype(np.float64)
    return seen[:, 0], seen[:, 1]


def foreseen(policy: Any, surveyed: tuple[Any, Any], instruments: Any = tuple(FURTHER), **options: Any) -> Any:
    game: Any = make("economy", preset="calibrated", games=1, followers=10, instruments=instruments)
    setting = TransitionSetting.of(game.parameters, 3, 40)
    leader = Given.of(policy).leader(game, 0)
    return transition(setting, survey_start(setting, *surveyed), leader, years=YEARS, **options)


@pytest.fixture(scope="module")
def today(surveyed: tuple[Any, Any]) -> Any:
    return foreseen("us_system", surveyed)


REFORMS = {
    "transfer": {"transfer": 0.05},
    "consumption_tax_rate": {"consumption_tax": 0.15},
    "wealth_tax_exemption": {"wealth_tax": {"rate": 0.01, "exemption": 5e6}},
    "labour_income_tax_rate": {"labour_income_tax": 0.1},
    "capital_income_tax_rate": {"capital_income_tax": 0.3},
}


def test_instruments_that_are_not_used_change_nothing(today: Any, surveyed: tuple[Any, Any]) -> None:
    five = foreseen("us_system", surveyed, instruments=None)
    np.testing.assert_allclose(five.gdp, today.gdp, rtol=1e-6)
    assert five.actions.shape[1] == len(INSTRUMENTS)
    assert today.actions.shape[1] == len(INSTRUMENTS) + len(FURTHER)


def test_the_path_has_all_instruments_at_once(today: Any, surveyed: tuple[Any, Any]) -> None:
    together = {key: value for reform in REFORMS.values() for key, value in reform.items()}
    found = foreseen({"base": "us_system", **together, "income_tax": {"rate": 0.2}}, surveyed)
    _holds(found, today)
    assert not np.isclose(found.actions[0], today.actions[0])[[2, 5, 6, 7, 8, 9]].any()


@pytest.mark.slow
@pytest.mark.parametrize("instrument", REFORMS)
def test_the_path_has_every_instrument(instrument: str, today: Any, surveyed: tuple[Any, Any]) -> None:
    found = foreseen({"base": "us_system", **REFORMS[instrument]}, surveyed)
    _holds(found, today)
    place = (*INSTRUMENTS, *FURTHER).index(instrument)
    assert not np.allclose(found.actions[:, place], today.actions[:, place])


def _holds(found: Any, today: Any) -> None:
    """Markets clear, the government's books balance, and households answer before any price has moved much."""
    assert np.abs(found.clearing).max() < 1e-6
    assert np.abs(found.goods).max() < 1e-6  # Walras' law
    spent = (1 + found.interest_rate) * found.debt + found.spending + found.transfers - found.revenue
    np.testing.assert_allclose(spent[:-1], found.debt[1:], rtol=1e-6, atol=1e-6 * found.gdp[0])
    taken = np.array([sum(year.taxes.values()) for year in found.lived])
    np.testing.assert_allclose(found.revenue - found.transfers, taken, rtol=1e-4)
    assert abs(found.labour[0] / today.labour[0] - 1) > 2e-4


def test_the_transfer_can_pay_for_everything(surveyed: tuple[Any, Any]) -> None:
    policy = {"base": "us_system", "transfer": 0.02, "income_tax": {"rate": 0.33}, "closure": "none"}
    found = foreseen(policy, surveyed, closure="transfer")
    np.testing.assert_allclose(found.debt, found.debt[0], rtol=1e-9)
    assert np.ptp(found.actions[:, 5]) > 1e-4
    with pytest.raises(InvalidSetting, match="must name transfer"):
        foreseen("us_system", surveyed, instruments=None, closure="transfer")


def test_a_schedule_in_dollars_is_foreseen_and_one_that_remembers_is_not(surveyed: tuple[Any, Any]) -> None:
    policy = {"base": "us_system", "top_rate": {"rate": 0.7, "above": 400_000}}
    found = foreseen(policy, surveyed, instruments=None)
    assert np.abs(found.goods).max() < 1e-6
    rate = found.conditions[0].income_tax.kept_at_the_margin(np.array([3e5, 5e5]))
    assert rate[0] > 0.5
    assert rate[1] == pytest.approx(0.3)
    game = make("economy", preset="calibrated", games=1, followers=10)
    for name, settings in (("perfect_foresight", {}), ("planning", {"solved": True})):
        households = registry.follower(name, game, **settings)
        with pytest.raises(InvalidSetting, match="its schedule depends on"):
            households.meet(registry.leader("saez", game))


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plans on a small grid."""
    for name, value in (("STATES", 5), ("POINTS", 60)):
        monkeypatch.setattr(solved_planner, name, value)


# --- planners --------------------------------------------------------------------------------------------------------
def planned(policy: Any, solved: bool = True, followers: int = 200) -> tuple[Any, Any]:
    """What planners do in the first year under a policy, (2, N, 2), in a game with all instruments or none."""
    instruments = tuple(FURTHER) if solved else None
    game: Any = make("economy", preset="calibrated", games=2, followers=followers, instruments=instruments)
    leader = Given.of(policy).leader(game, 0)
    households = registry.follower("planning", game)
    households.meet(leader)
    seen = game.reset(5)
    action = leader.act(seen.leader)
    return households.act(seen.follower, action), game


def test_planners_who_solve_do_as_those_who_were_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("STATES", 7), ("POINTS", 90)):
        monkeypatch.setattr(solved_planner, name, value)
    solved, fitted = planned("us_system")[0], planned("us_system", solved=False)[0]
    assert np.abs(solved[..., 0] - fitted[..., 0]).mean() < 0.01
    assert np.abs(solved[..., 1] - fitted[..., 1]).mean() < 0.012


@pytest.mark.parametrize(
    ("reform", "hours"),
    [
        ({"transfer": 0.1}, -1),
        ({"labour_income_tax": 0.2}, -1),
        ({"wealth_tax": {"rate": 0.02, "exemption": 1e5}}, 0),
        ({"capital_income_tax": 0.5}, 0),
        ({"top_rate": {"rate": 0.9, "above": 150_000}}, -1),
    ],
)
def test_planners_answer_every_instrument(reform: Any, hours: int) -> None:
    usual, answered = planned("us_system")[0], planned({"base": "us_system", **reform})[0]
    assert np.abs(answered - usual).max() > 5e-3
    if hours:
        assert hours * (answered[..., 1] - usual[..., 1]).mean() > 3e-3


def test_a_constant_tax_on_consumption_changes_no_choice_at_log_utility() -> None:
    usual, taxed = planned("us_system")[0], planned({"base": "us_system", "consumption_tax": 0.3})[0]
    np.testing.assert_allclose(taxed, usual, atol=1e-9)


def test_planners_mix_plans_for_instruments_that_move() -> None:
    game: Any = make("economy", preset="calibrated", games=2, followers=50, instruments=["transfer"])
    households = registry.follower("planning", game)
    seen = game.reset(5)
    action = np.tile([0.28, 0.181, 0.0, 0.0, 0.19, 0.1], (2, 1))
    households.act(seen.follower, action)
    moved = action.copy()
    moved[:, 5] = [0.1, 0.13]
    between = households.act(seen.follower, moved)
    again = registry.follower("planning", game)
    moved[:, 5] = 0.13
    exact = again.act(seen.follower, moved)
    assert np.abs(between[1] - exact[1]).max() < 0.01
    assert np.abs(between[0] - exact[0]).max() > np.abs(between[1] - exact[1]).max()


@pytest.mark.slow
@pytest.mark.parametrize("reform", [{"labour_income_tax": 0.1, "capital_income_tax": 0.2}, BASIC])
def test_planners_are_near_their_best_response(reform: Any) -> None:
    game: Any = make("economy", preset="calibrated", games=1, followers=200, horizon=30, instruments=tuple(FURTHER))
    leader = Given.of({"base": "us_system", **reform}).leader(game, 0)
    gained = household_gain(game, leader, registry.follower("planning", game), 3, states=5, points=80)
    assert -0.1 < gained.of_consumption.value < 1.0


def test_planning_is_solved_or_told_and_not_both() -> None:
    game = make("economy", preset="calibrated", games=1, followers=10)
    with pytest.raises(InvalidSetting, match="must be one"):
        registry.follower("planning", game, solved=True, taxes=[0.3, 0.1, 0.0, 0.0])


# --- closures and the top rate, as written ---------------------------------------------------------------------------
def test_a_revenue_neutral_closure_repays_half_of_what_is_missing() -> None:
    game: Any = make("economy", preset="calibrated", games=1, followers=10, instruments=["transfer"])
    seen = np.array(game.reset(1).leader)
    for closure, place, revenue in (("income_tax", 0, 0.86), ("spending", 4, -1.0)):
        policy = {"base": "us_system", "transfer": 0.1, "closure": {closure: "revenue_neutral"}}
        leader = Given.of(policy).leader(game, 0)
        acted = []
        for excess in (0.0, 0.1):
            seen[:, 9] = game.parameters.debt_to_gdp + excess
            acted.append(leader.act(seen)[0])
        assert (acted[1] - acted[0])[place] * revenue == pytest.approx(0.05)
    with pytest.raises(InvalidSetting, match="must be debt or revenue_neutral"):
        Given.of({"base": "us_system", "closure": {"income_tax": "neutral"}}).leader(game, 0)


def test_a_top_rate_is_levied_in_play() -> None:
    game: Any = make("economy", preset="calibrated", games=2, followers=300)
    leader = Given.of({"base": "us_system", "top_rate": {"rate": 0.7, "above": 200_000}}).leader(game, 0)
    below = Given.of("us_system").leader(game, 0)
    seen, chosen = game.reset(2), np.full((2, 300, 2), [0.9, 0.4])
    leader.enact(game, leader.act(seen.leader), chosen)
    topped = game.flows
    game.reset(2)
    below.enact(game, below.act(seen.leader), chosen)
    usual = game.flows
    poor = usual.income < 200_000
    np.testing.assert_allclose(topped.income_tax[poor], usual.income_tax[poor])
    rich = usual.income > 1e6
    assert rich.any()
    assert (topped.income_tax[rich] > usual.income_tax[rich]).all()


@pytest.mark.parametrize(
    ("section", "said"),
    [
        (0.7, "must be a section with rate and above"),
        ({"rate": 0.7}, "needs the setting 'above'"),
        ({"rate": 1.0, "above": 1e6}, "below 1"),
        ({"rate": 0.7, "above": -1}, "above 0"),
        ({"rate": 0.7, "abve": 1e6}, "no setting 'abve'"),
    ],
)
def test_a_top_rate_that_makes_no_sense_is_refused_in_one_line(section: Any, said: str) -> None:
    game = make("economy", preset="calibrated", games=1, followers=10)
    with pytest.raises(InvalidSetting, match=said) as refusal:
        Given.of({"base": "us_system", "top_rate": section}).leader(game, 0)
    assert "\n" not in str(refusal.value)
