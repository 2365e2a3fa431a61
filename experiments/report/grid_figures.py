"""The paper's figures, drawn from a grid's tidy results; every note says how many seeds stand behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from experiments.grid.config import BOTH, CONSTANT, EQUAL, MIXED, PUBLISHED, REAL, SMFG, GridSetting
from experiments.grid.mixtures import ALL
from experiments.grid.results import Results
from experiments.report.drawing import INK, MUTED, SERIES, Panel, amounts, band, even_amounts, log_amounts, panel
from experiments.results.tables import headline, label
from rllib_smfg.statistics.seeds import iqm, iqm_curve

CURVES = ("per_capita_gdp", "social_welfare", "income_gini", "wealth_gini", "years")
WEIGHTS = np.linspace(0, 10, 41)
TALL = (4.2, 3.5)
KINDS = {SMFG: SERIES[0], REAL: SERIES[1]}
OF_HOUSEHOLDS = {"utility": "Reward of a year", "wealth": "Dollars at the end of a year", "income": "Dollars a year"}


@dataclass(frozen=True)
class Line:
    """A setting as it is drawn: its name, its colour, and dashed where it is on published bounds."""

    setting: GridSetting
    name: str
    colour: str
    style: str


def groups(results: Results) -> dict[str, list[Line]]:
    """The settings of each group, with one colour a method throughout; constant policies and mixtures stand apart."""
    parsed = [GridSetting.parse(text) for text in results.settings()]
    settings = [each for each in parsed if each.method != CONSTANT and not each.group.endswith(MIXED)]
    methods = list(dict.fromkeys(each.method for each in settings))
    colours = dict(zip(methods, SERIES, strict=False))
    found: dict[str, list[Line]] = {}
    for each in settings:
        name = each.method if each.bounds in (BOTH, EQUAL) else f"{each.method}, as published"
        style = "--" if each.bounds == PUBLISHED else "-"
        found.setdefault(each.group, []).append(Line(each, name, colours.get(each.method, MUTED), style))
    return found


def seeds_of(results: Results, lines: Iterable[Line], indicator: str = "per_capita_gdp") -> str:
    """How many seeds stand behind the lines, in words."""
    counts = sorted({len(results.per_seed(str(line.setting), indicator)) for line in lines} - {0})
    if not counts:
        return "no seeds"
    return f"{counts[-1]} seeds" if len(counts) == 1 else f"{counts[0]} to {counts[-1]} seeds"


def training_panels(results: Results) -> list[Panel]:
    """Figures 2 and 3: evaluations over training, inter-quartile mean and 95 % interval over seeds."""
    return [_curve(results, group, lines, name) for group, lines in groups(results).items() for name in CURVES]


def _curve(results: Results, group: str, lines: Sequence[Line], name: str) -> Panel:
    def draw(axis: Axes) -> None:
        for line in lines:
            years, values = results.curves(str(line.setting), name)
            if values.size:
                band(axis, years, *iqm_curve(values), line.name, line.colour)
                axis.lines[-1].set_linestyle(line.style)
        axis.set_xlabel("years played in training")
        even_amounts(axis, "x")
        amounts(axis)

    note = f"{group}; inter-quartile mean, 95 % interval; {seeds_of(results, lines)}"
    return panel(headline(label(name)), note, draw, size=TALL)


def efficiency_equity(results: Results) -> list[Panel]:
    """Figures 4a and 6: output against inequality, a circle a seed, sized by welfare."""
    return [_scatter(results, group, lines) for group, lines in groups(results).items()]


def _scatter(results: Results, group: str, lines: Sequence[Line]) -> Panel:
    largest = max(max(results.per_seed(str(line.setting), "social_welfare").values(), default=1.0) for line in lines)

    def draw(axis: Axes) -> None:
        gini, gdp, _ = _points(results, GridSetting(group, CONSTANT, EQUAL))
        if gini.size:
            order = np.argsort(gini)
            axis.plot(gini[order], gdp[order], ":", marker="x", markersize=4, color=MUTED, linewidth=1, label=CONSTANT)
        for line in lines:
            gini, gdp, welfare = _points(results, line.setting)
            sizes = 12 + 110 * np.maximum(welfare, 0) / largest
            edge = INK if line.style == "--" else line.colour
            axis.scatter(gini, gdp, s=sizes, color=line.colour, alpha=0.65, label=line.name, edgecolors=edge)
        axis.set_xlabel("wealth gini")
        axis.set_ylabel("GDP a household, dollars")
        log_amounts(axis)

    note = f"{group}; a circle a seed, its size: social welfare; {seeds_of(results, lines)}"
    return panel("Efficiency and equity", note, draw, size=(4.2, 4.0))


def _points(results: Results, setting: GridSetting) -> tuple[NDArray[np.float64], ...]:
    """Wealth gini, GDP and welfare of every seed."""
    names = ("wealth_gini", "per_capita_gdp", "social_welfare")
    return tuple(np.array(list(results.per_seed(str(setting), name).values())) for name in names)


def weights(results: Results) -> list[Panel]:
    """Figure 4b: log GDP + weight * (1 - wealth gini), over the weight."""
    found = []
    for group, lines in groups(results).items():

        def draw(axis: Axes, lines: Sequence[Line] = lines) -> None:
            for line in lines:
                gini, gdp, _ = _points(results, line.setting)
                if gini.size:
                    objective = np.log(gdp)[:, None] + WEIGHTS * (1 - gini[:, None])
                    band(axis, WEIGHTS, *iqm_curve(objective), line.name, line.colour)
                    axis.lines[-1].set_linestyle(line.style)
            axis.set_xlabel("weight of equality")

        note = f"{group}; log GDP + weight x (1 - wealth gini); {seeds_of(results, lines)}"
        found.append(panel("What is best depends on the weight", note, draw, size=TALL))
    return found


def mixture_panels(results: Results) -> list[Panel]:
    """Figure 5: what each kind of household gets at several shares, and all of them together."""
    shares = list(dict.fromkeys(s.group for s in map(GridSetting.parse, results.settings()) if s.group.endswith(MIXED)))
    places = np.arange(len(shares), dtype=np.float64)
    seeds = len(results.per_seed(str(GridSetting(shares[0], ALL, BOTH)), "per_capita_gdp"))

    def of(name: str, kinds: dict[str, str]) -> Callable[[Axes], None]:
        def draw(axis: Axes) -> None:
            for k, (kind, colour) in enumerate(kinds.items()):
                for place, share in zip(places, shares, strict=True):
                    values = list(results.per_seed(str(GridSetting(share, kind, BOTH)), name).values())
                    if values:
                        seen, x = iqm(values), place + 0.16 * (k - (len(kinds) - 1) / 2)
                        first = kind not in axis.get_legend_handles_labels()[1]
                        axis.plot([x], [seen.value], "o", color=colour, label=kind if first else None, markersize=5)
                        axis.plot([x, x], [seen.low, seen.high], color=colour, linewidth=2)
            axis.set_xticks(places, [share.removesuffix(" SMFG") for share in shares])
            axis.set_xlabel("share of SMFG households")
            amounts(axis)

        return draw

    note = f"inter-quartile mean, 95 % interval; {seeds} seeds"
    kinds = {**KINDS, ALL: MUTED}
    found = [panel(headline(name), f"{unit}; {note}", of(name, kinds)) for name, unit in OF_HOUSEHOLDS.items()]
    return [*found, panel("GDP a household", f"Dollars a year; {note}", of("per_capita_gdp", {ALL: SERIES[0]}))]


def clones(results: Results) -> list[Panel]:
    """Figure 7: losses of cloning over epochs, one panel a kind of loss; dashed: the pairs that were fitted."""
    found = []
    for loss, lines in groups(results).items():

        def draw(axis: Axes, lines: Sequence[Line] = lines) -> None:
            for line in lines:
                epochs, values = results.curves(str(line.setting), "loss")
                held_out = line.setting.bounds == "held_out"
                name = line.setting.method.replace("_", " ") if held_out else None
                if held_out:
                    band(axis, epochs, *iqm_curve(values), name, line.colour)
                else:
                    axis.plot(epochs, iqm_curve(values)[0], "--", color=line.colour, linewidth=1)
            axis.set_xlabel("epoch")

        note = f"Solid: held-out pairs; dashed: fitted ones; {seeds_of(results, lines, 'loss')}"
        found.append(panel(f"Loss of cloning: {loss}", note, draw, size=TALL))
    return found
