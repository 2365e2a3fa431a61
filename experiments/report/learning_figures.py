"""How a run learned, and how what it learned compares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes

from experiments.report.drawing import INK, SERIES, Panel, amounts, band, even_amounts, panel
from experiments.report.writing import DOLLARS
from experiments.results.figures import Rows, common, source
from experiments.results.tables import headline, label
from rllib_smfg.metrics import HEADLINES, RETURNS
from rllib_smfg.statistics.summaries import Summary


def curves(seeds: Sequence[Rows], indicators: Sequence[str]) -> list[Panel]:
    """Training curves over the years played, from the rows of each seed's progress.csv."""
    names = HEADLINES if "per_capita_gdp" in indicators else (*indicators, *RETURNS)
    wanted: list[tuple[str, str, dict[str, str]]] = []
    for name in names:
        where = source(name, seeds)
        how = "Evaluated without exploration" if where.startswith("evaluation/") else "While exploring"
        wanted.append((label(name), how, {"": where}))
    sides = ("leader", "follower")
    bound = {side: f"learning/{side}_saturation" for side in sides}
    wanted.append(("actions at a bound", "Share of actions: saturation", bound))
    losses = {side: f"losses/{side}_critic" for side in sides}
    wanted.append(("critic loss", "In units of the game's reward scale", losses))
    logged = {name for rows in seeds for row in rows for name in row}
    return [_curve(title, note, seeds, lines) for title, note, lines in wanted if logged & set(lines.values())]


def _curve(title: str, note: str, seeds: Sequence[Rows], lines: Mapping[str, str]) -> Panel:
    def draw(axis: Axes) -> None:
        for (name, where), colour in zip(lines.items(), SERIES, strict=False):
            years, values = common(seeds, where)
            if values.size:
                band(axis, years, values.mean(0), values.min(0), values.max(0), name or None, colour)
        axis.set_xlabel("years played")
        even_amounts(axis, "x")
        amounts(axis)

    return panel(headline(title), note, draw)


def policies(rows: Mapping[str, Mapping[str, Summary]], names: Sequence[str]) -> list[Panel]:
    """Every policy's mean and 95 % interval, one panel an indicator."""

    def one(name: str) -> Panel:
        def draw(axis: Axes) -> None:
            for k, summaries in enumerate(rows.values()):
                seen, colour = summaries[name], SERIES[0] if k == 0 else INK
                axis.plot([seen.ci_low, seen.ci_high], [k, k], color=colour, linewidth=2.4, solid_capstyle="round")
                axis.plot([seen.mean], [k], "o", color=colour, markersize=6)
            axis.set_yticks(
                range(len(rows)), [policy.replace(", ", ",\n").replace(" and ", "\nand ") for policy in rows]
            )
            axis.set_ylim(len(rows) - 0.5, -0.5)
            axis.margins(x=0.06)
            axis.tick_params(axis="y", labelcolor=INK)
            axis.grid(axis="y", visible=False)
            amounts(axis, "x")

        unit = ", dollars" if name in DOLLARS else ""
        return panel(headline(label(name)) + unit, "Mean and 95 % interval", draw, size=(4.2, 0.6 + 0.42 * len(rows)))

    return [one(name) for name in names]
