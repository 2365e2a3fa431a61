"""The economy as a game: starts, seeds, shocks, timing, settings, and what it reports."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from economies import actions, economy

from envs.economy.game import Economy
from envs.economy.presets import PRESETS
from envs.economy.taxation import Brackets, us_federal_2022


def play(game: Economy, years: int, **kwargs: Any) -> list[dict[str, np.ndarray]]:
    return [game.step(*actions(game, **kwargs)).indicators for _ in range(years)]


# --- starts ----------------------------------------------------------------------------------------------------------
def test_the_paper_starts_from_oecd_figures() -> None:
    game = economy(games=3, followers=50)
    game.reset(seed=0)
    gdp = 50 * 23_315.081e9 / 333.456e6
    np.testing.assert_allclose(game.state.gdp, np.full((3, 1), gdp))
    np.testing.assert_allclose(game.state.debt, 1.2129 * game.state.gdp)
    np.testing.assert_allclose(game.state.capital, 0.183 * game.state.gdp)


def test_taxai_starts_from_its_households_wealth() -> None:
    game = economy(games=3, followers=50, preset="taxai", weighting="unweighted")
    seen = game.reset(seed=0)
    state = game.state
    wealth = state.assets.sum(axis=1, keepdims=True)
    labour = wealth * (1 - 6.6 * 0.04) / 6.6
    np.testing.assert_allclose(state.capital, wealth / 2)
    np.testing.assert_allclose(state.debt, wealth / 2)
    np.testing.assert_allclose(state.wage, 2 / 3 * (state.capital / labour) ** (1 / 3))
    hours = labour / (state.ability * state.wage / 3).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(state.maximal_hours, hours)
    np.testing.assert_allclose(state.income, state.ability * hours / 3)
    np.testing.assert_allclose(seen.leader[:, 6], state.wage[:, 0])


def test_ability_has_been_drawn_once_at_the_start() -> None:
    """log e_0 = 0.982 log(education code) + 0.2 eps."""
    game = economy(games=20, followers=5000)
    ability = game.reset(seed=1).follower[..., 0]
    _, codes, _ = game.population.draw(np.random.default_rng(5), 20, 5000)
    drift, spread = 0.982 * np.log(codes), np.log(ability)
    assert np.isin(ability, codes).mean() == 0
    assert spread.mean() == pytest.approx(drift.mean(), abs=0.01)
    assert spread.var() == pytest.approx(drift.var() + 0.04, abs=0.01)


def test_a_year_draws_ability_after_its_actions_are_chosen() -> None:
    game = economy(followers=30)
    before = game.reset(seed=2).follower[0, :, 0]
    step = game.step(*actions(game))
    assert game.flows is not None
    year = game.flows.ability[0]
    assert not np.array_equal(year, before)
    np.testing.assert_array_equal(step.final_observations.follower[0, :, 0], year)
    np.testing.assert_allclose(game.flows.labour[0, 0], (year * game.flows.hours[0]).sum())


# --- luck ------------------------------------------------------------------------------------------------------------
def test_the_same_seed_gives_the_same_numbers() -> None:
    first, second = (economy(games=2, followers=20) for _ in range(2))
    np.testing.assert_array_equal(first.reset(seed=3).follower, second.reset(seed=3).follower)
    for a, b in zip(play(first, 30), play(second, 30), strict=True):
        for name in a:
            np.testing.assert_array_equal(a[name], b[name])
    assert not np.array_equal(first.reset(seed=4).follower, second.reset(seed=3).follower)


def test_policies_are_compared_under_the_same_luck() -> None:
    """Abilities after any number of years are the same under different policies as long as both economies live."""
    lives, collapses = economy(games=2, followers=20), economy(games=2, followers=20)
    lives.reset(seed=5)
    collapses.reset(seed=5)
    for _ in range(10):
        lives.step(*actions(lives, 0.1))
        collapses.step(*actions(collapses, 0.9, (0.98, 0.1)))
        assert lives.flows is not None
        assert collapses.flows is not None
        np.testing.assert_array_equal(lives.flows.ability, collapses.flows.ability)
    # even where one restarts every year both meet the same draws
    collapses.step(*actions(collapses, 0.9, (0.01, 0.1)))
    lives.step(*actions(lives, 0.1))
    assert lives._shock_random.random() == collapses._shock_random.random()


def test_a_state_can_be_saved_and_gone_back_to() -> None:
    game = economy(games=2, followers=20)
    game.reset(seed=6)
    play(game, 5)
    saved = game.get_state()
    first = play(game, 10)
    game.set_state(saved)
    again = play(game, 10)
    other = economy(games=2, followers=20)
    other.set_state(saved)
    elsewhere = play(other, 10)
    for a, b, c in zip(first, again, elsewhere, strict=True):
        for name in a:
            np.testing.assert_array_equal(a[name], b[name])
            np.testing.assert_array_equal(a[name], c[name])


# --- the years -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("preset", ["paper", "taxai"])
@pytest.mark.parametrize("task", ["gdp", "gini", "social_welfare", "gdp_gini"])
def test_any_action_leaves_finite_numbers_and_no_warning(preset: str, task: str) -> None:
    game = economy(games=4, followers=7, preset=preset, task=task, weighting="unweighted")
    rng = np.random.default_rng(0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        game.reset(seed=7)
        for _ in range(40):
            step = game.step(rng.uniform(-1, 1, (4, 5)), rng.uniform(-1, 2, (4, 7, 2)))
            numbers = [step.leader_reward, step.follower_reward, *step.indicators.values()]
            for seen in (step.observations, step.final_observations):
                numbers += [seen.leader, seen.follower]
            assert all(np.isfinite(x).all() for x in numbers)


def test_a_lone_household_ends_where_its_gini_reward_does_not_exist() -> None:
    """With one household both ginis are 0, and a relative change of 0 is not a number: the year ends the episode."""
    step = economy(games=2, followers=1, task="gini").step(np.zeros((2, 5)), np.full((2, 1, 2), 0.9))
    assert step.terminated.all()
    assert step.leader_reward.tolist() == [0, 0]


def test_the_horizon_truncates_and_the_next_year_starts_anew() -> None:
    game = economy(followers=20, horizon=4, saving_rate_min=0.98)
    game.reset(seed=8)
    steps = [game.step(*actions(game, 0.1)) for _ in range(5)]
    assert [bool(step.truncated[0]) for step in steps] == [False, False, False, True, False]
    assert not any(step.terminated[0] for step in steps)
    last = steps[3]
    assert not np.array_equal(last.observations.follower, last.final_observations.follower)
    assert last.final_observations.follower[0, :, 1].sum() == pytest.approx(last.indicators["mean_assets"][0] * 20)


def test_a_collapse_ends_one_game_and_no_other() -> None:
    game = economy(games=3, followers=20)
    game.reset(seed=9)
    leader, follower = actions(game, 0.1)
    follower[1, :, 0] = 0.001
    step = game.step(leader, follower)
    assert step.terminated.tolist() == [False, True, False]
    assert game.year.tolist() == [1, 0, 1]
    for b in (0, 2):
        np.testing.assert_array_equal(step.observations.follower[b], step.final_observations.follower[b])
    assert not np.array_equal(step.observations.follower[1], step.final_observations.follower[1])
    # what happened in the year that ended is kept, whatever the restart drew
    assert game.flows is not None
    np.testing.assert_array_equal(game.flows.next_assets[1], step.final_observations.follower[1, :, 1])
    assert game.flows.income[1].mean() == pytest.approx(step.indicators["mean_income"][1])


@pytest.mark.parametrize("shock", ["financial_crisis", "disaster"])
def test_shocks_strike_in_their_year_of_each_game(shock: str) -> None:
    calm, struck = (economy(games=2, followers=20, shock=name, saving_rate_min=0.98) for name in ("none", shock))
    for game in (calm, struck):
        game.reset(seed=10)
        game.year[:] = [0, 99]
    for year in range(4):
        for game in (calm, struck):
            game.step(*actions(game, 0.1))
        assert calm.flows is not None
        assert struck.flows is not None
        if shock == "disaster":
            expected = [[10.0], [8.0 if 99 + year in (100, 101) else 10.0]]
            np.testing.assert_allclose(struck.flows.tfp, expected)
        elif 99 + year == 100:
            np.testing.assert_allclose(struck.flows.assets, calm.flows.assets * [[1.0], [0.5]])
            np.testing.assert_array_equal(struck.flows.capital, calm.flows.capital)
        np.testing.assert_array_equal(struck.flows.income[0], calm.flows.income[0])


def test_a_schedule_replaces_the_taxes_but_not_the_spending() -> None:
    game = economy(games=2, followers=20)
    for schedule in (us_federal_2022(), Brackets([0, 1e5], [[0.1, 0.2], [0.3, 0.4]])):
        game.reset(seed=11)
        step = game.step(*actions(game, 0.5), income_tax=schedule)
        flows = game.flows
        assert flows is not None
        np.testing.assert_array_equal(flows.income_tax, schedule.tax(flows.income))
        assert not flows.asset_tax.any()
        np.testing.assert_allclose(step.indicators["spending"], 0.15 * flows.gdp[:, 0])
        np.testing.assert_allclose(
            step.indicators["mean_marginal_rate"], schedule.marginal_rate(flows.income).mean(axis=1)
        )
    game.reset(seed=11)
    game.step(*actions(game, 0.5))
    assert game.flows is not None
    assert game.flows.asset_tax.any()


def test_indicators_are_what_their_names_say() -> None:
    game = economy(games=2, followers=30)
    game.reset(seed=12)
    step = game.step(*actions(game, 0.3, (0.97, 0.4)))
    flows = game.flows
    assert flows is not None
    expected = {
        "per_capita_gdp": flows.gdp[:, 0] / 30,
        "social_welfare": step.follower_reward.sum(axis=1),
        "capital": game.state.capital[:, 0],
        "debt": game.state.debt[:, 0],
        "wage": flows.wage[:, 0],
        "interest_rate": [0.04, 0.04],
        "tax_revenue": flows.revenue[:, 0],
        "mean_assets": game.state.assets.mean(axis=1),
        "mean_income": flows.income.mean(axis=1),
        "mean_consumption": flows.consumption.mean(axis=1),
        "mean_saving_rate": [0.97, 0.97],
        "mean_hours": [0.4 * 365 * 24 * 4 / 9] * 2,
        "mean_marginal_rate": (1 - (1 - 0.06) * flows.income**-0.015).mean(axis=1),
    }
    for name, value in expected.items():
        np.testing.assert_allclose(step.indicators[name], value, rtol=1e-10, err_msg=name)
    assert set(step.indicators) == {*expected, "income_gini", "wealth_gini", "spending"}


@pytest.mark.parametrize("preset", ["paper", "taxai"])
def test_the_government_is_paid_by_its_task(preset: str) -> None:
    for name, task in PRESETS[preset].laws.tasks.items():
        game = economy(games=2, followers=40, preset=preset, task=name, inequality_weight=0.5)
        game.reset(seed=13)
        step = game.step(*actions(game))
        assert game.flows is not None
        np.testing.assert_array_equal(step.leader_reward, task.reward(game.parameters, game.flows)[:, 0])
        assert game.parameters.inequality_weight == 0.5
        assert game.leader_reward_scale == (40 if name == "social_welfare" else task.scale)


def test_households_with_another_curvature() -> None:
    game = economy(followers=10, crra=2.0)
    game.reset(seed=14)
    step = game.step(*actions(game))
    assert game.flows is not None
    utility = -1 / game.flows.consumption - 10 * 0.5**3 / 3
    np.testing.assert_allclose(step.follower_reward, 1 / (1 + np.exp(-utility)))
