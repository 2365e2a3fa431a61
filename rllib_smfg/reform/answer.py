"""What is answered: gains in per cent of consumption with their bands, and how the economy moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from envs.game import Array
from rllib_smfg.exploitability.exact import Interval

SINCE = (0, 5, 10, 20, 40)  # years since the reform from which on its worth is told
PER_CENT = 100.0
TOP_10, TOP_1 = 0.1, 0.01  # shares of households, the richest
# how households answer -> how that is said
KINDS = {
    "planning": "planners, who take what stands there to last",
    "perfect_foresight": "perfect foresight of prices and taxes",
    "learned": "learned households",
}
# what is told of every year: name -> unit
SERIES = {
    "output": "dollars a household",
    "consumption": "dollars a household",
    "capital": "dollars a household",
    "hours": "a household and year",
    "wage": "dollars an hour of ability 1",
    "interest_rate": "a year",
    "debt": "of output",
    "spending": "of output",
    "income_tax": "of output",
    "wealth_tax": "of output",
    "consumption_tax": "of output",
    "labour_income_tax": "of output",
    "capital_income_tax": "of output",
    "transfer": "of output",
    "wealth_gini": "of assets",
    "income_gini": "of income after tax and transfer",
    "top_10_wealth": "of all assets",
    "top_1_wealth": "of all assets",
}
REVENUE = ("income_tax", "wealth_tax", "consumption_tax", "labour_income_tax", "capital_income_tax", "transfer")
IN_POINTS = (
    *REVENUE,
    "interest_rate",
    "debt",
    "spending",
    "wealth_gini",
    "income_gini",
    "top_10_wealth",
    "top_1_wealth",
)


@dataclass(frozen=True)
class Gains:
    """What a reform is worth, in per cent of the consumption there would have been, transition included.

    mean: of all households, as if they did not know who they will be. by_wealth, by_income: of each tenth by assets at
    the start and by income before tax in the first year, poorest first. since: of those who live so many years after
    the reform, from then on, against those who live then without it. gaining: share of households who gain, per cent.
    """

    mean: Interval
    by_wealth: Sequence[Interval]
    by_income: Sequence[Interval]
    since: Mapping[int, Interval]
    gaining: Interval


@dataclass(frozen=True)
class SeriesPath:
    """`SERIES` over the years, (G, T) each: of G games, or of one economy without luck."""

    series: Mapping[str, Array]

    def mean(self, name: str) -> NDArray[np.float64]:
        """The mean over the games that live, (T,)."""
        found: NDArray[np.float64] = np.nanmean(self.series[name], axis=0)
        return found

    @property
    def years(self) -> int:
        """T."""
        return int(next(iter(self.series.values())).shape[1])


@dataclass(frozen=True)
class Answer:
    """How one kind of households answers a reform: gains, and the paths with it and without it in the same luck.

    band: what the intervals are over. ended: share of the economies that break down before their horizon, with it and
    without it; what would have followed counts as worth nothing.
    """

    kind: str
    band: str
    gains: Gains
    reform: SeriesPath
    against: SeriesPath
    ended: tuple[float, float] = (0.0, 0.0)

    def change(self, name: str, year: int) -> Interval:
        """By how much a series differs in a year: points of per cent for shares, else per cent."""
        with_it, without = self.reform.series[name][:, year], self.against.series[name][:, year]
        changed = with_it - without if name in IN_POINTS else with_it / without - 1
        lives = np.isfinite(changed)
        return Interval.of(PER_CENT * changed[lives]) if lives.any() else Interval(np.nan, None, None)


def told(found: Interval) -> dict[str, float | None]:
    """An interval as JSON."""
    return {"value": found.value, "low": found.low, "high": found.high}


def shown(found: Interval, digits: int = 2) -> str:
    """An interval for people: the value, and its bounds where there are any."""
    value = f"{found.value:+.{digits}f}"
    return value if found.low is None else f"{value} [{found.low:+.{digits}f}, {found.high:+.{digits}f}]"


def differ(answers: Sequence[Answer]) -> bool:
    """Whether kinds of households differ in their mean gain by more than half the widest interval of any of them."""
    values = [each.gains.mean.value for each in answers]
    reach = max((_reach(each.gains.mean) for each in answers), default=0.0)
    return len(values) > 1 and max(values) - min(values) > reach


def _reach(found: Interval) -> float:
    return 0.0 if found.low is None or found.high is None else (found.high - found.low) / 2
