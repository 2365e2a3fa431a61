"""The preset `calibrated` as a game: its start, what is seen, rewards of order one, and what is reported."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from economies import economy

from envs import InvalidSetting
from envs.economy.ability import AbilityDraws, ability_of_earnings, next_stationary_ability
from envs.economy.households import consumption_equivalent, us_spending, utility_of_public_goods_too
from envs.economy.indicators import weighted_gini
from envs.economy.population import load_population
from envs.economy.presets import CALIBRATED, PAPER
from envs.economy.survey import read_survey
from policies.us_federal import USFederalTax

US = np.array([0.37, 0.18, 4e-5, 1e-5, 0.19])
US_GDP = 25.7e12 / 131.3e6


def test_it_starts_as_the_united_states_on_the_average() -> None:
    game = economy(preset="calibrated", games=3, followers=400)
    game.reset(seed=0)
    state = game.state
    np.testing.assert_allclose(state.gdp, np.full((3, 1), 400 * US_GDP))
    np.testing.assert_allclose(state.capital + state.debt, state.assets.sum(axis=1, keepdims=True), rtol=1e-12)
    np.testing.assert_allclose(state.debt_to_gdp, CALIBRATED.debt_to_gdp)
    np.testing.assert_allclose(state.capital_to_gdp, CALIBRATED.capital_to_gdp)
    np.testing.assert_allclose(state.interest_rate, 0.04)
    # a household that has the mean of everything produces US GDP per household
    p = game.parameters
    hours = p.maximal_hours * p.initial_labour_share
    made = p.tfp * (p.capital_to_gdp * US_GDP) ** p.capital_share * hours ** (1 - p.capital_share)
    assert made == pytest.approx(US_GDP, rel=1e-12)


def test_the_first_year_produces_about_us_gdp() -> None:
    game = economy(preset="calibrated", games=4, followers=2000)
    game.reset(seed=1)
    step = game.step(np.tile(US, (4, 1)), np.tile([0.85, CALIBRATED.initial_labour_share], (4, 2000, 1)))
    np.testing.assert_allclose(step.indicators["per_capita_gdp"], US_GDP, rtol=0.05)
    np.testing.assert_allclose(step.indicators["interest_rate"], 0.04, atol=0.003)


def test_households_know_their_ability_and_the_last_prices() -> None:
    game = economy(preset="calibrated", followers=30)
    seen = game.reset(seed=2).follower[0]
    step = game.step(US[None], np.full((1, 30, 2), 0.8))
    assert game.flows is not None
    np.testing.assert_array_equal(game.flows.ability[0], seen[:, 0])
    np.testing.assert_array_equal(game.flows.assets[0], seen[:, 1])
    following = step.observations.follower[0]
    assert not np.array_equal(following[:, 0], seen[:, 0])
    np.testing.assert_allclose(following[:, 2], game.flows.wage[0, 0])
    np.testing.assert_allclose(following[:, 3], game.flows.interest_rate[0, 0])
    aggregates = step.observations.leader[0, 6:]
    expected = [
        game.flows.wage,
        game.flows.interest_rate,
        *(step.indicators[n] for n in ("capital_output_ratio", "debt_to_gdp")),
    ]
    np.testing.assert_allclose(aggregates, np.ravel(np.concatenate([np.ravel(x) for x in expected])))


def test_features_are_of_order_one_even_where_numbers_are_negative() -> None:
    game = economy(preset="calibrated", games=4, followers=1000)
    seen = game.reset(seed=3)
    leader = np.concatenate([seen.leader, seen.leader * [[1] * 9 + [-1]]])
    for scaling, numbers in (
        (game.leader_scaling, leader),
        (game.follower_scaling, seen.follower.reshape(-1, seen.follower.shape[-1])),
    ):
        features = (np.sign(numbers) * np.log1p(np.abs(numbers) / scaling.unit) - scaling.shift) / scaling.width
        assert np.abs(features).max() < 6
        assert np.abs(features.mean(axis=0)).max() < 3


def test_rewards_are_one_in_the_united_states_and_above_zero_wherever_people_live() -> None:
    p = CALIBRATED
    mean = np.array([[p.log_consumption_unit]])
    at_mean = utility_of_public_goods_too(
        p, mean, np.full((1, 1), p.initial_labour_share), np.array([[us_spending(p)]])
    )
    np.testing.assert_allclose(at_mean, 1.0)
    game = economy(preset="calibrated", games=4, followers=300)
    game.reset(seed=4)
    for task in game.parameters.laws.tasks:
        twin = economy(preset="calibrated", games=4, followers=300, task=task)
        twin.reset(seed=4)
        for _ in range(10):
            step = twin.step(np.tile(US, (4, 1)), np.tile([0.85, 0.37], (4, 300, 1)))
        scaled = 0.1 * step.leader_reward / twin.leader_reward_scale
        assert np.all((scaled > 0.2) & (scaled < 4)), task
        assert np.quantile(step.follower_reward, 0.01) > 0


def test_utility_moves_as_it_should() -> None:
    p = CALIBRATED
    c, work, g = np.array([[5e4]]), np.array([[0.4]]), np.array([[3e4]])
    base = utility_of_public_goods_too(p, c, work, g)
    k = p.utility_unit
    np.testing.assert_allclose(utility_of_public_goods_too(p, 2 * c, work, g) - base, np.log(2) / k)
    np.testing.assert_allclose(utility_of_public_goods_too(p, c, work, 2 * g) - base, 0.233 * np.log(2) / k)
    toil = p.labour_disutility * (0.5**3 - 0.4**3) / 3
    np.testing.assert_allclose(utility_of_public_goods_too(p, c, work + 0.1, g) - base, -toil / k)


def test_consumption_equivalents() -> None:
    p = CALIBRATED
    gain = np.log(1.03) / p.utility_unit
    assert consumption_equivalent(p, 1.2 + gain, 1.2) == pytest.approx(0.03)
    assert consumption_equivalent(p, 1.2, 1.2 + gain) == pytest.approx(1 / 1.03 - 1)
    with pytest.raises(InvalidSetting, match="crra"):
        consumption_equivalent(economy(preset="calibrated", crra=2.0).parameters, 1.0, 1.0)


def test_the_weighted_task_is_the_papers_objective() -> None:
    weights = {"gdp_weight": 0.5, "equality_weight": 2.0, "welfare_weight": 3.0}
    game = economy(preset="calibrated", games=2, followers=40, task="weighted", **weights)
    game.reset(seed=5)
    step = game.step(np.tile(US, (2, 1)), np.full((2, 40, 2), 0.8))
    i = step.indicators
    equality = 1 - i["wealth_gini"] * i["income_gini"]
    expected = 0.5 * i["per_capita_gdp"] / US_GDP + 2 * equality + 3 * i["social_welfare"] / 40
    np.testing.assert_allclose(step.leader_reward, expected, rtol=1e-12)


def test_indicators_beside_those_of_every_preset() -> None:
    game = economy(preset="calibrated", games=2, followers=40)
    game.reset(seed=6)
    i = game.step(np.tile(US, (2, 1)), np.full((2, 40, 2), 0.8)).indicators
    assert game.flows is not None
    ascending = np.sort(game.flows.next_assets)
    np.testing.assert_allclose(i["top_10_wealth_share"], ascending[:, 36:].sum(1) / ascending.sum(1))
    np.testing.assert_allclose(i["bottom_50_wealth_share"], ascending[:, :20].sum(1) / ascending.sum(1))
    np.testing.assert_allclose(i["capital_output_ratio"], i["capital"] / (40 * i["per_capita_gdp"]))
    np.testing.assert_allclose(i["spending_to_gdp"], 0.19)
    assert (
        not {"capital_output_ratio"} & economy().step(np.full((1, 5), 0.1), np.full((1, 100, 2), 0.9)).indicators.keys()
    )


def test_abilities_stay_in_their_long_run_distribution() -> None:
    rng, p = np.random.default_rng(7), CALIBRATED
    shape = (20, 5000)
    ability, stars = ability_of_earnings(p, np.ones(shape), rng.random(shape), AbilityDraws.sample(rng, *shape))
    start = ability.mean(), stars.mean(), np.log(ability[~stars]).std()
    for _ in range(60):
        ability, stars = next_stationary_ability(p, ability, stars, AbilityDraws.sample(rng, *shape))
    end = ability.mean(), stars.mean(), np.log(ability[~stars]).std()
    assert start[0] == pytest.approx(1.0, abs=0.02)
    assert end[0] == pytest.approx(1.0, abs=0.05)
    share = p.superstar_entry / (p.superstar_entry + 1 - p.superstar_stay)
    assert start[1] == pytest.approx(share, rel=0.1)
    assert end[1] == pytest.approx(share, rel=0.2)
    assert start[2] == pytest.approx(p.ability_sd / np.sqrt(1 - p.ability_persistence**2), rel=0.02)
    assert end[2] == pytest.approx(start[2], rel=0.03)


def test_the_higher_income_has_the_higher_ability() -> None:
    rng = np.random.default_rng(8)
    income = rng.random((3, 50))
    ability, _ = ability_of_earnings(CALIBRATED, np.ones((3, 50)), income, AbilityDraws.sample(rng, 3, 50))
    assert np.all(np.diff(np.take_along_axis(ability, np.argsort(income), axis=1)) >= 0)


def test_rules_spend_what_the_united_states_spend() -> None:
    game = economy(preset="calibrated", games=1, followers=10)
    assert USFederalTax(game).act(np.zeros((1, 10)))[0, 4] == pytest.approx(0.19)
    assert USFederalTax(economy()).act(np.zeros((1, 6)))[0, 4] == pytest.approx(PAPER.spending_cap * PAPER.share_low)


# --- the survey's net worth ----------------------------------------------------------------------------------------
def test_net_worth_is_as_unequal_as_in_the_survey() -> None:
    assets, _, income = load_population("scf2022", "survey", "net_worth").draw(np.random.default_rng(9), 1, 400_000)
    one = np.ones(400_000)
    assert weighted_gini(assets[0], one) == pytest.approx(0.825, abs=0.015)
    assert weighted_gini(income[0], one) == pytest.approx(0.607, abs=0.015)
    assert assets.mean() == pytest.approx(1.06e6, rel=0.05)


def test_the_survey_file_is_read_for_net_worth(tmp_path: Path) -> None:
    file = tmp_path / "survey.csv"
    with file.open("w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["WGT", "EDUC", "INCOME", "ASSET", "NETWORTH"])
        rows.writerows([[1, 9, 5e4, 1e5, 2e4], [3, 12, 9e4, 4e5, -1e3]])
    np.testing.assert_array_equal(read_survey(file, "net_worth").assets, [2e4, 0.0])
    np.testing.assert_array_equal(read_survey(file).assets, [1e5, 4e5])
    file.write_text("WGT,EDUC,INCOME,ASSET\n1,9,5e4,1e5\n")
    with pytest.raises(InvalidSetting, match="column NETWORTH is missing"):
        load_population(file, "survey", "net_worth")
