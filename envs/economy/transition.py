"""One year of an economy: from a state, what everybody decides and what chance brings to flows and the next state.

Per household (B, N), per game (B, 1). Markets and the government keep their books in float64; households in their own
dtype. Nothing here draws random numbers, and no game's numbers enter another's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from envs.economy import accounts, households, markets
from envs.economy.indicators import gini_of_taxed
from envs.economy.parameters import EconomyParameters
from envs.economy.state import Accounts, Budgets, Choices, Flows, Prices, Shock, State, total
from envs.economy.taxation import FiscalPolicy
from envs.game import Array, BoolArray


def advance(
    parameters: EconomyParameters, state: State, policy: FiscalPolicy, choices: Choices, shock: Shock
) -> tuple[Flows, State]:
    """Clears the markets of one year and rolls the budgets forward.

    A game ends where consumption and spending exceed their limit, a gini or debt reaches its own, somebody's assets
    become negative, capital falls below the least of it, or something is not a finite number; `_failed` says what is
    then reported.
    """
    with np.errstate(all="ignore"):
        flows, following = _year(parameters, state, policy, choices, shock)
        books, ginis = flows.gdp + flows.next_capital + flows.next_debt, flows.wealth_gini + flows.income_gini
        failed = ~np.isfinite(books + ginis + flows.welfare)[:, 0]
        if failed.any():
            return _failed(parameters, flows, failed), following.without_games(failed)
        return flows, following


def _year(
    parameters: EconomyParameters, state: State, policy: FiscalPolicy, choices: Choices, shock: Shock
) -> tuple[Flows, State]:
    laws, dtype = parameters.laws, state.assets.dtype
    asset_factor = _as(dtype, shock.asset_factor)
    assets = state.assets * asset_factor
    hours = _as(dtype, state.maximal_hours) * choices.labour_share
    effective_labour = shock.ability * hours
    capital, debt = laws.balance_sheets(state.capital, state.debt, shock.asset_factor)
    prices = _prices(parameters, state.tfp * shock.tfp_factor, capital, total(effective_labour))
    spending = policy.spending_share * prices.gdp
    budgets, excess_demand = _budgets(
        parameters, policy, choices.saving_rate, prices, assets, effective_labour, spending
    )
    books = _accounts(parameters, capital, debt, prices, assets, budgets, spending)
    next_capital = laws.next_capital(parameters, prices, books)
    reward = laws.utility(parameters, budgets.consumption, choices.labour_share, spending / assets.shape[-1])
    following = _next_state(state, shock, prices, budgets, books.next_debt, next_capital)
    wealth_gini, income_gini = _ginis(parameters, policy, state.ascending_assets * asset_factor, following)
    unequal = (wealth_gini >= parameters.gini_limit) | (income_gini >= parameters.gini_limit)
    exhausted = next_capital < parameters.least_capital * prices.gdp
    bankrupt = (
        (following.ascending_assets[:, :1] < 0) | exhausted | _over(books.next_debt, parameters.debt_limit, prices)
    )
    flows = Flows(
        **vars(prices),
        **vars(budgets),
        **vars(books),
        previous_gdp=state.gdp,
        next_capital=next_capital,
        welfare=total(reward),
        total_marginal_rate=total(policy.income_tax.marginal_rate(budgets.income)),
        wealth_gini=wealth_gini,
        income_gini=income_gini,
        ability=shock.ability,
        assets=assets,
        saving_rate=choices.saving_rate,
        labour_share=choices.labour_share,
        hours=hours,
        reward=reward,
        terminated=(excess_demand | unequal | bankrupt)[:, 0],
    )
    return flows, following


def _prices(parameters: EconomyParameters, tfp: Array, capital: Array, labour: Array) -> Prices:
    gdp = markets.production(tfp, capital, labour, parameters.capital_share)
    wage = markets.wage(gdp, labour, parameters.capital_share)
    return Prices(tfp, labour, gdp, wage, parameters.laws.interest_rate(parameters, capital, labour, gdp))


def _budgets(
    parameters: EconomyParameters,
    policy: FiscalPolicy,
    saving_rate: Array,
    prices: Prices,
    assets: Array,
    effective_labour: Array,
    spending: Array,
) -> tuple[Budgets, BoolArray]:
    """What households earn, pay, consume and keep, and whether they desire more goods than there are, (B, 1)."""
    laws, dtype = parameters.laws, assets.dtype
    income = households.gross_income(
        _as(dtype, prices.wage), effective_labour, _as(dtype, prices.interest_rate), assets
    )
    income_tax, asset_tax = policy.income_tax.tax(income), policy.asset_tax.tax(assets)
    post_income, post_assets = income - income_tax, assets - asset_tax
    base = laws.consumption_base(post_income, post_assets)
    desired = households.desired_consumption(saving_rate, base, parameters.consumption_tax)
    demand = total(desired)
    consumption = laws.consumption(desired, demand, spending, prices.gdp)
    next_assets = households.next_assets(post_income, post_assets, consumption, parameters.consumption_tax)
    budgets = Budgets(income, income_tax, asset_tax, post_income, post_assets, consumption, next_assets)
    return budgets, _over(demand + spending, parameters.demand_limit, prices)


def _over(amount: Array, limit: float, prices: Prices) -> BoolArray:
    """Where an amount (B, 1) exceeds a multiple of GDP; nowhere, if the limit is infinite."""
    over: BoolArray = amount > limit * prices.gdp
    return over


def _accounts(
    parameters: EconomyParameters,
    capital: Array,
    debt: Array,
    prices: Prices,
    assets: Array,
    budgets: Budgets,
    spending: Array,
) -> Accounts:
    consumption_tax, total_consumption = parameters.consumption_tax, total(budgets.consumption)
    revenue = accounts.tax_revenue(budgets.income_tax, budgets.asset_tax, total_consumption, consumption_tax)
    return Accounts(
        capital=capital,
        debt=debt,
        total_assets=total(assets),
        total_consumption=total_consumption,
        spending=spending,
        revenue=revenue,
        total_next_assets=total(budgets.next_assets),
        next_debt=accounts.next_debt(debt, prices.interest_rate, spending, revenue),
    )


def _ginis(
    parameters: EconomyParameters, policy: FiscalPolicy, ascending_assets: Array, following: State
) -> tuple[Array, Array]:
    """Ginis of wealth and of income after tax, (B, 1) each; taxing what ascends seldom upsets its order."""
    income = following.ascending_income - policy.income_tax.tax(following.ascending_income)
    wealth = parameters.laws.reported_wealth(policy.asset_tax, ascending_assets, following.ascending_assets)
    return gini_of_taxed(wealth, parameters.gini_shift), gini_of_taxed(income, parameters.gini_shift)


def _next_state(
    state: State, shock: Shock, prices: Prices, budgets: Budgets, next_debt: Array, next_capital: Array
) -> State:
    return State(
        ability=shock.ability,
        superstar=shock.superstar,
        assets=budgets.next_assets,
        income=budgets.income,
        ascending_assets=np.sort(budgets.next_assets, axis=-1),
        ascending_income=np.sort(budgets.income, axis=-1),
        capital=next_capital,
        debt=next_debt,
        gdp=prices.gdp,
        wage=prices.wage,
        interest_rate=prices.interest_rate,
        tfp=state.tfp,
        maximal_hours=state.maximal_hours,
    )


def _failed(parameters: EconomyParameters, flows: Flows, failed: BoolArray) -> Flows:
    """The flows of games in which something is not a number: the worst ginis, next to no consumption, l = 1.

    What is not a finite number in these games becomes 0. Other games are left as they are.
    """
    reported: dict[str, Any] = {name: _finite(x, failed) for name, x in vars(flows).items()}
    count = flows.reward.shape[-1]
    nothing = np.array(parameters.failed_consumption)
    least = parameters.laws.utility(parameters, nothing, np.array(1.0), nothing)
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


def _as(dtype: np.dtype, per_game: Array) -> Array:
    """A number per game in the households' dtype."""
    return per_game.astype(dtype, copy=False)
