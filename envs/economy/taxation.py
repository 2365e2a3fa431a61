"""Tax schedules: what an amount owes, and what one dollar more would owe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Protocol

import numpy as np

from envs.economy.arrays import at_least, cast, namespace, positive, power
from envs.game import Array, BoolArray, InvalidSetting

# IRS Rev. Proc. 2021-45, section 3.01 table 3 and section 3.15: unmarried individuals, tax year 2022.
US_FEDERAL_CUTOFFS = (0.0, 10_275.0, 41_775.0, 89_075.0, 170_050.0, 215_950.0, 539_900.0)
US_FEDERAL_RATES = (0.10, 0.12, 0.22, 0.24, 0.32, 0.35, 0.37)
US_FEDERAL_DEDUCTION = 12_950.0
# Two numbers of the authors' program without a published source: the credit, and the taxable income beyond which
# nothing more is owed (their table of brackets stops there; incomes reach it after some 25 years).
US_FEDERAL_CREDIT = 559.98
US_FEDERAL_CEILING = 1e9


class Schedule(Protocol):
    """What a tax on amounts x (B, N), in dollars, has to say; see `check_schedule` for what it may not say.

    A marginal rate above 1 (a notch) is allowed: whoever has more before tax may have less after it.
    """

    def tax(self, x: Array) -> Array:
        """Tax owed on x, in dollars; same shape as x."""

    def marginal_rate(self, x: Array) -> Array:
        """Tax owed on one dollar more than x; same shape as x."""


@dataclass(frozen=True)
class HSV:
    """T(x) = x - (1 - tau) / (1 - xi) x^(1 - xi): tau is the level, xi the progressivity.

    Heathcote, Storesletten and Violante (2017), as in the paper's eq. for taxes. `tau` and `xi` broadcast with x:
    numbers, or (B, 1). Amounts must not be negative (the tax is then not a number).
    """

    tau: Array | float
    xi: Array | float
    least: ClassVar[float] = 0.0  # the smallest amount it is defined for

    @cached_property
    def _kept(self) -> tuple[Array | float, Array | float]:
        """(1 - tau) / (1 - xi) and 1 - xi; four amounts a year are taxed with them."""
        return (1 - self.tau) / (1 - self.xi), 1 - self.xi

    def tax(self, x: Array) -> Array:
        """x - (1 - tau) / (1 - xi) x^(1 - xi)."""
        level, exponent = self._kept
        return x - level * power(x, exponent)

    def marginal_rate(self, x: Array) -> Array:
        """1 - (1 - tau) x^(-xi)."""
        return 1 - (1 - self.tau) * x**-self.xi


@dataclass(frozen=True)
class ScaledHSV:
    """The HSV schedule in units of an amount z, so that rates do not depend on the unit of money.

    T(x) = x - (1 - tau) / (1 - xi) z (x / z)^(1 - xi): tau is the marginal rate at x = z, where (tau - xi) / (1 - xi)
    of x is owed. Amounts below 0 owe nothing. `tau`, `xi` and `scale` (z) broadcast with x: numbers, or (B, 1).
    """

    tau: Array | float
    xi: Array | float
    scale: Array | float

    def tax(self, x: Array) -> Array:
        """T(x); same shape as x."""
        taxed = at_least(x, 0)
        return taxed - self.kept(taxed)

    def marginal_rate(self, x: Array) -> Array:
        """1 - (1 - tau) (x / z)^(-xi); 0 where nothing is owed because x is not above 0."""
        with np.errstate(divide="ignore"):
            rate = 1 - self.kept_at_the_margin(np.maximum(x, 0))
        return np.where(x > 0, rate, 0.0).astype(_float_type(x))

    def kept(self, x: Array) -> Array:
        """What is left of amounts x >= 0, (1 - tau) / (1 - xi) z (x / z)^(1 - xi)."""
        return (1 - self.tau) / (1 - self.xi) * self.scale * power(x / positive(self.scale), 1 - self.xi)

    def kept_at_the_margin(self, x: Array) -> Array:
        """What is left of one dollar more than x, (1 - tau) (x / z)^(-xi)."""
        return (1 - self.tau) * (x / self.scale) ** -self.xi


@dataclass(frozen=True)
class AboveExemption:
    """A schedule that applies to what exceeds an exemption, in dollars: a number, or (B, 1)."""

    schedule: Schedule
    exemption: Array | float

    def tax(self, x: Array) -> Array:
        """T(max(x - exemption, 0)); same shape as x."""
        return self.schedule.tax(at_least(x - self.exemption, 0))

    def marginal_rate(self, x: Array) -> Array:
        """That of what exceeds the exemption; 0 below it."""
        rate = self.schedule.marginal_rate(np.maximum(x - self.exemption, 0))
        return np.where(x > self.exemption, rate, 0.0).astype(_float_type(x))


@dataclass(frozen=True, eq=False)
class Brackets:
    """Piecewise linear: rate k applies to the part of x - deduction between cutoffs k and k + 1; then a credit.

    tax = max(0, sum_k rate_k min(max(x - deduction - cutoff_k, 0), cutoff_(k+1) - cutoff_k) - credit)

    cutoffs: (K,) rising from 0, in dollars. rates: (K,), or (B, K) for a schedule per game.
    Raises InvalidSetting where cutoffs do not rise from 0, or rates are not as many, from 0 to 1.
    """

    cutoffs: Sequence[float] | Array
    rates: Sequence[float] | Array
    deduction: float = 0.0
    credit: float = 0.0

    def __post_init__(self) -> None:
        cutoffs, rates = np.asarray(self.cutoffs, dtype=np.float64), np.asarray(self.rates, dtype=np.float64)
        if cutoffs.ndim != 1 or cutoffs.size == 0 or cutoffs[0] != 0 or not (np.diff(cutoffs) > 0).all():
            raise InvalidSetting(f"cutoffs = {self.cutoffs}: must be one list of amounts that rises from 0")
        if rates.ndim not in (1, 2) or rates.shape[-1] != cutoffs.size:
            raise InvalidSetting(f"rates have shape {rates.shape}: must be {cutoffs.size}, one rate for each cutoff")
        if not ((rates >= 0) & (rates <= 1)).all():
            raise InvalidSetting(f"rates = {self.rates}: must be between 0 and 1")
        object.__setattr__(self, "cutoffs", cutoffs)
        object.__setattr__(self, "rates", rates)

    def tax(self, x: Array) -> Array:
        """Computed as max(0, sum_k (rate_k - rate_(k-1)) max(x - deduction - cutoff_k, 0) - credit)."""
        rises = np.diff(np.asarray(self.rates), prepend=0.0).astype(_float_type(x))
        rises = rises if rises.ndim == 1 else rises.T[:, :, None]
        owed = -self.credit
        for rise, cutoff in zip(rises, np.asarray(self.cutoffs).tolist(), strict=True):
            owed = owed + rise * np.maximum(x - (self.deduction + cutoff), 0)
        tax: Array = np.maximum(owed, 0)
        return tax

    def marginal_rate(self, x: Array) -> Array:
        """The rate of the bracket x falls in; 0 where the deduction or the credit leaves nothing to pay."""
        rates, bracket = np.asarray(self.rates), np.searchsorted(self.cutoffs, x - self.deduction, side="right") - 1
        rate = rates[bracket] if rates.ndim == 1 else np.take_along_axis(rates, np.maximum(bracket, 0), axis=-1)
        return np.where(self.tax(x) > 0, rate, 0.0).astype(_float_type(x))


class NoTax:
    """Nothing is owed."""

    def tax(self, x: Array) -> Array:
        """Zeros."""
        zeros: Array = namespace(x).zeros_like(x)
        return zeros

    def marginal_rate(self, x: Array) -> Array:
        """Zeros."""
        zeros: Array = namespace(x).zeros_like(x)
        return zeros


@dataclass(frozen=True)
class FiscalPolicy:
    """What a government does in a year: schedules for incomes and assets, and spending as a share of GDP (B, 1).

    transfer: dollars to every household, (B, 1); None: none. consumption_tax: of consumption before tax, (B, 1); None:
    that of the economy's parameters. Both in float64 where numpy plays. labour_tax: of earnings, beside the tax on all
    income. flat_on_earnings, flat_on_interest: rates, (B, 1), of earnings and of interest above 0, which are taken off
    before the tax on all income applies to what is left; None: none.
    """

    income_tax: Schedule
    asset_tax: Schedule
    spending_share: Array
    transfer: Array | None = None
    consumption_tax: Array | None = None
    labour_tax: Schedule | None = None
    flat_on_earnings: Array | None = None
    flat_on_interest: Array | None = None

    def with_schedules(
        self, income_tax: Schedule | None, labour_tax: Schedule | None, taxes_assets: bool
    ) -> FiscalPolicy:
        """The same, but for schedules that no action names: with an income tax of its own, None: none of these.

        Assets are then not taxed, unless it `taxes_assets` as announced.
        """
        policy = self if labour_tax is None else replace(self, labour_tax=labour_tax)
        if income_tax is None:
            return policy
        asset_tax: Schedule = self.asset_tax if taxes_assets else NoTax()
        return replace(policy, income_tax=income_tax, asset_tax=asset_tax)

    @property
    def keeps_order(self) -> bool:
        """Whether who has more income before tax has no less after it: not where it matters what kind it is."""
        return self.labour_tax is None and self.flat_on_earnings is None and self.flat_on_interest is None

    def taxed_at_once(self, earnings: Array, interest: Array) -> Array | float:
        """What flat rates take of earnings and interest, (B, N) each; 0 where there are none."""
        taken: Array | float = 0.0
        if self.flat_on_earnings is not None:
            taken = taken + cast(self.flat_on_earnings, earnings) * earnings
        if self.flat_on_interest is not None:
            taken = taken + cast(self.flat_on_interest, interest) * at_least(interest, 0)
        return taken


# dollars a year at which schedules are looked at: from one to what the economies of `paper` reach
CHECKED = np.concatenate([[0.0], np.geomspace(1.0, 1e15, 301)])


def check_schedule(schedule: Schedule, games: int = 1) -> None:
    """Raises InvalidSetting for a schedule that cannot be levied on the incomes `CHECKED` in one of so many games.

    What is owed must be a number for every amount, and no more than all of it; marginal rates must be numbers where
    there is income (they may exceed 1).
    """
    name = type(schedule).__name__
    amounts = np.tile(CHECKED, (games, 1))
    with np.errstate(all="ignore"):
        owed, rates = np.asarray(schedule.tax(amounts)), np.asarray(schedule.marginal_rate(amounts))
    for what, values in (("tax", owed), ("marginal_rate", rates)):
        if values.shape != amounts.shape:
            raise InvalidSetting(f"tax schedule {name}: {what} of {amounts.shape} amounts has shape {values.shape}")
    _refuse_where(~np.isfinite(owed), f"tax schedule {name}: its tax is not a number")
    _refuse_where(owed > amounts * (1 + 1e-9), f"tax schedule {name}: takes more than all", "must be at most all")
    _refuse_where(np.isnan(rates) & (amounts > 0), f"tax schedule {name}: its marginal rate is not a number")


def _refuse_where(wrong: BoolArray, said: str, remedy: str = "must be a number for every income") -> None:
    if wrong.any():
        first = CHECKED[np.nonzero(wrong.any(axis=0))[0][0]]
        raise InvalidSetting(f"{said} of an income of {first:,.0f} dollars: {remedy}")


def us_federal_2022(credit: float = US_FEDERAL_CREDIT, ceiling: float = US_FEDERAL_CEILING) -> Brackets:
    """The US federal income tax of a single filer in 2022 as the paper's experiments applied it.

    `credit` and `ceiling` are the authors' own; credit=0 and ceiling=inf give the tax of Rev. Proc. 2021-45.
    """
    if np.isinf(ceiling):
        return Brackets(US_FEDERAL_CUTOFFS, US_FEDERAL_RATES, US_FEDERAL_DEDUCTION, credit)
    return Brackets((*US_FEDERAL_CUTOFFS, ceiling), (*US_FEDERAL_RATES, 0.0), US_FEDERAL_DEDUCTION, credit)


def _float_type(x: Array) -> np.dtype:
    """float32 for float32, float64 for everything else."""
    return np.result_type(np.asarray(x), np.float32)
