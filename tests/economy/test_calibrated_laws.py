"""The preset `calibrated` as economics: identities that hold in every year, and ends that are documented."""

from __future__ import annotations

import warnings
from dataclasses import fields, replace

import numpy as np
import pytest
from economies import Year, apply, economy
from hypothesis import given, settings
from hypothesis import strategies as st

from envs.economy.actions import leader_bounds, scaled_hsv_policy
from envs.economy.game import Economy
from envs.economy.presets import CALIBRATED
from envs.economy.state import Choices, EconomyState, Flows, Shock
from envs.economy.taxation import ScaledHSV, us_federal_2022

seeds = st.integers(0, 2**32 - 1)


def random_state(rng: np.random.Generator, games: int, households: int) -> EconomyState:
    """Any wealth and any debt that it can carry, with K + B = A; a third of the households may own nothing."""
    shape, per_game = (games, households), (games, 1)
    assets = np.exp(rng.normal(11, 3, shape)) * (rng.random(shape) > rng.choice([0.0, 0.3])) + 1e-3
    income = np.exp(rng.normal(10, 1, shape))
    wealth = assets.sum(axis=1, keepdims=True)
    debt = wealth * rng.uniform(-2.0, 0.9, per_game)
    return EconomyState(
        ability=np.exp(rng.normal(-0.5, 1.0, shape)),
        superstar=rng.random(shape) < 0.05,
        assets=assets,
        income=income,
        ascending_assets=np.sort(assets),
        ascending_income=np.sort(income),
        capital=wealth - debt,
        debt=debt,
        gdp=households * np.exp(rng.normal(12, 1, per_game)),
        wage=np.exp(rng.normal(4, 1, per_game)),
        interest_rate=rng.uniform(-0.05, 0.3, per_game),
        tfp=CALIBRATED.tfp * np.exp(rng.normal(0, 1, per_game)),
        maximal_hours=np.full(per_game, CALIBRATED.maximal_hours),
    )


def random_year(seed: int, games: int = 4, households: int = 12, crra: float = 1.0) -> Year:
    rng = np.random.default_rng(seed)
    parameters, state = replace(CALIBRATED, crra=crra), random_state(rng, games, households)
    low, high = leader_bounds(parameters)
    policy = scaled_hsv_policy(parameters, state, rng.uniform(low, high, (games, 5)))
    chosen = rng.uniform(parameters.share_low, parameters.share_high, (2, games, households))
    crisis, disaster = rng.choice([1.0, 0.5], (games, 1)), rng.choice([1.0, 0.8], (games, 1))
    return Year(parameters, state, policy, Choices(*chosen), Shock(state.ability, state.superstar, disaster, crisis))


def close(x: np.ndarray, y: np.ndarray, scale: np.ndarray) -> None:
    assert np.all(np.abs(x - y) <= 1e-9 * scale)


years = st.builds(random_year, seeds, crra=st.sampled_from([1.0, 2.0]))


# --- identities ------------------------------------------------------------------------------------------------------
@given(year=years)
@settings(max_examples=60, deadline=None)
def test_the_books_balance(year: Year) -> None:
    flows, following = year.advance()
    money = flows.assets.sum(1, keepdims=True) + flows.gdp + np.abs(flows.debt) + flows.capital
    # each household
    spent = 1.065 * flows.consumption + flows.income_tax + flows.asset_tax + flows.next_assets
    close(spent, flows.income + flows.assets, money)
    np.testing.assert_allclose(
        flows.income, flows.wage * flows.ability * flows.hours + flows.interest_rate * flows.assets
    )
    # the government
    revenue = (flows.income_tax + flows.asset_tax + 0.065 * flows.consumption).sum(1, keepdims=True)
    close(flows.next_debt, (1 + flows.interest_rate) * flows.debt + flows.spending - revenue, money)
    # the asset market, before and after
    close(flows.capital + flows.debt, flows.assets.sum(1, keepdims=True), money)
    close(following.capital + following.debt, following.assets.sum(1, keepdims=True), money)


@given(year=years)
@settings(max_examples=60, deadline=None)
def test_goods_and_factor_markets_clear(year: Year) -> None:
    flows, _ = year.advance()
    money = flows.assets.sum(1, keepdims=True) + flows.gdp + np.abs(flows.debt) + flows.capital
    investment = flows.next_capital - (1 - CALIBRATED.depreciation) * flows.capital
    close(flows.total_consumption + investment + flows.spending, flows.gdp, money)
    rental = flows.interest_rate + CALIBRATED.depreciation
    close(flows.wage * flows.labour + rental * flows.capital, flows.gdp, flows.gdp)
    for paid, factor in ((flows.wage, "labour"), (rental, "capital")):
        more = {name: getattr(flows, name) * (1 + 1e-6 * (name == factor)) for name in ("capital", "labour")}
        alpha = CALIBRATED.capital_share
        grown = flows.tfp * more["capital"] ** alpha * more["labour"] ** (1 - alpha)
        np.testing.assert_allclose((grown - flows.gdp) / (1e-6 * getattr(flows, factor)), paid, rtol=1e-4)


@given(year=years)
@settings(max_examples=30, deadline=None)
def test_households_may_dissave_but_not_borrow(year: Year) -> None:
    flows, _ = year.advance()
    assert np.all(flows.next_assets >= 0)
    assert np.all(flows.consumption > 0)


@given(seed=seeds)
@settings(max_examples=30, deadline=None)
def test_households_are_anonymous_and_games_are_apart(seed: int) -> None:
    year = random_year(seed)
    flows, _ = year.advance()
    order = np.random.default_rng(seed).permutation(12)

    def shuffled(x: np.ndarray) -> np.ndarray:
        return x[:, order] if x.shape[-1] == 12 else x

    mixed, _ = replace(
        year,
        state=apply(year.state, shuffled),
        choices=apply(year.choices, shuffled),
        shock=apply(year.shock, shuffled),
    ).advance()
    for field in fields(Flows):
        x, y = getattr(mixed, field.name), getattr(flows, field.name)
        np.testing.assert_allclose(x, y[:, order] if y.ndim == 2 and y.shape[-1] == 12 else y, rtol=1e-8, atol=1e-6)
    low, high = leader_bounds(CALIBRATED)
    middle = np.tile((low + high) / 2, (4, 1))
    state = apply(year.state, lambda x: x[1:2])
    together = replace(year, policy=scaled_hsv_policy(CALIBRATED, year.state, middle)).advance()[1]
    alone = Year(
        year.parameters,
        state,
        scaled_hsv_policy(CALIBRATED, state, middle[:1]),
        apply(year.choices, lambda x: x[1:2]),
        apply(year.shock, lambda x: x[1:2]),
    ).advance()[1]
    np.testing.assert_allclose(alone.assets[0], together.assets[1], rtol=1e-12)


# --- taxes -----------------------------------------------------------------------------------------------------------
@given(seed=seeds, unit=st.floats(1e-3, 1e3))
@settings(max_examples=40, deadline=None)
def test_the_schedule_knows_no_unit_of_money(seed: int, unit: float) -> None:
    rng = np.random.default_rng(seed)
    x, tau, xi = np.exp(rng.normal(11, 2, (1, 50))), rng.uniform(0, 0.5), rng.uniform(0, 0.4)
    dollars, other = ScaledHSV(tau, xi, 8e4), ScaledHSV(tau, xi, 8e4 * unit)
    np.testing.assert_allclose(other.tax(x * unit), unit * dollars.tax(x), rtol=1e-9, atol=1e-6 * unit)
    np.testing.assert_allclose(other.marginal_rate(x * unit), dollars.marginal_rate(x), rtol=1e-9, atol=1e-12)


def test_the_schedule_at_the_mean_and_below_zero() -> None:
    schedule = ScaledHSV(0.35, 0.18, 1e5)
    np.testing.assert_allclose(schedule.marginal_rate(np.array([[1e5]])), 0.35)
    np.testing.assert_allclose(schedule.tax(np.array([[1e5]])), 1e5 * (0.35 - 0.18) / (1 - 0.18))
    nothing = np.array([[-5e4, 0.0]])
    assert not schedule.tax(nothing).any()
    assert not schedule.marginal_rate(nothing).any()
    x = np.array([[3e3, 6e4, 4e5]])
    slope = (schedule.tax(x + 1) - schedule.tax(x - 1)) / 2
    np.testing.assert_allclose(schedule.marginal_rate(x), slope, rtol=1e-4)


def test_federal_brackets_apply_to_dollars() -> None:
    game = economy(preset="calibrated", games=2, followers=50)
    game.reset(seed=1)
    middle = np.tile((game.leader_action_space.low + game.leader_action_space.high) / 2, (2, 1))
    game.step(middle, np.full((2, 50, 2), 0.4), income_tax=us_federal_2022(credit=0.0, ceiling=np.inf))
    assert game.flows is not None
    income = game.flows.income
    assert 3e4 < np.median(income) < 2e5
    at = np.abs(income - 1e5).argmin()
    taxable = income.ravel()[at] - 12_950
    owed = 0.1 * 10_275 + 0.12 * 31_500 + 0.22 * (min(taxable, 89_075) - 41_775) + 0.24 * max(taxable - 89_075, 0)
    assert game.flows.income_tax.ravel()[at] == pytest.approx(owed, abs=1)


# --- ends ------------------------------------------------------------------------------------------------------------
def ends(game: Economy) -> dict[str, np.ndarray]:
    flows = game.flows
    assert flows is not None
    return {
        "capital": (flows.next_capital < game.parameters.least_capital * flows.gdp)[:, 0],
        "debt": (flows.next_debt > game.parameters.debt_limit * flows.gdp)[:, 0],
        "no number": np.all(flows.consumption == game.parameters.failed_consumption, axis=1),
    }


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_ten_thousand_economies_live_and_end_as_documented(dtype: str) -> None:
    """Any start, any action within the box, extremes included, for 50 years: numbers stay numbers."""
    rng, games = np.random.default_rng(3), 10_000
    shock = [[20, "tfp", 0.8]]
    game = economy(preset="calibrated", games=games, followers=3, dtype=dtype, task="weighted", shock=shock)
    start = random_state(rng, games, 3)
    households = ("ability", "assets", "income", "ascending_assets", "ascending_income")
    game.state = replace(start, **{name: getattr(start, name).astype(dtype) for name in households})
    causes = dict.fromkeys(("capital", "debt", "no number"), 0)
    leader, follower = game.leader_action_space, game.follower_action_space
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(50):
            extreme = rng.random((games, 1)) < 0.3
            shares = rng.random((games, 5)).round() * extreme + rng.random((games, 5)) * ~extreme
            choices = (
                rng.random((games, 3, 2)).round() * extreme[..., None] + rng.random((games, 3, 2)) * ~extreme[..., None]
            )
            step = game.step(
                (leader.low + (leader.high - leader.low) * shares).astype(dtype),
                (follower.low + (follower.high - follower.low) * choices).astype(dtype),
            )
            seen = (step.observations, step.final_observations)
            numbers = [x for o in seen for x in (o.leader, o.follower)]
            assert all(np.isfinite(x).all() for x in (*numbers, step.leader_reward, step.follower_reward))
            assert all(np.isfinite(x).all() for x in step.indicators.values())
            why = ends(game)
            np.testing.assert_array_equal(step.terminated, why["capital"] | why["debt"] | why["no number"])
            for name, games_ended in why.items():
                causes[name] += int(games_ended.sum())
    assert causes["capital"] > 0
    assert causes["debt"] > 0


def test_debt_beyond_its_limit_ends_the_episode() -> None:
    game = economy(preset="calibrated", games=2, followers=100)
    game.reset(seed=2)
    spendthrift = np.array([[0.0, 0.0, 0.0, 0.0, 0.4], [0.37, 0.18, 0.0, 0.0, 0.19]])
    debts = []
    for _ in range(40):
        step = game.step(spendthrift, np.tile([0.8, 0.37], (2, 100, 1)))
        debts.append(step.indicators["debt_to_gdp"][0])
        if step.terminated[0]:
            break
    assert not step.terminated[1]
    assert debts[-1] > 4 >= debts[-2] or ends(game)["capital"][0]


def test_nobody_working_and_nobody_saving_end_the_episode() -> None:
    year = random_year(4)
    share = np.where(np.arange(4)[:, None] == 1, 0.0, year.choices.labour_share)
    idle = replace(year, choices=replace(year.choices, labour_share=share))
    (flows, following), (usual, _) = idle.advance(), year.advance()
    assert flows.terminated[1]
    for record in (flows, following):
        assert all(np.isfinite(getattr(record, field.name)).all() for field in fields(record))
    np.testing.assert_array_equal(flows.income[[0, 2, 3]], usual.income[[0, 2, 3]])
    nothing = np.zeros_like(year.choices.saving_rate)
    eaten = replace(
        year,
        state=replace(year.state, debt=np.abs(year.state.debt)),
        choices=replace(year.choices, saving_rate=nothing),
    )
    flows, following = eaten.advance()
    assert np.all(flows.next_assets <= 1e-12 * flows.assets.sum())
    assert flows.terminated[flows.next_debt[:, 0] >= 0].all()
    assert all(np.isfinite(getattr(flows, field.name)).all() for field in fields(flows))


def test_a_crisis_shrinks_capital_and_bonds_alike() -> None:
    game = economy(preset="calibrated", followers=20, shock="financial_crisis", horizon=200)
    game.reset(seed=5)
    game.year[:] = 100
    before = game.state
    game.step(np.array([[0.35, 0.18, 0.0, 0.0, 0.19]]), np.full((1, 20, 2), 0.8))
    assert game.flows is not None
    np.testing.assert_allclose(game.flows.assets, before.assets / 2)
    np.testing.assert_allclose(game.flows.capital, before.capital / 2)
    np.testing.assert_allclose(game.flows.debt, before.debt / 2)
