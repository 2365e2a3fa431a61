"""Tables for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from rich.box import SIMPLE_HEAD
from rich.table import Table

from experiments.statistics import Summary

FIT_80_COLUMNS = 5  # so many columns of numbers need not be broken on a narrow terminal


def indicator_table(summaries: Mapping[str, Summary]) -> Table:
    """One row an indicator."""
    table = Table("indicator", *("mean", "inter-quartile mean", "95 % interval"))
    for column in table.columns[1:]:
        column.justify = "right"
    for name, summary in summaries.items():
        table.add_row(label(name), number(summary.mean), number(summary.iqm), span(summary))
    return table


def comparison_table(
    title: str,
    rows: Mapping[str, Mapping[str, Summary]],
    columns: Sequence[str],
    shown: Literal["mean", "iqm"] = "mean",
    most_unbroken: int = FIT_80_COLUMNS,
) -> Table:
    """One row a policy; in each cell the mean (or the inter-quartile mean) over its 95 % interval.

    With more than `most_unbroken` columns numbers may be broken where the terminal is narrow.
    """
    table = Table(title=title, box=SIMPLE_HEAD, padding=(0, 0, 1, 0), show_edge=False)
    table.add_column("policy", min_width=11)
    for name in columns:
        table.add_column(
            label(name).replace(" ", "\n"), justify="right", overflow="fold", no_wrap=len(columns) <= most_unbroken
        )
    for policy, summaries in rows.items():
        table.add_row(
            policy, *(f"{number(getattr(summaries[name], shown))}\n{span(summaries[name])}" for name in columns)
        )
    return table


def label(indicator: str) -> str:
    """An indicator's name for people."""
    return indicator.replace("per_capita_gdp", "per-capita GDP").replace("_", " ")


def number(value: float) -> str:
    """Three significant digits; large numbers as 1.23e12."""
    if abs(value) >= 1e4 or 0 < abs(value) < 1e-3:
        mantissa, exponent = f"{value:.2e}".split("e")
        return f"{mantissa}e{int(exponent)}"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def span(summary: Summary) -> str:
    """The interval."""
    return f"{number(summary.ci_low)}..{number(summary.ci_high)}"
