"""One year of an economy in numpy: from a state, what everybody decides and what chance brings to flows and a state."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from envs.economy.arrays import cast, total
from envs.economy.indicators import gini_of_taxed
from envs.economy.parameters import EconomyParameters
from envs.economy.state import Choices, EconomyState, Flows, Shock
from envs.economy.taxation import FiscalPolicy
from envs.economy.year import EconomyYear, ends, failed_utility, next_state, play_year
from envs.game import Array, BoolArray


def advance(
    parameters: EconomyParameters, state: EconomyState, policy: FiscalPolicy, choices: Choices, shock: Shock
) -> tuple[Flows, EconomyState]:
    """Plays one year and measures what came of it.

    A game ends where consumption and spending exceed their limit, a gini or debt reaches its own, somebody's assets
    become negative, capital falls below the least of it, or something is not a finite number; `_failed` says what is
    then reported.
    """
    with np.errstate(all="ignore"):
        year = play_year(parameters, state, policy, choices, shock, total)
        flows, following = _measured(parameters, state, policy, choices, shock, year)
        books, ginis = flows.gdp + flows.next_capital + flows.next_debt, flows.wealth_gini + flows.income_gini
        failed = ~np.isfinite(books + ginis + flows.welfare)[:, 0]
        if np.count_nonzero(failed):
            return _failed(parameters, flows, failed), following.without_games(failed)
        return flows, following


def _measured(
    parameters: EconomyParameters,
    state: EconomyState,
    policy: FiscalPolicy,
    choices: Choices,
    shock: Shock,
    year: EconomyYear,
) -> tuple[Flows, EconomyState]:
    budgets = year.budgets
    assets, income = np.sort(budgets.next_assets, axis=-1), np.sort(budgets.income, axis=-1)
    following = next_state(state, shock, year, ascending_assets=assets, ascending_income=income)
    ascending_assets = state.ascending_assets * cast(shock.asset_factor, state.assets)
    wealth_gini, income_gini = _ginis(parameters, policy, ascending_assets, following, budgets.post_income)
    ended = ends(parameters, year, following.ascending_assets[:, :1], (wealth_gini, income_gini))
    flows = Flows(
        **vars(year.prices),
        **vars(budgets),
        **vars(year.books),
        previous_gdp=state.gdp,
        next_capital=year.next_capital,
        welfare=total(year.reward),
        total_marginal_rate=total(_marginal_rate(policy, year, shock)),
        wealth_gini=wealth_gini,
        income_gini=income_gini,
        ability=shock.ability,
        assets=year.assets,
        saving_rate=choices.saving_rate,
        labour_share=choices.labour_share,
        hours=year.hours,
        reward=year.reward,
        terminated=ended[:, 0],
    )
    return flows, following


def _marginal_rate(policy: FiscalPolicy, year: EconomyYear, shock: Shock) -> Array:
    """What one dollar more of earnings owes, (B, N)."""
    income = year.budgets.income
    if policy.keeps_order:
        return policy.income_tax.marginal_rate(income)
    earnings = cast(year.prices.wage, income) * shock.ability * year.hours
    at_once = policy.taxed_at_once(earnings, cast(year.prices.interest_rate, income) * year.assets)
    rate = policy.income_tax.marginal_rate(income - at_once)
    if policy.flat_on_earnings is not None:
        flat = cast(policy.flat_on_earnings, income)
        rate = flat + (1 - flat) * rate
    return rate if policy.labour_tax is None else rate + policy.labour_tax.marginal_rate(earnings)


def _ginis(
    parameters: EconomyParameters,
    policy: FiscalPolicy,
    ascending_assets: Array,
    following: EconomyState,
    post_income: Array,
) -> tuple[Array, Array]:
    """Ginis of wealth and of income after tax, (B, 1) each; taxing what ascends seldom upsets its order.

    Taxes on earnings or interest alone do: then incomes after tax, (B, N), are sorted anew.
    """
    wealth = parameters.laws.reported_wealth(policy.asset_tax, ascending_assets, following.ascending_assets)
    income = _ascending_income(policy, following, post_income)
    return gini_of_taxed(wealth, parameters.gini_shift), gini_of_taxed(income, parameters.gini_shift)


def _ascending_income(policy: FiscalPolicy, following: EconomyState, post_income: Array) -> Array:
    if not policy.keeps_order:
        return np.sort(post_income, axis=-1)
    income: Array = following.ascending_income - policy.income_tax.tax(following.ascending_income)
    if policy.transfer is not None:
        income = income + cast(policy.transfer, income)
    return income


def _failed(parameters: EconomyParameters, flows: Flows, failed: BoolArray) -> Flows:
    """The flows of games in which something is not a number: the worst ginis, next to no consumption, l = 1.

    What is not a finite number in these games becomes 0. Other games are left as they are.
    """
    reported: dict[str, Any] = {name: _finite(x, failed) for name, x in vars(flows).items()}
    count = flows.reward.shape[-1]
    least = failed_utility(parameters)
    for name, value in (
        ("wealth_gini", parameters.failed_gini),
        ("income_gini", parameters.failed_gini),
        ("consumption", parameters.failed_consumption),
        ("reward", least),
        ("welfare", count * least),
        ("terminated", True),
    ):
        reported[name][failed] = value
    return replace(flows, **reported)


def _finite(x: Array, games: BoolArray) -> Array:
    copy = x.copy()
    copy[games] = np.nan_to_num(x[games], nan=0.0, posinf=0.0, neginf=0.0)
    return copy
