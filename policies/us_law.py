"""US federal law of 2022: brackets, standard deduction, payroll tax, child and earned income credit, by kind of filer.

Every number stands with its source, and every simplification, in data/us_law/2022.yaml.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from envs.economy.taxation import Brackets, Schedule
from envs.game import Array, InvalidSetting, StackelbergMeanFieldGame
from envs.registry import nearest
from policies.tax_rule import TaxRule

FILE = Path(__file__).parent / "data" / "us_law" / "2022.yaml"
STATUSES = ("single", "head", "joint")
MOST_CHILDREN = 20


@cache
def law() -> Mapping[str, Any]:
    """The numbers of the file, by section."""
    found: Mapping[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return found


@dataclass(frozen=True)
class Filer:
    """A kind of filer, and the share of households that are of it.

    Raises InvalidSetting for a status, a number of children or a share that makes no sense.
    """

    status: str = "single"
    children: int = 0
    share: float = 1.0

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise InvalidSetting(f"filers: unknown status '{self.status}'{nearest(str(self.status), list(STATUSES))}")
        if isinstance(self.children, bool) or self.children not in range(MOST_CHILDREN + 1):
            raise InvalidSetting(
                f"filers: children = {self.children}: must be a whole number from 0 to {MOST_CHILDREN}"
            )
        if isinstance(self.share, bool) or not isinstance(self.share, int | float) or not 0 <= self.share <= 1:
            raise InvalidSetting(f"filers: share = {self.share}: must be between 0 and 1 of households")


class _Computed:
    """A schedule whose marginal rate is what one dollar more owes, as `Schedule` has it; numpy alone."""

    def tax(self, x: Array) -> Array:
        """Tax owed on x, in dollars; same shape and dtype as x."""
        owed = self._owed(np.maximum(np.asarray(x, dtype=np.float64), 0.0))
        return owed.astype(np.result_type(x, np.float32), copy=False)

    def marginal_rate(self, x: Array) -> Array:
        """Tax owed on one dollar more than x; 0 below 0."""
        amount = np.asarray(x, dtype=np.float64)
        rate = self._owed(np.maximum(amount + 1, 0.0)) - self._owed(np.maximum(amount, 0.0))
        return np.where(amount >= 0, rate, 0.0).astype(np.result_type(x, np.float32), copy=False)

    def _owed(self, x: Array) -> Array:
        raise NotImplementedError


class FilerIncomeTax(_Computed):
    """The income tax of one kind of filer, less its credits: below 0 where they are refunded."""

    def __init__(self, filer: Filer) -> None:
        brackets, status = law()["brackets"], filer.status
        deduction = float(law()["standard_deduction"][status])
        self._brackets = Brackets(brackets[status], brackets["rates"], deduction)
        self._filer = filer

    def _owed(self, x: Array) -> Array:
        owed: Array = self._brackets.tax(x)
        used, refunded = self._child_credit(x, owed)
        left: Array = owed - used - refunded - self._earned_income_credit(x)
        return left

    def _child_credit(self, x: Array, owed: Array) -> tuple[Any, Any]:
        """What of the child credit the tax takes up, and what is refunded of the rest."""
        numbers, children = law()["child_credit"], self._filer.children
        phased_out = numbers["phase_out_rate"] * np.maximum(x - numbers["phase_out_from"][self._filer.status], 0)
        credit = np.maximum(numbers["per_child"] * children - phased_out, 0)
        used = np.minimum(owed, credit)
        earned = numbers["refundable_rate"] * np.maximum(x - numbers["refundable_from"], 0)
        return used, np.minimum(np.minimum(credit - used, numbers["refundable_per_child"] * children), earned)

    def _earned_income_credit(self, x: Array) -> Array:
        numbers = law()["earned_income_credit"]
        k = min(self._filer.children, len(numbers["phase_in_rate"]) - 1)
        most = numbers["phase_in_rate"][k] * numbers["earned_income_amount"][k]
        phased_out = numbers["phase_out_rate"][k] * np.maximum(x - numbers["phase_out_from"][self._filer.status][k], 0)
        credit: Array = np.maximum(np.minimum(numbers["phase_in_rate"][k] * x, most) - phased_out, 0)
        return credit


class PayrollTax(_Computed):
    """The employee's part of social security and Medicare taxes, on earnings."""

    def __init__(self, filer: Filer) -> None:
        self._additional_from = law()["payroll"]["additional_from"][filer.status]

    def _owed(self, x: Array) -> Array:
        numbers = law()["payroll"]
        additional = numbers["additional_medicare"] * np.maximum(x - self._additional_from, 0)
        owed: Array = (
            numbers["social_security"] * np.minimum(x, numbers["wage_base"]) + numbers["medicare"] * x + additional
        )
        return owed


@dataclass(frozen=True)
class Expected:
    """What a household owes on average over the kinds of filer it may be."""

    schedules: tuple[Schedule, ...]
    shares: tuple[float, ...]

    def tax(self, x: Array) -> Array:
        """The mean tax; same shape as x."""
        parts = [share * each.tax(x) for each, share in zip(self.schedules, self.shares, strict=True)]
        return _sum(parts)

    def marginal_rate(self, x: Array) -> Array:
        """The mean marginal rate; same shape as x."""
        parts = [share * each.marginal_rate(x) for each, share in zip(self.schedules, self.shares, strict=True)]
        return _sum(parts)


class USLaw(TaxRule):
    """The law of 2022 in every year: the income tax on all income, payroll taxes on earnings.

    filers: kinds of filer as mappings with status (single, head, joint), children and share of households, whose shares
    sum to 1; every household owes the mean over them, since the economy tells households apart by ability and assets
    alone. Empty: single filers without children. payroll: whether earnings are taxed by it. spending_share: see
    `TaxRule`.
    Raises InvalidSetting for filers that make no sense.
    """

    def __init__(
        self,
        game: StackelbergMeanFieldGame,
        spending_share: float | None = None,
        filers: Sequence[Mapping[str, Any]] | None = None,
        payroll: bool = True,
    ) -> None:
        super().__init__(game, spending_share)
        kinds = _kinds(filers)
        shares = tuple(kind.share for kind in kinds)
        self._income_tax = Expected(tuple(FilerIncomeTax(kind) for kind in kinds), shares)
        self._payroll_tax = Expected(tuple(PayrollTax(kind) for kind in kinds), shares) if payroll else None

    def schedule(self, year: NDArray[np.int64]) -> Schedule:
        """The same for every game and year."""
        return self._income_tax

    def labour_schedule(self, year: NDArray[np.int64]) -> Schedule | None:
        """The same for every game and year."""
        return self._payroll_tax


def _kinds(filers: Any) -> list[Filer]:
    if filers is None:
        return [Filer()]
    if isinstance(filers, str | Mapping) or not isinstance(filers, Sequence) or not filers:
        raise InvalidSetting("filers: must be a list, as in [{status: joint, children: 2, share: 1.0}]")
    known = list(Filer.__dataclass_fields__)
    for each in filers:
        if not isinstance(each, Mapping):
            raise InvalidSetting(f"filers: {each}: must be a mapping with {', '.join(known)}")
        for setting in each:
            if setting not in known:
                raise InvalidSetting(f"filers have no setting '{setting}'{nearest(str(setting), known)}")
    kinds = [Filer(**each) for each in filers]
    together = sum(kind.share for kind in kinds)
    if abs(together - 1) > 1e-9:
        raise InvalidSetting(f"filers: shares sum to {together:g}: must sum to 1")
    return kinds


def _sum(parts: Sequence[Array]) -> Array:
    together = parts[0]
    for part in parts[1:]:
        together = together + part
    return together
