"""One round of a transition: a guessed path of prices and taxes, what households do on it, and the path that follows.

A guess is (T, 9): the logarithms of capital over labour and of the units of the income and the asset tax, the five
instruments, and the transfer to everybody as a share of mean income, 0 in economies without it.
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
from envs.game import BoolArray

Closure = Literal[
    "none", "tau", "spending", "transfer"
]  # what pays for spending and interest every year, see `transition`
RATIO, INCOME_UNIT, ASSET_UNIT = range(3)
INSTRUMENTS = slice(3, 9)
TAU, XI, ASSET_TAU, ASSET_XI, SPENDING, TRANSFER = range(6)
LEAST_CAPITAL = 0.02  # of assets, while the path is still being looked for


@dataclass(frozen=True)
class Case:
    """What a transition is to be found for.

    governments: each with the years (T,) in which it rules. productivity: factors on TFP, (T,). purchases: public
    spending in dollars per household, whatever governments say; None: as they say.
    """

    setting: Setting
    start: Start
    governments: Sequence[tuple[Government, BoolArray]]
    closure: Closure
    productivity: Vector
    purchases: float | None = None

    def ruling(self, year: int) -> Government:
        """Who governs in a year."""
        return next(government for government, years in self.governments if years[year])


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

    def revenue(self, consumption_tax: float) -> float:
        """All taxes, per household."""
        return self.mean_income - self.kept_of_income + self.asset_tax + consumption_tax * self.total_consumption


@dataclass(frozen=True)
class Accounts:
    """Of each year, (T,) each, per household; clearing is (K + B - A) / A with the capital that was guessed."""

    capital: Vector
    debt: Vector
    assets: Vector
    gdp: Vector
    revenue: Vector
    spending: Vector
    transfers: Vector
    clearing: Vector


@dataclass(frozen=True)
class Path:
    """What a guess leads to: each year, who stands where after the last, and the guess that would have been right."""

    years: list[Year]
    last_share: Matrix
    accounts: Accounts
    implied: Matrix


def conditions_of(setting: Setting, guess: Matrix, productivity: Vector) -> list[Conditions]:
    """What households take as given in each year of a guess, with factors on TFP (T,)."""
    p = setting.parameters
    found = []
    for row, factor in zip(guess, productivity.tolist(), strict=True):
        ratio, income_unit, asset_unit = np.exp(row[:3]).tolist()
        tau, xi, asset_tau, asset_xi, _, transfer = row[INSTRUMENTS].tolist()
        found.append(
            Conditions(
                float(setting.wage(ratio, factor)),
                float(setting.interest_rate(ratio, factor)),
                ScaledHSV(tau, xi, income_unit),
                ScaledHSV(asset_tau, asset_xi, asset_unit),
                p.consumption_tax,
                transfer * income_unit,
            )
        )
    return found


def decided(setting: Setting, government: Government, seen: Matrix) -> Vector:
    """A government's instruments (6,) where it sees (1, dl), within what the game allows."""
    action = np.clip(government.act(seen)[0].astype(np.float64), *leader_bounds(setting.parameters))
    found = np.zeros(TRANSFER + 1)
    found[: len(action)] = action
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
    """What households at these points do: hours and assets kept are the plan's, the rest follows from them."""
    household = setting.household
    effective = household.hours * household.ability[:, None] * plan.labour
    income = conditions.wage * effective + conditions.interest_rate * household.assets
    kept = conditions.income_tax.kept(np.maximum(income, 0.0)) + np.minimum(income, 0.0)
    left = conditions.asset_tax.kept(household.assets)
    # nobody keeps more than would leave something to live on
    cash = kept + left + conditions.transfer
    next_assets = np.minimum(plan.next_assets, 0.999 * cash)
    consumption = (cash - next_assets) / (1 + conditions.consumption_tax)
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


def forwards(case: Case, guess: Matrix, path: Sequence[Conditions], plans: Sequence[Plan]) -> Path:
    """The distribution year by year and what it comes to.

    The government does its accounts with the instruments it would choose on this path, households do as on the guessed
    one: debt then stays within reason while the two still differ.
    """
    setting, household, tax = case.setting, case.setting.household, case.setting.parameters.consumption_tax
    share, debt, known, years, rows, implied = case.start.share, case.start.debt, Known.at(case.start), [], [], []
    for t, (row, conditions, plan) in enumerate(zip(guess, path, plans, strict=True)):
        year = live_a_year(setting, conditions, plan, share)
        assets = float((share * household.assets).sum())
        capital = max(assets - debt, LEAST_CAPITAL * assets)
        gdp = float(setting.output(capital, year.effective_labour, case.productivity[t]))
        units = np.log([capital / year.effective_labour, known.income_unit, assets])
        action = decided(setting, case.ruling(t), observation(setting, known, share, capital, debt))
        if case.purchases is not None:
            action[SPENDING] = case.purchases / gdp
        books = Books(gdp, known.income_unit, year.revenue(tax), conditions.interest_rate * debt)
        action = books.closed(case.closure, row[INSTRUMENTS], action, year)
        # what is kept of income is in proportion to 1 - tau
        more_taxed = (action[TAU] - row[INSTRUMENTS][TAU]) / (1 - row[INSTRUMENTS][TAU]) * year.kept_of_income
        revenue, spending = books.revenue + more_taxed, action[SPENDING] * gdp
        transfers = action[TRANSFER] * known.income_unit
        clearing = np.exp(row[RATIO]) * year.effective_labour + debt - assets
        rows.append((capital, debt, assets, gdp, revenue, spending, transfers, clearing / assets))
        implied.append([*units, *action])
        years.append(year)
        if case.closure == "none":
            debt = (1 + conditions.interest_rate) * debt + spending + transfers - revenue
        known = Known.after(setting, year, conditions, gdp)
        share = year.moves.forward(household, share)
    return Path(years, share, Accounts(*np.array(rows).T), np.array(implied))


@dataclass(frozen=True)
class Books:
    """A year's accounts as they are with the guessed instruments, per household; unit: that of the transfer."""

    gdp: float
    unit: float
    revenue: float
    interest: float

    def closed(self, closure: Closure, guessed: Vector, action: Vector, year: Year) -> Vector:
        """The instruments, one of which pays for everything else unless the rule itself sees to that."""
        spent = action[SPENDING] * self.gdp + action[TRANSFER] * self.unit + self.interest
        if closure == "spending":
            action[SPENDING] += (self.revenue - spent) / self.gdp
        elif closure == "transfer":
            action[TRANSFER] += (self.revenue - spent) / self.unit
        elif closure == "tau":
            action[TAU] = guessed[TAU] + (1 - guessed[TAU]) * (spent - self.revenue) / year.kept_of_income
        return action


@dataclass(frozen=True)
class Known:
    """What the year before showed: who stood where with which income, their mean ability now, (S, A); prices, GDP."""

    share: Matrix
    income: Matrix
    ability: Matrix
    wage: float
    interest_rate: float
    gdp: float

    @classmethod
    def at(cls, start: Start) -> Known:
        """Before the first year."""
        s = start
        return cls(s.last_share, s.last_income, s.ability_since, s.wage, s.interest_rate, s.gdp)

    @classmethod
    def after(cls, setting: Setting, year: Year, conditions: Conditions, gdp: float) -> Known:
        """After a year."""
        ahead = mean_ability_ahead(setting, year.share)
        return cls(year.share, year.income, ahead, conditions.wage, conditions.interest_rate, gdp)

    @property
    def income_unit(self) -> float:
        """Mean income as the unit of this year's tax."""
        return max(float((self.share * self.income).sum()), LEAST_MEAN_INCOME * self.gdp)


def mean_ability_ahead(setting: Setting, share: Matrix) -> Matrix:
    """Mean ability a year on, by where households stand, (S, A)."""
    household = setting.household
    return np.broadcast_to((household.transition @ household.ability)[:, None], share.shape).astype(np.float64)


def observation(setting: Setting, known: Known, share: Matrix, capital: float, debt: float) -> Matrix:
    """What the government sees at the start of a year, (1, dl); as `envs.economy.observation.observe`."""
    p = setting.parameters
    grid = np.broadcast_to(setting.household.assets, share.shape)
    shared = {
        "wage": known.wage,
        "interest_rate": known.interest_rate,
        "capital_to_gdp": capital / known.gdp,
        "debt_to_gdp": debt / known.gdp,
    }
    groups = []
    for sign, part in ((1.0, p.top_share), (-1.0, p.bottom_share)):
        groups.append(mean_at_the_top(grid, sign * grid, share, part))
        groups.append(mean_at_the_top(known.income, sign * known.income, known.share, part))
        groups.append(mean_at_the_top(known.ability, sign * known.income, known.share, part))
    return np.array([[*groups, *(shared[name] for name in p.laws.leader_sees)]])
