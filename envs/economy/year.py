"""One year of an economy as arithmetic: markets clear and budgets roll forward, in numpy and in torch alike.

Per household (B, N), per game (B, 1). In numpy, markets and the government keep their books in float64, households in
their own dtype. Nothing here draws random numbers, and no game's numbers enter another's. Every sum over households is
taken by `total`; where that returns each household's own share of the sum, (B, N), prices and books have that shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from envs.economy import accounts, households, markets
from envs.economy.arrays import Total, cast
from envs.economy.parameters import EconomyParameters
from envs.economy.state import Accounts, Budgets, Choices, EconomyState, Prices, Shock
from envs.economy.taxation import FiscalPolicy
from envs.game import Array, BoolArray


@dataclass(frozen=True)
class EconomyYear:
    """What happens in a year, whatever comes of it.

    Per game (B, 1): prices, books, next_capital, excess_demand. Per household (B, N): budgets, assets (after a crisis),
    hours, reward.
    """

    prices: Prices
    budgets: Budgets
    books: Accounts
    next_capital: Array
    excess_demand: BoolArray
    assets: Array
    hours: Array
    reward: Array


def play_year(
    parameters: EconomyParameters,
    state: EconomyState,
    policy: FiscalPolicy,
    choices: Choices,
    shock: Shock,
    total: Total,
) -> EconomyYear:
    """Clears the markets of one year and settles everybody's budget."""
    laws = parameters.laws
    assets = state.assets * cast(shock.asset_factor, state.assets)
    hours = cast(state.maximal_hours, assets) * choices.labour_share
    effective_labour = shock.ability * hours
    capital, debt = laws.balance_sheets(state.capital, state.debt, shock.asset_factor)
    prices = _prices(parameters, state.tfp * shock.tfp_factor, capital, total(effective_labour))
    spending = policy.spending_share * prices.gdp
    budgets, excess_demand = _budgets(
        parameters, policy, choices.saving_rate, prices, assets, effective_labour, spending, total
    )
    books = _accounts(parameters, policy, capital, debt, prices, assets, budgets, spending, total)
    return EconomyYear(
        prices=prices,
        budgets=budgets,
        books=books,
        next_capital=laws.next_capital(parameters, prices, books),
        excess_demand=excess_demand,
        assets=assets,
        hours=hours,
        reward=laws.utility(parameters, budgets.consumption, choices.labour_share, spending / assets.shape[-1]),
    )


def next_state(state: EconomyState, shock: Shock, year: EconomyYear, **ascending: Array) -> EconomyState:
    """Where the economy stands after a year; the sorted copies, where there are any, are handed in by name."""
    return EconomyState(
        ability=shock.ability,
        superstar=shock.superstar,
        assets=year.budgets.next_assets,
        income=year.budgets.income,
        capital=year.next_capital,
        debt=year.books.next_debt,
        gdp=year.prices.gdp,
        wage=year.prices.wage,
        interest_rate=year.prices.interest_rate,
        tfp=state.tfp,
        maximal_hours=state.maximal_hours,
        **ascending,
    )


def ends(
    parameters: EconomyParameters, year: EconomyYear, poorest: Array, ginis: tuple[Array, Array] | None
) -> BoolArray:
    """Games (B, 1) whose limits a year has crossed; `poorest` are each game's smallest assets (B, 1).

    ginis: of wealth and of income after tax, (B, 1) each; None where they have no limit.
    """
    prices = year.prices
    exhausted = year.next_capital < parameters.least_capital * prices.gdp
    ended: BoolArray = (
        year.excess_demand | (poorest < 0) | exhausted | _over(year.books.next_debt, parameters.debt_limit, prices)
    )
    for measured in ginis or ():
        ended = ended | (measured >= parameters.gini_limit)
    return ended


def failed_utility(parameters: EconomyParameters) -> float:
    """What households of a failed game are rewarded with: next to no consumption, and l = 1."""
    nothing = np.full((1, 1), parameters.failed_consumption)
    return float(parameters.laws.utility(parameters, nothing, np.ones((1, 1)), nothing).item())


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
    total: Total,
) -> tuple[Budgets, BoolArray]:
    """What households earn, pay, consume and keep, and whether they desire more goods than there are, (B, 1)."""
    laws = parameters.laws
    income = households.gross_income(
        cast(prices.wage, assets), effective_labour, cast(prices.interest_rate, assets), assets
    )
    asset_tax = policy.asset_tax.tax(assets)
    income_tax = _income_tax(policy, prices, income, assets, effective_labour)
    post_income, post_assets = income - income_tax, assets - asset_tax
    if policy.transfer is not None:
        post_income = post_income + cast(policy.transfer, assets)
    base = laws.consumption_base(post_income, post_assets)
    consumption_tax = _consumption_tax(parameters, policy)
    if not isinstance(consumption_tax, float):
        consumption_tax = cast(consumption_tax, assets)
    desired = households.desired_consumption(saving_rate, base, consumption_tax)
    demand = total(desired)
    consumption = laws.consumption(desired, demand, spending, prices.gdp)
    next_assets = households.next_assets(post_income, post_assets, consumption, consumption_tax)
    budgets = Budgets(income, income_tax, asset_tax, post_income, post_assets, consumption, next_assets)
    return budgets, _over(demand + spending, parameters.demand_limit, prices)


def _income_tax(policy: FiscalPolicy, prices: Prices, income: Array, assets: Array, effective_labour: Array) -> Array:
    """Of all income, of earnings and of interest together, (B, N)."""
    if policy.keeps_order:
        return policy.income_tax.tax(income)
    earnings = cast(prices.wage, assets) * effective_labour
    at_once = policy.taxed_at_once(earnings, cast(prices.interest_rate, assets) * assets)
    owed = policy.income_tax.tax(income - at_once) + at_once
    return owed if policy.labour_tax is None else owed + policy.labour_tax.tax(earnings)


def _consumption_tax(parameters: EconomyParameters, policy: FiscalPolicy) -> Any:
    """Of consumption before tax: the government's, (B, 1), or else the economy's own."""
    return float(parameters.consumption_tax) if policy.consumption_tax is None else policy.consumption_tax


def _over(amount: Array, limit: float, prices: Prices) -> BoolArray:
    """Where an amount (B, 1) exceeds a multiple of GDP; nowhere, if the limit is infinite."""
    over: BoolArray = amount > limit * prices.gdp
    return over


def _accounts(
    parameters: EconomyParameters,
    policy: FiscalPolicy,
    capital: Array,
    debt: Array,
    prices: Prices,
    assets: Array,
    budgets: Budgets,
    spending: Array,
    total: Total,
) -> Accounts:
    consumption_tax, total_consumption = _consumption_tax(parameters, policy), total(budgets.consumption)
    revenue = accounts.tax_revenue(budgets.income_tax, budgets.asset_tax, total_consumption, consumption_tax, total)
    # every household gets as much: theirs together depends on each of them by way of mean income alone
    households_paid = assets.shape[-1]
    transfers = 0 * spending if policy.transfer is None else policy.transfer * households_paid
    return Accounts(
        capital=capital,
        debt=debt,
        total_assets=total(assets),
        total_consumption=total_consumption,
        spending=spending,
        transfers=transfers,
        revenue=revenue,
        total_next_assets=total(budgets.next_assets),
        next_debt=accounts.next_debt(debt, prices.interest_rate, spending, transfers, revenue),
    )
