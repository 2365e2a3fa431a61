"""What a household takes as given, who it is, and what it decides: the terms of its problem (`household_problem`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from envs.economy.taxation import AboveExemption, Brackets, ScaledHSV, Schedule
from envs.game import Array

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

BISECTIONS = 50
LEAST_ASSETS = 1e-6  # of mean assets
JUST_ABOVE_NOTHING = 1e-9  # of the largest asset
NEAR_A_KINK = 1e-3  # relative distance


@dataclass(frozen=True)
class Household:
    """Preferences, the chain of abilities, and the asset grid, which rises from 0.

    ability (S,); transition (S, S); assets (A,). disutility psi = 0: everybody works all the time.
    """

    discount: float
    crra: float
    disutility: float
    inverse_frisch: float
    hours: float  # H
    ability: Vector
    transition: Matrix
    assets: Vector


class Kept(Protocol):
    """What a schedule has to say of amounts x >= 0; see `taxation.ScaledHSV`, and `keeping` for any other schedule."""

    def kept(self, x: Array) -> Array:
        """What is left of amounts, rising; same shape as x."""

    def kept_at_the_margin(self, x: Array) -> Array:
        """What is left of one dollar more than x; same shape as x."""


@dataclass(frozen=True)
class Keeping:
    """A schedule of `taxation` told by what it leaves."""

    schedule: Schedule

    def kept(self, x: Array) -> Array:
        """x less the tax on it."""
        return x - self.schedule.tax(x)

    def kept_at_the_margin(self, x: Array) -> Array:
        """One dollar less its tax."""
        return 1 - self.schedule.marginal_rate(x)


@dataclass(frozen=True)
class KeepingBrackets(Keeping):
    """Brackets of one game told by what they leave, which is straight between their kinks."""

    schedule: Brackets

    @cached_property
    def _kinks(self) -> tuple[Vector, Vector, float]:
        """Amounts where the rate changes, what is kept of them, and what is kept of a dollar beyond the last."""
        brackets = self.schedule
        before = Brackets(brackets.cutoffs, brackets.rates, brackets.deduction)
        kinks = np.append(0.0, brackets.deduction + np.asarray(brackets.cutoffs))
        owed = before.tax(kinks)
        beyond = float(np.asarray(brackets.rates)[-1])
        if brackets.credit > owed[-1] and beyond > 0:
            free = kinks[-1] + (brackets.credit - owed[-1]) / beyond
        else:
            free = float(np.interp(brackets.credit, owed, kinks))
        kinks = np.unique(np.append(kinks, free))
        return kinks, np.asarray(self.kept(kinks), dtype=np.float64), 1 - beyond

    def owned_before_tax(self, kept: Matrix) -> Matrix:
        """The amounts of which `kept` is left, same shape."""
        kinks, left, beyond = self._kinks
        owned: Matrix = np.interp(kept, left, kinks) + np.maximum(kept - left[-1], 0.0) / beyond
        return owned


@dataclass(frozen=True)
class KeepingAboveExemption(Keeping):
    """A scaled HSV schedule on what exceeds an exemption, told by what it leaves."""

    schedule: AboveExemption

    def owned_before_tax(self, kept: Matrix) -> Matrix:
        """The amounts of which `kept` is left, same shape."""
        above = self.schedule.schedule
        assert isinstance(above, ScaledHSV)
        exempt = float(self.schedule.exemption)
        owned: Matrix = np.minimum(kept, exempt) + _scaled_before_tax(above, np.maximum(kept - exempt, 0.0))
        return owned


def keeping(schedule: Schedule) -> Kept:
    """The schedule itself where it says what is kept, else the same told by what it takes.

    Brackets must be those of one game, with a last rate below 1.
    """
    if isinstance(schedule, Brackets):
        return KeepingBrackets(schedule)
    if isinstance(schedule, AboveExemption) and isinstance(schedule.schedule, ScaledHSV):
        return KeepingAboveExemption(schedule)
    says = hasattr(schedule, "kept") and hasattr(schedule, "kept_at_the_margin")
    return cast(Kept, schedule) if says else Keeping(schedule)


@dataclass(frozen=True)
class Plan:
    """What is best in each state, (S, A): consumption, share of time worked, income and next year's assets.

    income: what the tax on all income applies to, in dollars.
    """

    consumption: Matrix
    labour: Matrix
    income: Matrix
    next_assets: Matrix


NO_TAX = ScaledHSV(0.0, 0.0, 1.0)
LARGEST_INCOME = 5e8  # dollars a year, which no household of the calibrated economy reaches


@dataclass(frozen=True)
class Conditions:
    """What a household takes as given in a year: W, r, the schedules on income and on assets, tau_c and Z in dollars.

    labour_tax, capital_tax: rates, which earnings and interest above 0 owe before the tax on all income applies to what
    is left. earnings_tax: a schedule on earnings beside it. A schedule may offer `owned_before_tax(kept)`, the inverse
    of `kept`; elsewhere bisection finds it.
    """

    wage: float
    interest_rate: float
    income_tax: Kept = NO_TAX
    asset_tax: Kept = NO_TAX
    consumption_tax: float = 0.0
    transfer: float = 0.0
    labour_tax: float = 0.0
    capital_tax: float = 0.0
    earnings_tax: Kept | None = None

    @property
    def net_wage(self) -> float:
        """What an hour of ability 1 adds to the income that the tax on all income applies to."""
        return self.wage * (1 - self.labour_tax)

    @property
    def net_interest_rate(self) -> float:
        """What a dollar of assets adds to the same."""
        return self.interest_rate - self.capital_tax * max(self.interest_rate, 0.0)

    @property
    def smooth(self) -> bool:
        """Whether both schedules are scaled HSV, which has no kinks and is solved faster."""
        return isinstance(self.income_tax, ScaledHSV) and isinstance(self.asset_tax, ScaledHSV)

    @cached_property
    def convex(self) -> bool:
        """Whether what is kept at the margin never rises with income, so that first-order conditions say what is best.

        Credits that are phased out and caps on contributions break it: hours are then searched for.
        """
        return self.earnings_tax is None and _never_rises(self.income_tax)

    def kept(self, income: Array, assets: Matrix) -> Array:
        """What there is to spend and to keep, in dollars, of income after flat taxes; losses are borne in full.

        A tax on earnings alone is not taken off: see `cash`.
        """
        earned = self.income_tax.kept(np.maximum(income, 0.0)) + np.minimum(income, 0.0)
        cash: Array = earned + self.asset_tax.kept(assets) + self.transfer
        return cash

    def cash(self, earnings: Matrix, assets: Matrix) -> Array:
        """What there is to spend and to keep of earnings before tax and of assets, in dollars."""
        left = self.kept(self.taxable(earnings, assets), assets)
        if self.earnings_tax is not None:
            left = left - earnings + self.earnings_tax.kept(earnings)
        return left

    def taxable(self, earnings: Matrix, assets: Matrix) -> Array:
        """Income that the tax on all income applies to, after the flat ones, in dollars."""
        income: Array = (1 - self.labour_tax) * earnings + self.net_interest_rate * assets
        return income

    def taxes(self, earnings: Matrix, assets: Matrix, consumption: Matrix) -> dict[str, Array]:
        """What each instrument takes, in dollars, the transfer as a negative one; they sum to the net revenue."""
        income, interest = self.taxable(earnings, assets), self.interest_rate * assets
        taken = {
            "income_tax": np.maximum(income, 0.0) - self.income_tax.kept(np.maximum(income, 0.0)),
            "wealth_tax": assets - self.asset_tax.kept(assets),
            "consumption_tax": self.consumption_tax * consumption,
            "labour_income_tax": self.labour_tax * earnings,
            "capital_income_tax": self.capital_tax * np.maximum(interest, 0.0),
            "transfer": np.full_like(consumption, -self.transfer),
        }
        if self.earnings_tax is not None:
            taken["labour_income_tax"] = taken["labour_income_tax"] + earnings - self.earnings_tax.kept(earnings)
        return taken

    def owned_before_tax(self, kept: Matrix) -> Matrix:
        """The assets of which `kept` is left after the tax on them, mirrored below 0, where nobody is."""
        tax, left = self.asset_tax, np.abs(kept)
        if isinstance(tax, ScaledHSV):
            owned = _scaled_before_tax(tax, left)
        elif hasattr(tax, "owned_before_tax"):
            owned = tax.owned_before_tax(left)
        else:
            owned = _inverse(tax.kept, left)
        return np.sign(kept) * owned

    def kept_of_assets_at_the_margin(self, assets: Matrix) -> Array:
        """R_a(a); where a = 0 that of the first dollar, for a scaled HSV schedule at the least asset that counts."""
        tax = self.asset_tax
        if isinstance(tax, ScaledHSV):
            return tax.kept_at_the_margin(np.maximum(assets, LEAST_ASSETS * tax.scale))
        return tax.kept_at_the_margin(np.maximum(assets, JUST_ABOVE_NOTHING * assets.max()))

    def kept_of_income_at_the_margin(self, household: Household, plan: Plan) -> Array:
        """R(y) of what is planned, (S, A).

        Where a schedule has kinks, those who bunch at one keep of a dollar more what their hours say, psi l^gamma (1 +
        tau_c) / (u'(c) W e H), which lies between what is kept below and above the kink.
        """
        tax, income = self.income_tax, plan.income
        if isinstance(tax, ScaledHSV):
            return tax.kept_at_the_margin(income)
        sides = [tax.kept_at_the_margin(np.maximum(income, 0.0) * (1 + step)) for step in (-NEAR_A_KINK, NEAR_A_KINK)]
        earning = household.hours * household.ability[:, None]
        pay = self.net_wage * earning / (1 + self.consumption_tax)
        toil = household.disutility * plan.labour**household.inverse_frisch * plan.consumption**household.crra / pay
        if self.earnings_tax is not None:
            owed = 1 - self.earnings_tax.kept_at_the_margin(self.wage * earning * plan.labour)
            toil = toil + owed / (1 - self.labour_tax)
        said = np.where(plan.labour < 1, toil, tax.kept_at_the_margin(np.maximum(income, 0.0)))
        return np.clip(said, np.minimum(*sides), np.maximum(*sides))


def hsv(
    wage: float,
    interest_rate: float,
    tau: float = 0.0,
    xi: float = 0.0,
    scale: float = 1.0,
    consumption_tax: float = 0.0,
    asset_tau: float = 0.0,
    asset_xi: float = 0.0,
    asset_scale: float = 1.0,
) -> Conditions:
    """Conditions under scaled HSV schedules: level, progressivity and unit (dollars) of either."""
    on_income, on_assets = ScaledHSV(tau, xi, scale), ScaledHSV(asset_tau, asset_xi, asset_scale)
    return Conditions(wage, interest_rate, on_income, on_assets, consumption_tax)


def _scaled_before_tax(tax: ScaledHSV, left: Matrix) -> Matrix:
    """The amounts of which `left` is kept."""
    relative = left / ((1 - tax.tau) / (1 - tax.xi) * tax.scale)
    owned: Matrix = tax.scale * relative ** (1 / (1 - tax.xi))
    return owned


def _inverse(rising: Callable[[Array], Array], values: Matrix) -> Matrix:
    """Where a function that rises without bound from at most 0 takes these values >= 0."""
    high = np.maximum(values, 1.0)
    while (short := rising(high) < values).any():
        high = np.where(short, 2 * high, high)
    low = np.zeros_like(high)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        below = rising(middle) < values
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2


AMOUNTS = np.geomspace(1.0, LARGEST_INCOME, 2000)
MOST_REMEMBERED = 256


def _never_rises(schedule: Kept) -> bool:
    """Whether what a schedule leaves of a dollar more never rises with the amount, up to the largest income."""
    if isinstance(schedule, ScaledHSV):
        return bool(np.all(np.asarray(schedule.xi) >= 0))
    try:
        return _remembered(schedule)  # type: ignore[arg-type]
    except TypeError:  # it cannot be told from others
        return _examined(schedule)


def _examined(schedule: Kept) -> bool:
    return bool((np.diff(schedule.kept_at_the_margin(AMOUNTS)) < 1e-9).all())


_remembered = lru_cache(maxsize=MOST_REMEMBERED)(_examined)
