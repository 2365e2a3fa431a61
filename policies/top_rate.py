"""A higher rate on what incomes exceed, beside whatever a government announces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.economy.arrays import total
from envs.economy.taxation import FiscalPolicy, NoTax, Schedule
from envs.game import Array, BoolArray, InvalidSetting, StackelbergMeanFieldGame, Step
from envs.registry import nearest
from policies.policy import LeaderPolicy
from policies.tax_rule import TaxRule, economy

SETTINGS = ("rate", "above")


@dataclass(frozen=True)
class Top:
    """The rate (a share) that every dollar of income above an amount (dollars a year) owes.

    Raises InvalidSetting for what is no share, or no amount.
    """

    rate: float
    above: float

    def __post_init__(self) -> None:
        if isinstance(self.rate, bool) or not isinstance(self.rate, int | float) or not 0 <= self.rate < 1:
            raise InvalidSetting(f"top_rate.rate = {self.rate}: must be at least 0 and below 1 (of income above it)")
        if isinstance(self.above, bool) or not isinstance(self.above, int | float) or not self.above > 0:
            raise InvalidSetting(f"top_rate.above = {self.above}: must be above 0 (dollars of income a year)")

    @classmethod
    def read(cls, section: Any) -> Top:
        """From a section as it is written; raises InvalidSetting."""
        if not isinstance(section, Mapping):
            raise InvalidSetting(f"top_rate = {section}: must be a section with {' and '.join(SETTINGS)}")
        for setting in section:
            if setting not in SETTINGS:
                raise InvalidSetting(f"top_rate has no setting '{setting}'{nearest(str(setting), list(SETTINGS))}")
        missing = next((setting for setting in SETTINGS if setting not in section), None)
        if missing is not None:
            raise InvalidSetting(f"top_rate: needs the setting '{missing}'")
        return cls(section["rate"], section["above"])


@dataclass(frozen=True)
class Topped:
    """A schedule up to an amount, and a rate beyond it."""

    schedule: Schedule
    top: Top

    def tax(self, x: Array) -> Array:
        """Tax owed on x, in dollars; same shape as x."""
        beyond = np.maximum(x - self.top.above, 0)
        owed: Array = self.schedule.tax(np.minimum(x, self.top.above)) + self.top.rate * beyond
        return owed

    def marginal_rate(self, x: Array) -> Array:
        """That of the schedule, and the rate beyond the amount."""
        below = self.schedule.marginal_rate(np.minimum(x, self.top.above))
        rate: Array = np.where(x > self.top.above, self.top.rate, below).astype(below.dtype)
        return rate


class TopRate(TaxRule):
    """Does as another government, and taxes all income above an amount at a rate of its own."""

    def __init__(self, game: StackelbergMeanFieldGame, base: LeaderPolicy, top: Top) -> None:
        super().__init__(game)
        self._base, self._top, self.nearest_taxes = base, top, base.nearest_taxes
        self.taxes_assets = base.taxes_assets if isinstance(base, TaxRule) else True
        self.remembers = base.remembers if isinstance(base, TaxRule) else False

    def act(self, observation: Array) -> Array:
        """The base's actions (B, al)."""
        return self._base.act(observation)

    def schedule(self, year: NDArray[np.int64]) -> Schedule:
        """The base's with the top rate; of a base that announces its taxes, the top rate alone."""
        below = self._base.schedule(year) if isinstance(self._base, TaxRule) else NoTax()
        return Topped(below, self._top)

    def levied(self, announced: FiscalPolicy, year: NDArray[np.int64]) -> FiscalPolicy:
        """What is levied in place of what the action announces."""
        below = self._base.levied(announced, year) if isinstance(self._base, TaxRule) else announced
        return replace(below, income_tax=Topped(below.income_tax, self._top))

    def enact(self, game: StackelbergMeanFieldGame, leader_action: Array, follower_action: Array) -> Step:
        """Plays the year under what is levied."""
        played, box = economy(game), game.leader_action_space
        within = np.clip(leader_action, box.low, box.high)
        announced = played.parameters.laws.fiscal_policy(played.parameters, played.state, within, total)
        policy = self.levied(announced, played.year)
        return played.step(
            leader_action,
            follower_action,
            income_tax=policy.income_tax,
            labour_tax=policy.labour_tax,
            taxes_assets=self.taxes_assets,
        )

    def forget(self, games: BoolArray) -> None:
        """Tells the base."""
        self._base.forget(games)
