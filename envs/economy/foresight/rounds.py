"""One round of a transition: a guessed path of prices and taxes, what households do on it, and the path that follows.

A guess is (T, 3 + al): the logarithms of capital over labour and of the units of the income and the asset tax, and the
government's instruments, each over its `scales`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from envs.economy import instruments
from envs.economy.actions import LEAST_MEAN_INCOME, leader_bounds, policy_in_units
from envs.economy.foresight.setting import Government, Start, TransitionSetting
from envs.economy.histogram import Moves, mean_at_the_top
from envs.economy.household_problem import Conditions, Matrix, Plan, Vector, step_back
from envs.economy.levied import levied
from envs.economy.parameters import EconomyParameters
from envs.game import BoolArray, InvalidSetting

Closure = Literal[
    "none", "tau", "spending", "transfer"
]  # what pays for spending and interest every year, see `transition`
RATIO, INCOME_UNIT, ASSET_UNIT = range(3)
INSTRUMENTS = slice(3, None)
TAU, XI, ASSET_TAU, ASSET_XI, SPENDING = range(5)
# instruments that a guess holds in other units than an action does, so that all its numbers are about as large
SCALES = {"wealth_tax_exemption": 1e8}
LEAST_CAPITAL = 0.02  # of assets, while the path is still being looked for


@dataclass(frozen=True)
class TransitionCase:
    """What a transition is to be found for.

    governments: each with the years (T,) in which it rules. productivity: factors on TFP, (T,). purchases: public
    spending in dollars per household, whatever governments say; None: as they say.
    """

    setting: TransitionSetting
    start: Start
    governments: Sequence[tuple[Government, BoolArray]]
    closure: Closure
    productivity: Vector
    purchases: float | None = None

    def ruling(self, year: int) -> Government:
        """Who governs in a year."""
        return next(government for government, years in self.governments if years[year])


@dataclass(frozen=True)
class HouseholdYear:
    """What households did in a year, per household: (S, A), and means.

    income: before all taxes. kept: of income after all taxes on it. taxes: what each instrument took, the transfer as a
    negative one (`Conditions.taxes`). kept_of_income: what the tax on all income left of what it applied to.
    """

    share: Matrix
    moves: Moves
    income: Matrix
    kept: Matrix
    consumption: Matrix
    labour: Matrix
    effective_labour: float
    mean_income: float
    total_consumption: float
    kept_of_income: float
    taxes: dict[str, float]

    @property
    def revenue(self) -> float:
        """All taxes, per household; transfers are apart."""
        return sum(taken for name, taken in self.taxes.items() if name != "transfer")

    @property
    def transfers(self) -> float:
        """What everybody is given, per household."""
        return 0.0 - self.taxes["transfer"]


@dataclass(frozen=True)
class PathAccounts:
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
class RoundPath:
    """What a guess leads to: each year, who stands where after the last, and the guess that would have been right."""

    years: list[HouseholdYear]
    last_share: Matrix
    accounts: PathAccounts
    implied: Matrix


def scales(parameters: EconomyParameters) -> Vector:
    """What the instruments of a guess are multiplied by to be those of an action, (al,)."""
    return np.array([SCALES.get(name, 1.0) for name in instruments.names(parameters)])


def conditions_along(case: TransitionCase, guess: Matrix) -> list[Conditions]:
    """What households take as given in each year of a guess."""
    factors = case.productivity.tolist()
    return [
        conditions_in(case.setting, case.ruling(t), row, factor, t)
        for t, (row, factor) in enumerate(zip(guess, factors, strict=True))
    ]


def conditions_in(
    setting: TransitionSetting, government: Government, row: Vector, factor: float, year: int
) -> Conditions:
    """What households take as given in a year of which a guess says `row`, with a factor on TFP."""
    p = setting.parameters
    ratio, income_unit, asset_unit = np.exp(row[:3]).tolist()
    action = row[INSTRUMENTS] * scales(p)
    units = np.array([[income_unit]]), np.array([[asset_unit]])
    policy = policy_in_units(p, action[None, :], *units, setting.household.assets)
    # a rule that taxes by a schedule of its own says so
    law = getattr(government, "levied", None)
    if law is not None:
        policy = law(policy, np.array([year]))
    wage, rate = float(setting.wage(ratio, factor)), float(setting.interest_rate(ratio, factor))
    return levied(policy, p.consumption_tax, 0, wage, rate)


def decided(setting: TransitionSetting, government: Government, seen: Matrix) -> Vector:
    """A government's instruments (al,) where it sees (1, dl), within what the game allows."""
    action: Vector = np.clip(government.act(seen)[0].astype(np.float64), *leader_bounds(setting.parameters))
    return action


def backwards(
    setting: TransitionSetting, path: Sequence[Conditions], last: Plan, steps: int
) -> tuple[list[Plan], Plan]:
    """The plan of each year, and that of all years after the path, improved from `last` by so many steps."""
    for _ in range(steps):
        last = step_back(setting.household, path[-1], last, path[-1])
    plans, following, under = [], last, path[-1]
    for conditions in reversed(path):
        following = step_back(setting.household, under, following, conditions)
        plans.append(following)
        under = conditions
    return plans[::-1], last


def live_a_year(setting: TransitionSetting, conditions: Conditions, plan: Plan, share: Matrix) -> HouseholdYear:
    """What households at these points do: hours and assets kept are the plan's, the rest follows from them."""
    household = setting.household
    effective = household.hours * household.ability[:, None] * plan.labour
    earnings, assets = conditions.wage * effective, np.broadcast_to(household.assets, share.shape)
    income = earnings + conditions.interest_rate * assets
    cash = conditions.cash(earnings, assets)
    # nobody keeps more than would leave something to live on
    next_assets = np.minimum(plan.next_assets, 0.999 * cash)
    consumption = (cash - next_assets) / (1 + conditions.consumption_tax)
    taxes = conditions.taxes(earnings, assets, consumption)
    taxed = np.maximum(conditions.taxable(earnings, assets), 0.0)
    return HouseholdYear(
        share=share,
        moves=Moves.of(household.assets, next_assets),
        income=income,
        kept=consumption * (1 + conditions.consumption_tax) + next_assets - conditions.asset_tax.kept(assets),
        consumption=consumption,
        labour=plan.labour,
        effective_labour=float((share * effective).sum()),
        mean_income=float((share * income).sum()),
        total_consumption=float((share * consumption).sum()),
        kept_of_income=float((share * conditions.income_tax.kept(taxed)).sum()),
        taxes={name: float((share * taken).sum()) for name, taken in taxes.items()},
    )


def forwards(case: TransitionCase, guess: Matrix, path: Sequence[Conditions], plans: Sequence[Plan]) -> RoundPath:
    """The distribution year by year and what it comes to.

    The government does its accounts with the instruments it would choose on this path, households do as on the guessed
    one: debt then stays within reason while the two still differ.
    """
    setting, household, scale = case.setting, case.setting.household, scales(case.setting.parameters)
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
        books = Books(year, row[INSTRUMENTS] * scale, float(np.exp(row[INCOME_UNIT])), transfer_place(setting))
        action = books.closed(case.closure, action, gdp, conditions.interest_rate * debt)
        revenue, spending, transfers = books.revenue(action), action[SPENDING] * gdp, books.transfers(action)
        clearing = np.exp(row[RATIO]) * year.effective_labour + debt - assets
        rows.append((capital, debt, assets, gdp, revenue, spending, transfers, clearing / assets))
        implied.append([*units, *(action / scale)])
        years.append(year)
        if case.closure == "none":
            debt = (1 + conditions.interest_rate) * debt + spending + transfers - revenue
        known = Known.after(setting, year, conditions, gdp)
        share = year.moves.forward(household, share)
    return RoundPath(years, share, PathAccounts(*np.array(rows).T), np.array(implied))


def transfer_place(setting: TransitionSetting) -> int | None:
    """Where the transfer stands among the instruments, if it is one of them."""
    known = instruments.names(setting.parameters)
    return known.index("transfer") if "transfer" in known else None


@dataclass(frozen=True)
class Books:
    """A year's accounts under guessed instruments (al,), and what they would be under others that follow debt.

    unit: of the transfer, dollars. transfer: its place among the instruments.
    """

    year: HouseholdYear
    guessed: Vector
    unit: float
    transfer: int | None

    def revenue(self, action: Vector) -> float:
        """All taxes, per household, with the level of the income tax in `action`, and the others guessed."""
        # what is kept of income is in proportion to 1 - tau
        more = (action[TAU] - self.guessed[TAU]) / (1 - self.guessed[TAU]) * self.year.kept_of_income
        return float(self.year.revenue + more)

    def transfers(self, action: Vector) -> float:
        """What everybody is given, per household, with the transfer in `action`."""
        if self.transfer is None:
            return self.year.transfers
        return float(self.year.transfers + (action[self.transfer] - self.guessed[self.transfer]) * self.unit)

    def closed(self, closure: Closure, action: Vector, gdp: float, interest: float) -> Vector:
        """The instruments, one of which pays for all else unless the rule itself sees to that."""
        if closure == "none":
            return action
        # taxes are so far the guessed; what pays is what is chosen, the others are as the government says
        given = self.year.transfers if closure == "transfer" else self.transfers(action)
        spent = (self.guessed if closure == "spending" else action)[SPENDING] * gdp
        short = spent + given + interest - self.year.revenue
        return paying(closure, self.guessed, action, short, self.year, ShareUnits(gdp, self.unit, self.transfer))


@dataclass(frozen=True)
class ShareUnits:
    """What shares are shares of, dollars: GDP and the unit of the transfer; transfer: its place, if there is one."""

    gdp: float
    income: float
    transfer: int | None


def paying(
    closure: Closure, guessed: Vector, said: Vector, short: float, year: HouseholdYear, units: ShareUnits
) -> Vector:
    """The instruments (al,), with the one that pays moved from its guess by what is short with it.

    Raises InvalidSetting where there is no such instrument.
    """
    if closure == "spending":
        said[SPENDING] = guessed[SPENDING] - short / units.gdp
    elif closure == "transfer":
        if units.transfer is None:
            raise InvalidSetting("closure transfer: game.instruments must name transfer")
        said[units.transfer] = guessed[units.transfer] - short / units.income
    else:  # what is kept of income is in proportion to 1 - tau
        said[TAU] = guessed[TAU] + (1 - guessed[TAU]) * short / year.kept_of_income
    return said


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
    def after(cls, setting: TransitionSetting, year: HouseholdYear, conditions: Conditions, gdp: float) -> Known:
        """After a year."""
        ahead = mean_ability_ahead(setting, year.share)
        return cls(year.share, year.income, ahead, conditions.wage, conditions.interest_rate, gdp)

    @property
    def income_unit(self) -> float:
        """Mean income as the unit of this year's tax."""
        return max(float((self.share * self.income).sum()), LEAST_MEAN_INCOME * self.gdp)


def mean_ability_ahead(setting: TransitionSetting, share: Matrix) -> Matrix:
    """Mean ability a year on, by where households stand, (S, A)."""
    household = setting.household
    return np.broadcast_to((household.transition @ household.ability)[:, None], share.shape).astype(np.float64)


def observation(setting: TransitionSetting, known: Known, share: Matrix, capital: float, debt: float) -> Matrix:
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
