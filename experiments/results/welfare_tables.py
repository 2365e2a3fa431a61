"""The first table of every economy in which consumption equivalents can be told, and the one by tenth of wealth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from envs.economy.indicators import TENTHS
from experiments.results.tables import between, number
from rllib_smfg.economics.welfare import ConsumptionEquivalent, read
from rllib_smfg.statistics.summaries import Summary

# beside consumption equivalents: indicator -> head of its column
BESIDE = {
    "interest_rate": "interest rate, %",
    "capital_output_ratio": "K / Y",
    "debt_to_gdp": "B / Y",
    "tax_revenue": "revenue, $",
}
HEADS = ("consumption equivalent, %", "ends early", *BESIDE.values())
LIVED = (
    "Indicators are means over the years an episode lived: those of policies under which episodes end early leave out"
    " what the years after the end would have been worth, and rank nothing."
)


@dataclass(frozen=True)
class Standing:
    """A row: its gain over the reference, the share of its episodes that end early, and the `BESIDE` indicators.

    mark: in words, when its episodes end early; else empty.
    """

    gain: ConsumptionEquivalent
    ended_early: float
    beside: Mapping[str, float]
    mark: str

    def cells(self, followers: int) -> list[tuple[str, str]]:
        """The cells of a row with so many households: what it says, and the interval below it or nothing."""
        scale = {"interest_rate": 100.0, "tax_revenue": 1 / followers}
        interval = between(self.gain.ci_low, self.gain.ci_high) if self.gain.ci_low < self.gain.ci_high else ""
        others = [number(self.beside[name] * scale.get(name, 1.0)) for name in BESIDE]
        return [(number(self.gain.mean), interval), *((cell, "") for cell in (share(self.ended_early), *others))]


Standings = Mapping[str, Standing]


def standings_of(content: Mapping[str, dict[str, Any]], rows: Mapping[str, Mapping[str, Summary]]) -> Standings:
    """The standings out of rows that `welfare.content` wrote, with their summaries; empty without any gain."""
    gains = {row: gain for row, values in content.items() if (gain := read(values)) is not None}
    return {
        row: Standing(
            gain,
            content[row]["ended_early"],
            {name: rows[row][name].mean for name in BESIDE},
            content[row]["ends"],
        )
        for row, gain in gains.items()
    }


def welfare_title(reference: str, episodes: int, beside: str) -> str:
    """What the first table shows; `beside`: the statistic of the other columns."""
    return (
        f"discounted consumption equivalent against {reference}, transition included, in per cent: mean and 95 %"
        f" interval of paired differences over {episodes} episodes; beside it {beside}s,"
        " revenue per household"
    )


def by_wealth_title(reference: str) -> str:
    """What the table by tenth shows."""
    return f"consumption equivalent against {reference}, %, by tenth of households by first wealth, poorest first"


def welfare_table(heading: str, standings: Standings, followers: int) -> Table:
    """One row a policy, on the screen."""
    rows = []
    for name, standing in standings.items():
        cells = [f"{text}\n{interval}" if interval else text for text, interval in standing.cells(followers)]
        rows.append([marked(name, standing.mark), *cells])
    return _table(heading, [head.replace(" ", "\n") for head in HEADS], rows)


def by_wealth_table(heading: str, standings: Standings) -> Table:
    """One row a policy, one column a tenth of the households."""
    rows = [[marked(name, each.mark), *map(number, each.gain.by_wealth)] for name, each in standings.items()]
    return _table(heading, [str(k) for k in range(1, TENTHS + 1)], rows)


def marked(name: str, mark: str) -> str:
    """A row's name, with a word where its episodes end early."""
    return f"{name}: {mark}" if mark else name


def share(part: float) -> str:
    """A share in per cent."""
    return f"{100 * part:.3g} %"


def _table(heading: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(title=heading, box=SIMPLE_HEAD, padding=(0, 0, 1, 0), show_edge=False)
    table.add_column("policy", min_width=11)
    for head in heads:
        table.add_column(head, justify="right", overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table
