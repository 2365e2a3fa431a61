"""Tables for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.table import Table

from experiments.statistics import Summary


def indicator_table(summaries: Mapping[str, Summary]) -> Table:
    """One row an indicator."""
    table = Table("indicator", *("mean", "inter-quartile mean", "95 % interval"))
    for column in table.columns[1:]:
        column.justify = "right"
    for name, summary in summaries.items():
        table.add_row(label(name), number(summary.mean), number(summary.iqm), span(summary))
    return table


def comparison_table(title: str, rows: Mapping[str, Mapping[str, Summary]], columns: Sequence[str]) -> Table:
    """One row a policy; in each cell the mean over its 95 % interval."""
    table = Table("policy", title=title, show_lines=True)
    for name in columns:
        table.add_column(label(name), justify="right", no_wrap=True)
    for policy, summaries in rows.items():
        table.add_row(policy, *(f"{number(summaries[name].mean)}\n{span(summaries[name])}" for name in columns))
    return table


def label(indicator: str) -> str:
    """An indicator's name for people."""
    return indicator.replace("per_capita_gdp", "per-capita GDP").replace("_", " ")


def number(value: float) -> str:
    """Three significant digits; large numbers as 1.23e12."""
    if abs(value) >= 1e5 or 0 < abs(value) < 1e-3:
        mantissa, exponent = f"{value:.2e}".split("e")
        return f"{mantissa}e{int(exponent)}"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def span(summary: Summary) -> str:
    """The interval."""
    return f"[{number(summary.ci_low)}, {number(summary.ci_high)}]"
