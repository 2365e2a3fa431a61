"""Tables for the terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Protocol

from rich.box import SIMPLE_HEAD
from rich.table import Table

from rllib_smfg.statistics.summaries import Summary

UNDEFINED = "not defined"
# where a name alone would not say what it is
LABELS = {
    "per_capita_gdp": "per-capita GDP",
    "social_welfare": "social welfare, sum",
}
FIT_80_COLUMNS = 5  # so many columns of numbers need not be broken on a narrow terminal


class Told(Protocol):
    """A statistic of one indicator with its interval; `shown` names it (`mean`, `iqm`)."""

    @property
    def shown(self) -> str:
        """The statistic's name."""
        ...

    @property
    def ci_low(self) -> float:
        """The lower end of its interval."""
        ...

    @property
    def ci_high(self) -> float:
        """The upper end."""
        ...


def indicator_table(summaries: Mapping[str, Summary]) -> Table:
    """One row an indicator: its mean and its inter-quartile mean, each beside the interval that is its own."""
    table = Table("indicator", "mean", "95 % interval", "inter-quartile mean", "95 % interval")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, summary in summaries.items():
        of_iqm = between(summary.iqm_low, summary.iqm_high)
        table.add_row(label(name), number(summary.mean), span(summary), number(summary.iqm), of_iqm)
    return table


def comparison_table(
    title: str,
    rows: Mapping[str, Mapping[str, Told]],
    columns: Sequence[str],
    most_unbroken: int = FIT_80_COLUMNS,
) -> Table:
    """One row a policy; in each cell the statistic that the summary shows over that statistic's 95 % interval.

    With more than `most_unbroken` columns numbers may be broken where the terminal is narrow.
    """
    table = Table(title=title, box=SIMPLE_HEAD, padding=(0, 0, 1, 0), show_edge=False)
    table.add_column("policy", min_width=11)
    for name in columns:
        table.add_column(
            label(name).replace(" ", "\n"), justify="right", overflow="fold", no_wrap=len(columns) <= most_unbroken
        )
    for policy, summaries in rows.items():
        table.add_row(policy, *(f"{number(value_of(summaries[name]))}\n{span(summaries[name])}" for name in columns))
    return table


def label(indicator: str) -> str:
    """An indicator's name for people."""
    return LABELS.get(indicator, indicator.replace("_", " "))


def headline(text: str) -> str:
    """A title's first letter in upper case."""
    return text[:1].upper() + text[1:]


def number(value: float) -> str:
    """Three significant digits; large numbers as 1.23e12."""
    if math.isnan(value):
        return UNDEFINED
    if abs(value) >= 1e4 or 0 < abs(value) < 1e-3:
        mantissa, exponent = f"{value:.2e}".split("e")
        return f"{mantissa}e{int(exponent)}"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def value_of(told: Told) -> float:
    """The statistic whose interval `span` shows."""
    value: float = getattr(told, told.shown)
    return value


def span(told: Told) -> str:
    """The interval of what `value_of` gives."""
    return between(told.ci_low, told.ci_high)


def between(low: float, high: float) -> str:
    """An interval; empty where it is not defined."""
    return "" if math.isnan(low) or math.isnan(high) else f"{number(low)}..{number(high)}"
