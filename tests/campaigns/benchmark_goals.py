"""What `smfg benchmark` has measured as Markdown: goals met or missed, then every size.

Prints it: python -m tests.campaigns.benchmark_goals docs/results/benchmark.json
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.report.markdown import markdown
from experiments.report.page import Cell, Page, PageSection, PageTable

Content = Mapping[str, Any]
LARGE = 6400  # households over all games, from which a year's fixed cost no longer counts


@dataclass(frozen=True)
class Goal:
    """A figure to reach: at least `bound`, or at most where `at_most`; `measured` is None where it was left out."""

    what: str
    bound: float
    unit: str
    measured: Callable[[Content], float | None]
    at_most: bool = False

    def met(self, value: float) -> bool:
        """Whether a measured value reaches the goal."""
        return value <= self.bound if self.at_most else value >= self.bound


def played(figure: str, least: Callable[[Mapping[str, Any]], bool], dtype: str) -> Callable[[Content], float | None]:
    """The lowest such figure of the sizes of play that fit."""

    def lowest(content: Content) -> float | None:
        return min((row[figure] for row in content["simulator"] if row["dtype"] == dtype and least(row)), default=None)

    return lowest


def trained(figure: str, followers: int) -> Callable[[Content], float | None]:
    """A figure of the whole iteration at one N."""

    def at(content: Content) -> float | None:
        return next((row[figure] for row in content["iteration"] if row["followers"] == followers), None)

    return at


def update_growth(content: Content) -> float | None:
    """The dearest update of the sizes trained over the cheapest."""
    each = [row["update_milliseconds"] for row in content["iteration"]]
    return max(each) / min(each) if len(each) > 1 else None


def _large(row: Mapping[str, Any]) -> bool:
    return bool(row["games"] * row["followers"] >= LARGE)


def _one_thousand(row: Mapping[str, Any]) -> bool:
    return bool((row["games"], row["followers"]) == (1, 1000))


def _a_thousand_each(row: Mapping[str, Any]) -> bool:
    return bool(row["followers"] == 1000 and _large(row))


GOALS = (
    Goal(f"simulator, float64, lowest at B N >= {LARGE}", 8e6, "household-years/s",
         played("simulator_household_years", _large, "float64")),
    Goal(f"simulator, float64, lowest at B N >= {LARGE}, first goal", 5e6, "household-years/s",
         played("simulator_household_years", _large, "float64")),
    Goal(f"simulator, float32, lowest at B N >= {LARGE}", 20e6, "household-years/s",
         played("simulator_household_years", _large, "float32")),
    Goal("simulator, float64, B = 1, N = 1000", 3000, "years/s", played("simulator_years", _one_thousand, "float64")),
    Goal("with policies, float64, B = 8, N = 1000", 2e6, "household-years/s",
         played("acting_household_years", _a_thousand_each, "float64")),
    Goal("update of both sides, N = 1000", 10, "ms", trained("update_milliseconds", 1000), at_most=True),
    Goal("dearest update over cheapest, all N", 1.1, "times", update_growth, at_most=True),
    Goal("iteration of 300 years and 100 updates, N = 100", 1.5, "s", trained("seconds", 100), at_most=True),
    Goal("iteration of 300 years and 100 updates, N = 1000, first goal", 2.5, "s", trained("seconds", 1000),
         at_most=True),
    Goal("iteration of 300 years and 100 updates, N = 1000", 1.5, "s", trained("seconds", 1000), at_most=True),
)  # fmt: skip


def page(content: Content) -> str:
    """The whole page as Markdown."""
    machine = content["machine"]
    summary = [
        f"Measured on {machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB,"
        f" {content['threads']} thread; {content['method']}."
        f" Load average (1, 5 and 15 minutes): {', '.join(f'{load:.1f}' for load in machine['load_average'])}."
    ]
    sections = [
        PageSection("goals", "Goals", tables=[_goals(content)]),
        PageSection("play", "Simulator and policies", tables=[_rows(content["simulator"], 3)]),
        PageSection("iteration", "One iteration: 300 years, 100 updates", tables=[_rows(content["iteration"], 2)]),
    ]
    return markdown(Page("benchmark", "Benchmark", "", "smfg benchmark", summary, sections=sections))


def _goals(content: Content) -> PageTable:
    rows = []
    for goal in GOALS:
        value = goal.measured(content)
        if value is not None:
            wanted = f"{'<=' if goal.at_most else '>='} {_number(goal.bound)} {goal.unit}"
            said = "yes" if goal.met(value) else "no"
            rows.append([Cell(text) for text in (goal.what, wanted, _number(value), said)])
    return PageTable(("what", "goal", "measured", "reached"), rows)


def _rows(measured: Sequence[Mapping[str, Any]], named: int) -> PageTable:
    heads = [name.replace("_", " ") for name in measured[0]]
    rows = [[Cell(x if isinstance(x, str) else _number(x)) for x in row.values()] for row in measured]
    return PageTable(heads, rows, named=named)


def _number(x: float) -> str:
    return f"{x:,.0f}" if abs(x) >= 100 or x == int(x) else f"{x:.3g}"


if __name__ == "__main__":
    print(page(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
