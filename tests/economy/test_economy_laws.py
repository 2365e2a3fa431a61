"""The laws of the economy, over random economies: budgets, accounts, markets; games do not touch each other."""

from __future__ import annotations

import warnings
from dataclasses import fields, replace

import numpy as np
import pytest
from economies import Year, changed, changed_policy, random_year, years
from hypothesis import given, settings
from hypothesis import strategies as st

from envs.economy.indicators import gini
from envs.economy.state import EconomyState, Flows
from envs.economy.taxation import Brackets, FiscalPolicy

TAX = 0.065
PRESET = pytest.mark.parametrize("preset", ["paper", "taxai"])
seeds = st.integers(0, 2**32 - 1)


def close(left: np.ndarray, right: np.ndarray, scale: np.ndarray | float, tolerance: float = 1e-9) -> None:
    """Equal up to `tolerance` of the size of the numbers that were added."""
    assert np.all(np.abs(left - right) <= tolerance * np.maximum(scale, 1e-300)), np.abs(left - right).max()


def same(name: str, x: np.ndarray, expected: np.ndarray, flows: Flows) -> None:
    """The same number but for rounding; the rounding of a sum is relative to what was added."""
    added = flows.gdp.max() + np.abs(flows.assets).sum() + np.abs(flows.debt).max() if x.shape[-1] == 1 else 0
    np.testing.assert_allclose(x, expected, rtol=1e-9, atol=1e-11 * added, err_msg=name)


def sums(*arrays: np.ndarray) -> list[np.ndarray]:
    return [x.sum(axis=-1, keepdims=True) for x in arrays]


@PRESET
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_every_household_keeps_its_budget(preset: str, data: st.DataObject) -> None:
    year = data.draw(years(preset))
    flows, following = year.advance()
    had, got = year.state.assets * year.shock.asset_factor, flows.income
    paid = flows.income_tax + flows.asset_tax + (1 + TAX) * flows.consumption
    close(following.assets, had + got - paid, had + got + np.abs(flows.income_tax) + np.abs(flows.asset_tax))
    wages = flows.wage * year.shock.ability * flows.hours
    close(flows.income, wages + 0.04 * had, wages + 0.04 * had)
    assert np.array_equal(flows.hours, year.state.maximal_hours * year.choices.labour_share)


@PRESET
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_the_government_keeps_its_budget(preset: str, data: st.DataObject) -> None:
    year = data.draw(years(preset))
    flows, following = year.advance()
    income_tax, asset_tax, consumption = sums(flows.income_tax, flows.asset_tax, flows.consumption)
    size = sum(sums(np.abs(flows.income_tax), np.abs(flows.asset_tax), flows.consumption))
    close(flows.revenue, income_tax + asset_tax + TAX * consumption, size)
    close(following.debt, 1.04 * year.state.debt + flows.spending - flows.revenue, np.abs(year.state.debt) + size)
    close(flows.spending, year.policy.spending_share * flows.gdp, flows.gdp)


@PRESET
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_capital_obeys_the_presets_identity(preset: str, data: st.DataObject) -> None:
    """paper: K'+B'-A' = (1+r)(K+B-A). taxai: the same with the return of capital on K instead of 1 + r."""
    year = data.draw(years(preset))
    flows, following = year.advance()
    [before], [after] = sums(flows.assets), sums(following.assets)
    old_capital, old_debt = year.state.capital, year.state.debt
    capital_return = 0.04 * old_capital if preset == "paper" else flows.gdp / 3 - 0.06 * old_capital
    left = following.capital + following.debt - after
    right = old_capital + capital_return + 1.04 * (old_debt - before)
    close(left, right, old_capital + np.abs(old_debt) + before + after + flows.gdp)


@PRESET
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_firms_pay_labour_its_share(preset: str, data: st.DataObject) -> None:
    year = data.draw(years(preset))
    flows, _ = year.advance()
    alpha, tfp = (0.7445, 10) if preset == "paper" else (1 / 3, 1)
    [labour] = sums(year.shock.ability * flows.hours)
    close(flows.labour, labour, labour)
    output = tfp * year.shock.tfp_factor * year.state.capital**alpha * labour ** (1 - alpha)
    close(flows.gdp, output, output)
    close(flows.wage * flows.labour, (1 - alpha) * output, output)


@given(year=years("paper"))
@settings(max_examples=100, deadline=None)
def test_goods_are_rationed_in_proportion_and_the_episode_ends(year: Year) -> None:
    flows, _ = year.advance()
    desired = (1 - year.choices.saving_rate) * flows.post_income / (1 + TAX)
    demand, eaten = sums(desired, flows.consumption)
    short = demand + flows.spending > flows.gdp
    close(eaten + flows.spending, np.where(short, flows.gdp, demand + flows.spending), flows.gdp)
    close(flows.consumption * demand, desired * eaten, desired * demand)
    assert np.all(flows.terminated[short[:, 0]])


@given(year=years("taxai"))
@settings(max_examples=100, deadline=None)
def test_taxai_does_not_ration_but_ends(year: Year) -> None:
    flows, _ = year.advance()
    desired = (1 - year.choices.saving_rate) * (flows.post_income + flows.post_assets) / (1 + TAX)
    close(flows.consumption, desired, desired)
    [demand] = sums(desired)
    assert np.all(flows.terminated[(demand + flows.spending > flows.gdp)[:, 0]])


@PRESET
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_an_episode_ends_for_the_documented_reasons_only(preset: str, data: st.DataObject) -> None:
    year = data.draw(years(preset))
    flows, following = year.advance()
    base = flows.post_income if preset == "paper" else flows.post_income + flows.post_assets
    [demand] = sums((1 - year.choices.saving_rate) * base / (1 + TAX))
    unequal = np.maximum(flows.wealth_gini, flows.income_gini)
    numbers = np.isfinite(flows.next_capital + flows.next_debt + flows.wealth_gini + flows.income_gini)
    reasons = (
        (demand + flows.spending > flows.gdp)
        | (unequal >= 1 if preset == "paper" else unequal > 0.9)
        | (following.assets.min(axis=-1, keepdims=True) < 0)
        | (following.capital < 0)
        | ~numbers
    )
    assert np.array_equal(flows.terminated, reasons[:, 0])


@PRESET
@given(data=st.data(), rates=st.lists(st.floats(0, 1), min_size=6, max_size=6))
@settings(max_examples=60, deadline=None)
def test_reported_ginis_are_those_of_what_is_left_after_any_tax(
    preset: str, data: st.DataObject, rates: list[float]
) -> None:
    year = data.draw(years(preset))
    taxes = Brackets([0, 1e4, 1e5], rates[:3]), Brackets([0, 1e4, 1e6], rates[3:])
    taxed = replace(year, policy=FiscalPolicy(*taxes, year.policy.spending_share))
    flows, following = taxed.advance()
    np.testing.assert_array_equal(following.ascending_assets, np.sort(following.assets))
    np.testing.assert_array_equal(following.ascending_income, np.sort(following.income))
    shift = year.parameters.gini_shift
    wealth = flows.post_assets if preset == "paper" else following.assets
    with np.errstate(invalid="ignore"):
        wealth_gini, income_gini = gini(wealth, shift), gini(flows.post_income, shift)
    lives = np.isfinite(wealth_gini + income_gini)
    np.testing.assert_allclose(flows.wealth_gini[lives], wealth_gini[lives], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(flows.income_gini[lives], income_gini[lives], rtol=1e-9, atol=1e-12)


@PRESET
@given(data=st.data(), seed=seeds)
@settings(max_examples=40, deadline=None)
def test_the_order_of_households_does_not_matter(preset: str, data: st.DataObject, seed: int) -> None:
    year = data.draw(years(preset))
    households = year.state.assets.shape[1]
    order = np.random.default_rng(seed).permutation(households)

    def shuffled(x: np.ndarray) -> np.ndarray:
        return x[:, order] if x.ndim == 2 and x.shape[1] == households and households > 1 else x

    ranked = {"ascending_assets", "ascending_income"}
    other_year = changed(year, shuffled)
    still_ranked = replace(other_year.state, **{name: getattr(year.state, name) for name in ranked})
    (flows, following), (other_flows, other_following) = (
        year.advance(),
        replace(other_year, state=still_ranked).advance(),
    )
    for record, other in ((flows, other_flows), (following, other_following)):
        for field in fields(record):
            x = getattr(record, field.name)
            same(field.name, getattr(other, field.name), x if field.name in ranked else shuffled(x), flows)


@PRESET
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_game_alone_is_the_game_in_a_batch(preset: str, data: st.DataObject) -> None:
    year = data.draw(years(preset))
    flows, following = year.advance()
    for b in range(len(year.state.assets)):
        alone_flows, alone_following = changed(year, lambda x, b=b: x[b : b + 1]).advance()
        for record, alone in ((flows, alone_flows), (following, alone_following)):
            for field in fields(record):
                same(field.name, getattr(alone, field.name), getattr(record, field.name)[b : b + 1], alone_flows)


@pytest.mark.parametrize("bad", ["capital", "assets", "debt", "tfp", "maximal_hours"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
@PRESET
def test_a_game_gone_bad_ends_and_leaves_the_others_alone(preset: str, bad: str, value: float) -> None:
    year = random_year(5, games=3, households=12, preset=preset)
    numbers = getattr(year.state, bad).copy()
    numbers[1, 0] = value
    broken = replace(year, state=replace(year.state, **{bad: numbers}))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (flows, following), (good_flows, good_following) = broken.advance(), year.advance()
    others = [0, 2]
    for record, good in ((flows, good_flows), (following, good_following)):
        for field in fields(record):
            np.testing.assert_array_equal(getattr(record, field.name)[others], getattr(good, field.name)[others])
            assert np.isfinite(getattr(record, field.name)[1]).all(), field.name
    assert flows.terminated[1]
    worst = 0.99 if preset == "paper" else 0.9
    assert (flows.wealth_gini[1], flows.income_gini[1]) == (worst, worst)
    assert np.all(flows.consumption[1] == 0.001)
    expected = 1 / (1 + np.exp(-(np.log(0.001 / 1000) - 10 / 3)))
    np.testing.assert_allclose(flows.reward[1], expected, rtol=1e-12)
    assert all(not np.any(getattr(following, field.name)[1]) for field in fields(EconomyState))


@PRESET
@given(seed=seeds)
@settings(max_examples=30, deadline=None)
def test_float32_is_close_to_float64(preset: str, seed: int) -> None:
    year = random_year(seed, games=2, households=50, preset=preset)
    single = changed(year, lambda x: x.astype(np.float32) if x.dtype == np.float64 and x.shape[1] > 1 else x)
    single = replace(single, policy=changed_policy(year.policy, lambda x: x.astype(np.float32)))
    single = replace(single, policy=replace(single.policy, spending_share=year.policy.spending_share))
    (flows, following), (exact, _) = single.advance(), year.advance()
    assert flows.income.dtype == following.assets.dtype == flows.reward.dtype == np.float32
    assert flows.gdp.dtype == flows.wealth_gini.dtype == flows.next_capital.dtype == np.float64
    assert np.array_equal(flows.terminated, exact.terminated)
    money = np.abs(exact.assets).sum(axis=-1, keepdims=True) + exact.gdp + np.abs(exact.debt) + exact.capital
    for field in fields(Flows):
        x, y = getattr(flows, field.name).astype(np.float64), getattr(exact, field.name)
        scale = money if field.name in ("revenue", "spending", "next_debt", "next_capital") else np.abs(y) + 1e-3
        if field.name in ("income_tax", "asset_tax", "next_assets"):
            scale = exact.income + exact.assets
        assert np.all(np.abs(x - y) <= 1e-4 * scale), field.name
