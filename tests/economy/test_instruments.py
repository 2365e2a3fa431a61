"""Instruments beyond the five: off by default, in everybody's books, seen by households, and bounded by settings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from economies import economy

from envs import InvalidSetting
from envs.economy.instruments import FURTHER, INSTRUMENTS, UNITS
from envs.economy.presets import PRESETS
from policies import registry
from policies.constant import ConstantLeader
from policies.planning_household import PlanningHousehold
from policies.solved_planner import SolvedPlanner
from rllib_smfg.exploitability.household_problems import announced, conditions_met

FIVE = np.array([0.3, 0.18, 0.02, 0.001, 0.19])
ALL = {
    "transfer": 0.5,
    "consumption_tax_rate": 0.3,
    "wealth_tax_exemption": 2e6,
    "labour_income_tax_rate": 0.4,
    "capital_income_tax_rate": 0.4,
}


def calibrated(instruments: Any = ALL, games: int = 3, followers: int = 60, **settings: Any) -> Any:
    game = economy(preset="calibrated", games=games, followers=followers, instruments=instruments, **settings)
    game.reset(seed=3)
    return game


def everybody(game: Any, *more: float) -> tuple[np.ndarray, np.ndarray]:
    """All games' governments with the five and these further numbers; households who save and work as usual."""
    chosen = np.tile([*FIVE, *more], (game.n_games, 1))
    return chosen, np.full((game.n_games, game.n_followers, 2), [0.9, 0.4])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_at_rest_nothing_differs_from_a_game_without_them(dtype: str) -> None:
    plain, further = calibrated(None, dtype=dtype), calibrated(dtype=dtype)
    resting = plain.parameters.consumption_tax
    for _ in range(5):
        one, other = plain.step(*everybody(plain)), further.step(*everybody(further, 0.0, resting, 0.0, 0.0, 0.0))
        for name, value in one.indicators.items():
            # a rate that is told by an action has the action's precision
            np.testing.assert_allclose(other.indicators[name], value, rtol=0 if dtype == "float64" else 1e-4)
        np.testing.assert_allclose(other.follower_reward, one.follower_reward, rtol=0 if dtype == "float64" else 1e-5)
    assert set(other.indicators) - set(one.indicators) == {"transfers_to_gdp"}


def test_off_by_default() -> None:
    for preset in PRESETS:
        game = economy(preset=preset, games=1, followers=5)
        assert game.instruments == INSTRUMENTS
        assert game.leader_action_space.shape == (5,)


def test_the_books_hold_what_households_are_paid_and_pay() -> None:
    game = calibrated()
    for _ in range(3):
        mean_income = game.state.income.mean(axis=1, keepdims=True)
        game.step(*everybody(game, 0.2, 0.15, 1e6, 0.1, 0.2))
        flows = game.flows
        np.testing.assert_allclose(flows.transfers, 0.2 * mean_income * game.n_followers)
        received = flows.post_income - (flows.income - flows.income_tax)
        np.testing.assert_allclose(received, np.broadcast_to(0.2 * mean_income, received.shape), rtol=1e-9)
        spent = flows.post_income + flows.post_assets - 1.15 * flows.consumption
        np.testing.assert_allclose(flows.next_assets, spent, rtol=1e-9, atol=1e-3)
        taxes = (flows.income_tax + flows.asset_tax).sum(axis=1, keepdims=True)
        np.testing.assert_allclose(flows.revenue, taxes + 0.15 * flows.total_consumption)
        owed = (1 + flows.interest_rate) * flows.debt + flows.spending + flows.transfers - flows.revenue
        np.testing.assert_allclose(flows.next_debt, owed, rtol=1e-9)
        # goods: what is produced is consumed, invested or spent; a transfer uses none
        investment = flows.next_capital - (1 - game.parameters.depreciation) * flows.capital
        used = flows.total_consumption + investment + flows.spending
        np.testing.assert_allclose(used, flows.gdp, rtol=1e-9)


def test_assets_below_the_exemption_are_not_taxed_and_only_the_rest_is_above_it() -> None:
    game, exemption = calibrated(["wealth_tax_exemption"]), 5e5
    game.step(*everybody(game, exemption))
    flows, unit = game.flows, game.flows.assets.mean(axis=1, keepdims=True)
    poor = flows.assets <= exemption
    assert poor.any()
    assert (~poor).any()
    assert (flows.asset_tax[poor] == 0).all()
    above = np.maximum(flows.assets - exemption, 0)
    owed = above - 0.98 / 0.999 * unit * (above / unit) ** 0.999
    np.testing.assert_allclose(flows.asset_tax, owed, rtol=1e-6, atol=1e-6)


def test_earnings_and_interest_are_taxed_apart_before_all_income_is() -> None:
    game = calibrated(["labour_income_tax_rate", "capital_income_tax_rate"])
    state = game.state
    step = game.step(*everybody(game, 0.1, 0.25))
    flows = game.flows
    earnings, interest = flows.wage * flows.ability * flows.hours, flows.interest_rate * flows.assets
    np.testing.assert_allclose(earnings + interest, flows.income)
    at_once = 0.1 * earnings + 0.25 * np.maximum(interest, 0)
    unit = state.income.mean(axis=1, keepdims=True)
    left, tau, xi = flows.income - at_once, FIVE[0], FIVE[1]
    schedule = left - (1 - tau) / (1 - xi) * unit * (left / unit) ** (1 - xi)
    np.testing.assert_allclose(flows.income_tax, at_once + schedule, rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(flows.post_income, flows.income - flows.income_tax)
    # one dollar more of earnings
    rate = 0.1 + 0.9 * (1 - (1 - tau) * (left / unit) ** -xi)
    np.testing.assert_allclose(step.indicators["mean_marginal_rate"], rate.mean(axis=1))
    # who earns more than another who has as much interest need not have more after tax: incomes are ranked anew
    income = np.sort(flows.post_income, axis=1)
    gini = (income * np.arange(-59, 60, 2)).sum(axis=1) / (60 * income.sum(axis=1))
    np.testing.assert_allclose(step.indicators["income_gini"], gini)


def test_a_transfer_narrows_incomes_after_tax_and_the_gini_sees_it() -> None:
    without, paid = calibrated(["transfer"]), calibrated(["transfer"])
    none, some = without.step(*everybody(without, 0.0)), paid.step(*everybody(paid, 0.4))
    assert (some.indicators["income_gini"] < 0.9 * none.indicators["income_gini"]).all()
    income = np.sort(paid.flows.post_income, axis=1)
    ranks = np.arange(1 - income.shape[1], income.shape[1], 2)
    gini = (income * ranks).sum(axis=1) / (income.shape[1] * income.sum(axis=1))
    np.testing.assert_allclose(some.indicators["income_gini"], gini, rtol=1e-9)


def test_households_work_the_instruments_into_their_own_budget() -> None:
    """What a household expects to keep is what it keeps at last year's prices and means."""
    game = calibrated(games=1)
    seen = game.reset(seed=5).follower[0]
    p, state, outlook = game.parameters, game.state, game.follower_outlook
    assert outlook is not None
    saved, worked, leader = 0.85, 0.4, [*FIVE, 0.2, 0.15, 3e5, 0.1, 0.2]
    reward, carried = outlook(np, [seen[:, k] for k in range(seen.shape[1])], [saved, worked], leader)
    income = state.wage * state.ability * p.maximal_hours * worked + state.interest_rate * state.assets
    action = np.array([leader])
    policy = p.laws.fiscal_policy(p, state, action, lambda x: x.sum(axis=-1, keepdims=True))
    interest = state.interest_rate * state.assets
    income = income - 0.1 * (income - interest) - 0.2 * np.maximum(interest, 0)
    cash = income - policy.income_tax.tax(income) + policy.transfer
    cash = cash + state.assets - policy.asset_tax.tax(state.assets)
    kept = game.follower_scaling.observed(1, carried[1])
    np.testing.assert_allclose(kept, (saved * cash)[0], rtol=1e-5)
    consumed = (1 - saved) * cash[0] / 1.15
    toil = worked ** (1 + p.inverse_frisch) * p.labour_disutility / (1 + p.inverse_frisch)
    enjoyed = np.log(consumed / p.log_consumption_unit) - toil
    np.testing.assert_allclose(reward, enjoyed / (p.utility_unit * p.typical_utility), rtol=1e-6)


def test_rules_leave_further_instruments_at_rest() -> None:
    game = calibrated()
    seen = game.reset(seed=1).leader
    for name in ("us_system", "us_federal", "saez", "us_law_2022", "debt_rule"):
        acted = registry.leader(name, game, 1).act(seen)
        np.testing.assert_array_equal(acted[:, 5:], np.tile([0.0, 0.065, 0.0, 0.0, 0.0], (3, 1)))
        assert acted[0, 4] == pytest.approx(0.19)


def test_the_five_rules_play_as_before_beside_them() -> None:
    plain, further = calibrated(None), calibrated()
    for name in ("us_system", "us_federal"):
        one, other = (registry.leader(name, game, 1) for game in (plain, further))
        seen = [game.reset(seed=2) for game in (plain, further)]
        households = everybody(plain)[1]
        steps = [
            rule.enact(game, rule.act(now.leader), households)
            for rule, game, now in zip((one, other), (plain, further), seen, strict=True)
        ]
        np.testing.assert_array_equal(steps[0].indicators["debt"], steps[1].indicators["debt"])


def test_planning_households_solve_for_what_they_were_not_fitted_to() -> None:
    game = calibrated(["transfer"])
    assert isinstance(registry.follower("planning", game), SolvedPlanner)
    with pytest.raises(InvalidSetting, match="without the instrument 'transfer'"):
        PlanningHousehold(game)
    resting = registry.follower("planning", game, further_at_rest=True)
    us, plain = registry.leader("us_system", game), calibrated(None)
    seen, known = game.reset(seed=1), plain.reset(seed=1)
    there = registry.follower("planning", plain).act(
        known.follower, registry.leader("us_system", plain).act(known.leader)
    )
    np.testing.assert_array_equal(resting.act(seen.follower, us.act(seen.leader)), there)
    with pytest.raises(InvalidSetting, match="uses an instrument beyond the five"):
        resting.act(seen.follower, everybody(game, 0.2)[0])
    told = registry.follower("planning", game, taxes=FIVE[:4].tolist())
    seen = game.reset(seed=1).follower
    assert told.act(seen, everybody(game, 0.2)[0]).shape == (3, 60, 2)


@pytest.mark.parametrize(
    ("preset", "instruments", "says"),
    [
        ("calibrated", ["transfr"], "did you mean 'transfer'"),
        ("calibrated", "transfer", "a list of names"),
        ("calibrated", ["transfer", "transfer"], "named once"),
        ("calibrated", ["spending_share"], "always one of them"),
        ("calibrated", {"transfer": 50.0}, "at most 2 of mean income"),
        ("calibrated", {"transfer": 0.0}, "must be above 0"),
        ("calibrated", {"wealth_tax_exemption": "much"}, "dollars of assets"),
        ("calibrated", 3, "a list of names"),
        ("paper", ["transfer"], "preset must be 'calibrated'"),
        ("taxai", ["transfer"], "preset must be 'calibrated'"),
    ],
)
def test_what_cannot_be_opened_is_refused_in_one_line(preset: str, instruments: Any, says: str) -> None:
    with pytest.raises(InvalidSetting, match=says) as refusal:
        economy(preset=preset, games=1, followers=5, instruments=instruments)
    assert "\n" not in str(refusal.value)


def test_boxes_follow_the_settings_and_every_instrument_has_its_unit() -> None:
    assert set(UNITS) == {*INSTRUMENTS, *FURTHER}
    game = calibrated({"wealth_tax_exemption": 1e7, "transfer": 0.3})
    assert game.instruments == (*INSTRUMENTS, "transfer", "wealth_tax_exemption")
    np.testing.assert_array_equal(game.leader_action_space.low[5:], 0)
    np.testing.assert_array_equal(game.leader_action_space.high[5:], [0.3, 1e7])


def test_exact_responses_know_transfers_consumption_taxes_and_exemptions() -> None:
    """What is left to households by the conditions of their problem is what the game left them."""
    game = calibrated(["transfer", "consumption_tax_rate", "wealth_tax_exemption"], games=2)
    leader, households = everybody(game, 0.2, 0.15, 3e5)
    policy = announced(game, ConstantLeader(leader[0]), leader)
    game.step(leader, households)
    flows = game.flows
    for k in range(2):
        wage, rate = float(flows.wage[k, 0]), float(flows.interest_rate[k, 0])
        conditions = conditions_met(game, policy, k, wage, rate)
        left = conditions.kept(flows.income[k], flows.assets[k])
        np.testing.assert_allclose(left, flows.post_income[k] + flows.post_assets[k], rtol=1e-9)
        assert conditions.consumption_tax == 0.15


def test_exact_responses_know_taxes_on_earnings_and_on_interest_apart() -> None:
    game = calibrated(["labour_income_tax_rate", "capital_income_tax_rate"], games=2)
    leader, households = everybody(game, 0.2, 0.3)
    policy = announced(game, ConstantLeader(leader[0]), leader)
    game.step(leader, households)
    flows = game.flows
    for k in range(2):
        wage, rate = float(flows.wage[k, 0]), float(flows.interest_rate[k, 0])
        conditions = conditions_met(game, policy, k, wage, rate)
        earnings = wage * flows.ability[k] * flows.hours[k]
        left = conditions.cash(earnings, flows.assets[k])
        np.testing.assert_allclose(left, flows.post_income[k] + flows.post_assets[k], rtol=1e-9)
        taken = conditions.taxes(earnings, flows.assets[k], flows.consumption[k])
        on_income = taken["income_tax"] + taken["labour_income_tax"] + taken["capital_income_tax"]
        np.testing.assert_allclose(on_income, flows.income_tax[k], rtol=1e-9, atol=1e-6)
