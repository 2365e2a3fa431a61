"""One round of a transition: a guessed path of prices and taxes, what households do on it, and the path that follows.

A guess is (T, 8): the logarithms of capital over labour and of the units of the income and the asset tax, and the five
instruments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from envs.economy.actions import LEAST_MEAN_INCOME, leader_bounds
from envs.economy.foresight.setting import Government, Setting, Start
from envs.economy.histogram import Moves, mean_at_the_top
from envs.economy.household_problem import Conditions, Matrix, Plan, Vector, step_back
from envs.economy.taxation import ScaledHSV

Closure = Literal["none", "tau", "spending"]
RATIO, INCOME_UNIT, ASSET_UNIT = range(3)
INSTRUMENTS = slice(3, 8)
TAU, XI, ASSET_TAU, ASSET_XI, SPENDING = range(5)
LEAST_CAPITAL = 0.02  # of assets, while the path is still being looked for


@dataclass(frozen=True)
class Year:
    """What households did in a year, per household: (S, A), and means."""

    share: Matrix
    moves: Moves
    income: Matrix
    consumption: Matrix
    labour: Matrix
    effective_labour: float
    mean_income: float
    total_consumption: float
    asset_tax: float
    kept_of_income: float


@dataclass(frozen=True)
class Path:
    """What a guess leads to, (T,) each: the accounts of each year, and the guess (T, 8) that would have been right."""

    years: list[Year]
    last_share: Matrix
    capital: Vector
    debt: Vector
    assets: Vector
    gdp: Vector
    revenue: Vector
    spending: Vector
    clearing: Vector
    implied: Matrix


def conditions_of(setting: Setting, guess: Matrix) -> list[Conditions]:
    """What households take as given in each year of a guess."""
    p = setting.parameters
    found = []
    for row in guess:
        ratio, income_unit, asset_unit = np.exp(row[:3]).tolist()
        tau, xi, asset_tau, asset_xi, _ = row[INSTRUMENTS].tolist()
        found.append(
            Conditions(
                float(setting.wage(ratio)),
                float(setting.interest_rate(ratio)),
                ScaledHSV(tau, xi, income_unit),
                ScaledHSV(asset_tau, asset_xi, asset_unit),
                p.consumption_tax,
            )
        )
    return found


def backwards(setting: Setting, path: Sequence[Conditions], last: Plan, steps: int) -> tuple[list[Plan], Plan]:
    """The plan of each year, and that of all years after the path, improved from `last` by so many steps."""
    for _ in range(steps):
        last = step_back(setting.household, path[-1], last, path[-1])
    plans, following, under = [], last, path[-1]
    for conditions in reversed(path):
        following = step_back(setting.household, under, following, conditions)
        plans.append(following)
        under = conditions
    return plans[::-1], last


def live_a_year(setting: Setting, conditions: Conditions, plan: Plan, share: Matrix) -> Year:
    """What households at these points do under a plan; hours and assets are the plan's, and the rest follows from them."""
    household = setting.household
    effective = household.hours * household.ability[:, None] * plan.labour
    income = conditions.wage * effective + conditions.interest_rate * household.assets
    kept = conditions.income_tax.kept(np.maximum(income, 0.0)) + np.minimum(income, 0.0)
    left = conditions.asset_tax.kept(household.assets)
    # nobody keeps more than would leave something to live on
    next_assets = np.minimum(plan.next_assets, 0.999 * (kept + left))
    consumption = (kept + left - next_assets) / (1 + conditions.consumption_tax)
    return Year(
        share=share,
        moves=Moves.of(household.assets, next_assets),
        income=income,
        consumption=consumption,
        labour=plan.labour,
        effective_labour=float((share * effective).sum()),
        mean_income=float((share * income).sum()),
        total_consumption=float((share * consumption).sum()),
        asset_tax=float((share * (household.assets - left)).sum()),
        kept_of_income=float((share * kept).sum()),
    )


def forwards(
    setting: Setting,
    start: Start,
    governments: Sequence[tuple[Government, np.ndarray]],
    closure: Closure,
    guess: Matrix,
    path: Sequence[Conditions],
    plans: Sequence[Plan],
) -> Path:
    """The distribution year by year and what it comes to; governments: each with the years (T,) bool in which it rules."""
    household, tax = setting.household, setting.parameters.consumption_tax
    share, debt, years = start.share, start.debt, []
    rows = []
    for row, conditions, plan in zip(guess, path, plans, strict=True):
        year = live_a_year(setting, conditions, plan, share)
        assets = float((share * household.assets).sum())
        capital = max(assets - debt, LEAST_CAPITAL * assets)
        gdp = float(setting.output(capital, year.effective_labour))
        spending = row[INSTRUMENTS][SPENDING] * gdp
        revenue = year.mean_income - year.kept_of_income + year.asset_tax + tax * year.total_consumption
        clearing = np.exp(row[RATIO]) * year.effective_labour + debt - assets
        rows.append((capital, debt, assets, gdp, revenue, spending, clearing / assets))
        years.append(year)
        if closure == "none":
            debt = (1 + conditions.interest_rate) * debt + spending - revenue
        share = year.moves.forward(household, share)
    found = np.array(rows).T
    implied = _implied(setting, start, governments, closure, guess, path, years, found)
    return Path(years, share, *found, implied)


def _implied(
    setting: Setting,
    start: Start,
    governments: Sequence[tuple[Government, np.ndarray]],
    closure: Closure,
    guess: Matrix,
    path: Sequence[Conditions],
    years: Sequence[Year],
    found: Matrix,
) -> Matrix:
    """The guess that these years would have borne out."""
    capital, debt, assets, gdp, revenue, spending, _ = found
    labour = np.array([year.effective_labour for year in years])
    incomes = np.array([start.mean_income, *(year.mean_income for year in years[:-1])])
    last_gdp = np.append(start.gdp, gdp[:-1])
    implied = np.empty_like(guess)
    implied[:, RATIO] = np.log(capital / labour)
    implied[:, INCOME_UNIT] = np.log(np.maximum(incomes, LEAST_MEAN_INCOME * last_gdp))
    implied[:, ASSET_UNIT] = np.log(assets)
    seen = observations(setting, start, years, capital / last_gdp, debt / last_gdp, path)
    low, high = leader_bounds(setting.parameters)
    actions = np.empty((len(guess), 5))
    for government, ruling in governments:
        actions[ruling] = government.act(seen[ruling])
    implied[:, INSTRUMENTS] = np.clip(actions, low, high)
    if closure != "none":
        owed = debt * np.array([conditions.interest_rate for conditions in path])
        _balance(guess, implied, closure, revenue, spending, owed, gdp, years)
    return implied


def _balance(
    guess: Matrix,
    implied: Matrix,
    closure: Closure,
    revenue: Vector,
    spending: Vector,
    interest: Vector,
    gdp: Vector,
    years: Sequence[Year],
) -> None:
    """Writes the tau, or the spending, with which revenue pays spending and interest in every year."""
    if closure == "spending":
        implied[:, 3 + SPENDING] = (revenue - interest) / gdp
        return
    # what is kept of income is in proportion to 1 - tau
    kept = np.array([year.kept_of_income for year in years])
    short = spending + interest - revenue
    implied[:, 3 + TAU] = 1 - (1 - guess[:, 3 + TAU]) * (1 - short / kept)


def observations(
    setting: Setting,
    start: Start,
    years: Sequence[Year],
    capital_to_gdp: Vector,
    debt_to_gdp: Vector,
    path: Sequence[Conditions],
) -> Matrix:
    """What the government sees at the start of each year, (T, dl); as `envs.economy.observation.observe`."""
    p, household = setting.parameters, setting.household
    grid = np.broadcast_to(household.assets, start.share.shape)
    ahead = np.broadcast_to((household.transition @ household.ability)[:, None], start.share.shape)
    found = []
    for t, year in enumerate(years):
        first = t == 0
        share, income = (start.last_share, start.last_income) if first else (years[t - 1].share, years[t - 1].income)
        ability = start.ability_since if first else ahead
        prices = (start.wage, start.interest_rate) if first else (path[t - 1].wage, path[t - 1].interest_rate)
        shared = {
            "wage": prices[0],
            "interest_rate": prices[1],
            "capital_to_gdp": capital_to_gdp[t],
            "debt_to_gdp": debt_to_gdp[t],
        }
        groups = []
        for sign, part in ((1.0, p.top_share), (-1.0, p.bottom_share)):
            groups.append(mean_at_the_top(grid, sign * grid, year.share, part))
            groups.append(mean_at_the_top(income, sign * income, share, part))
            groups.append(mean_at_the_top(ability, sign * income, share, part))
        found.append([*groups, *(shared[name] for name in p.laws.leader_sees)])
    return np.array(found)
