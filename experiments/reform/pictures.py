"""Pictures of what was found: lines that differ in style and mark, so that they can be told apart in grey."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from envs.economy.indicators import TENTHS
from experiments.reform.tables import SAID, words
from experiments.report.drawing import INK, MUTED, SERIES, Panel, panel
from experiments.report.writing import compact
from rllib_smfg.exploitability.exact import Interval
from rllib_smfg.reform.answer import IN_POINTS, PER_CENT, REVENUE, SINCE, Answer
from rllib_smfg.reform.ask import PolicyFound
from rllib_smfg.reform.rates import Rates
from rllib_smfg.reform.tornado import Tornado

LineStyle = tuple[str, str, str]
Drawing = Callable[[Axes, Sequence[LineStyle]], None]
# line and mark of kinds of households, series and instruments, in this order
LINES = ["-", "--", ":", "-.", "-", "--"]
MARKS = ["o", "s", "^", "D", "v", "x"]
ON_PAGE = list(zip(SERIES, LINES, MARKS, strict=False))
# dark to light in grey as well: Okabe and Ito's colours, ordered by lightness
PRINTED = ["#000000", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00"]
ON_PAPER = list(zip(PRINTED, LINES, MARKS, strict=True))
DOTS = 160  # an inch
TENTH = "tenth, poorest first"
WIDE = (5.4, 3.2)


@dataclass(frozen=True)
class Picture:
    """A figure: its title, one sentence that says what is drawn, and how."""

    title: str
    note: str
    draw: Drawing


def panels(found: PolicyFound) -> list[Panel]:
    """All pictures of a policy, for the page."""
    return [panel(each.title, each.note, partial(_drawn, each.draw, ON_PAGE), size=WIDE) for each in pictures(found)]


def _drawn(draw: Drawing, looks: Sequence[LineStyle], axis: Axes) -> None:
    draw(axis, looks)


def image(found: PolicyFound, file: Path) -> None:
    """The four pictures that tell most, as a PNG for paper: gains by wealth and by years, the economy, and rates."""
    known = {each.title: each for each in pictures(found)}
    chosen = [known[title] for title in PRINTED_PICTURES if title in known]
    with mpl.rc_context(
        {
            "font.size": 10,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "grid.color": "#dddddd",
            "legend.frameon": False,
            "legend.fontsize": 9,
        }
    ):
        figure = Figure(figsize=(10, 3.6 * ((len(chosen) + 1) // 2)), layout="constrained")
        for k, each in enumerate(chosen):
            axis = figure.add_subplot((len(chosen) + 1) // 2, 2, k + 1)
            each.draw(axis, ON_PAPER)
            axis.set_title(each.title, loc="left", fontsize=11)
            if axis.get_legend_handles_labels()[1]:
                axis.legend()
        file.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(file, dpi=DOTS)


PRINTED_PICTURES = (
    "Gain by tenth of wealth",
    "Gain by years since the reform",
    "Output, capital, consumption",
    "Marginal rate on earnings",
)


def pictures(found: PolicyFound) -> list[Picture]:
    """All pictures of a policy."""
    answers = list(found.answers.values())
    main = found.main
    drawn = [
        _tenths("Gain by tenth of wealth", "of wealth at the start", answers, "by_wealth"),
        _tenths("Gain by tenth of income", "of income before tax in the first year", answers, "by_income"),
        _since(answers),
        _moves("Output, capital, consumption", main, ("output", "capital", "consumption")),
        _moves("Hours and wage", main, ("hours", "wage")),
        _levels("Interest rate", found, "interest_rate", "% a year"),
        _levels("Public debt", found, "debt", "% of output"),
        _revenue(main),
        _moves("Inequality", main, ("wealth_gini", "income_gini", "top_10_wealth", "top_1_wealth")),
    ]
    if found.rates is not None:
        drawn += [_rates("Marginal rate on earnings", found.rates, "marginal")]
        drawn += [_rates("Average rate on earnings", found.rates, "average")]
    if found.tornado is not None:
        drawn.append(_tornado(found.tornado))
    return drawn


def _tenths(title: str, of_what: str, answers: Sequence[Answer], which: str) -> Picture:
    def draw(axis: Axes, looks: Sequence[LineStyle]) -> None:
        tenths = np.arange(1, TENTHS + 1)
        for answer, look in zip(answers, looks, strict=False):
            _bars(axis, tenths, getattr(answer.gains, which), words(answer), look)
        _zero(axis)
        axis.set_xticks(tenths)
        axis.set_xlabel(TENTH)
        axis.set_ylabel("% of consumption")

    return Picture(title, f"Per cent of consumption in all years, by tenth of households by {of_what}", draw)


def _since(answers: Sequence[Answer]) -> Picture:
    def draw(axis: Axes, looks: Sequence[LineStyle]) -> None:
        for answer, look in zip(answers, looks, strict=False):
            _bars(axis, np.array(SINCE), [answer.gains.since[year] for year in SINCE], words(answer), look)
        _zero(axis)
        axis.set_xticks(SINCE)
        axis.set_xlabel("years since the reform")
        axis.set_ylabel("% of consumption")

    note = "Of those who live so many years after it, from then on, over those who would have lived then without it"
    return Picture("Gain by years since the reform", note, draw)


def _moves(title: str, answer: Answer, names: Sequence[str]) -> Picture:
    """Changes over years, mean and band over luck."""
    points = names[0] in IN_POINTS

    def draw(axis: Axes, looks: Sequence[LineStyle]) -> None:
        for name, look in zip(names, looks, strict=False):
            _band(axis, _changes(answer, name), SAID[name], look)
        _zero(axis)
        axis.set_xlabel("year")
        axis.set_ylabel("percentage points" if points else "%")

    what = "percentage points" if points else "per cent"
    note = f"With it over without it, {what}, {words(answer)}; band: 95 % interval over luck"
    return Picture(title, note, draw)


def _changes(answer: Answer, name: str) -> list[Interval]:
    years = min(answer.reform.years, answer.against.years)
    return [answer.change(name, year) for year in range(years)]


def _levels(title: str, found: PolicyFound, name: str, unit: str) -> Picture:
    """With and without, as every kind of households makes it."""

    def draw(axis: Axes, looks: Sequence[LineStyle]) -> None:
        for answer, (colour, _, mark) in zip(found.answers.values(), looks, strict=False):
            for path, line, said in ((answer.reform, "-", "with it"), (answer.against, "--", "without")):
                values = PER_CENT * path.mean(name)
                years = np.arange(1, len(values) + 1)
                label = f"{words(answer)}, {said}"
                axis.plot(years, values, line, color=colour, marker=mark, markevery=20, markersize=4, label=label)
        axis.set_xlabel("year")
        axis.set_ylabel(unit)

    return Picture(title, f"{unit}, by kind of households", draw)


def _revenue(answer: Answer) -> Picture:
    used = [name for name in REVENUE if abs(answer.reform.mean(name)).max() > 1e-3]

    def draw(axis: Axes, looks: Sequence[LineStyle]) -> None:
        for name, look in zip(used, looks, strict=False):
            values = PER_CENT * answer.reform.mean(name)
            axis.plot(
                np.arange(1, len(values) + 1),
                values,
                look[1],
                color=look[0],
                marker=look[2],
                markevery=20,
                markersize=4,
                label=SAID[name],
            )
        _zero(axis)
        axis.set_xlabel("year")
        axis.set_ylabel("% of output")

    note = f"With the reform, per cent of output; a transfer is below 0; {words(answer)}"
    return Picture("Revenue by instrument", note, draw)


def _rates(title: str, all_rates: Mapping[str, Rates], which: str) -> Picture:
    def draw(axis: Axes, looks: Sequence[LineStyle]) -> None:
        for (said, rates), look in zip(all_rates.items(), looks, strict=False):
            axis.plot(rates.earnings, PER_CENT * getattr(rates, which), look[1], color=look[0], label=said)
        _zero(axis)
        axis.set_xscale("log")
        axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: compact(value)))
        axis.set_ylim(bottom=max(axis.get_ylim()[0], -100.0))
        axis.set_xlabel("earnings, dollars a year")
        axis.set_ylabel("% of earnings")

    note = "Of a household without assets, all instruments but the tax on consumption, less the transfer"
    return Picture(title, note, draw)


def _tornado(found: Tornado) -> Picture:
    def draw(axis: Axes, looks: Sequence[LineStyle]) -> None:
        rows = list(reversed(found.swings))
        for place, swing in enumerate(rows):
            for gain, at, look in zip(swing.gains, swing.values, ("//", ""), strict=True):
                if gain is None:
                    continue
                axis.barh(
                    place,
                    gain - found.usual,
                    left=found.usual,
                    height=0.55,
                    color=SERIES[0],
                    alpha=0.35,
                    hatch=look,
                    edgecolor=INK,
                    linewidth=0.6,
                )
                side = 1 if gain >= found.usual else -1
                axis.annotate(
                    at,
                    (gain, place),
                    xytext=(4 * side, 0),
                    textcoords="offset points",
                    va="center",
                    ha="left" if side > 0 else "right",
                    fontsize=9,
                )
        axis.axvline(found.usual, color=INK, linewidth=1.0)
        axis.set_yticks(range(len(rows)), [swing.parameter for swing in rows])
        axis.margins(x=0.2)
        axis.set_xlabel("% of consumption")

    note = "The gain with perfect foresight where one parameter is another; the line: as calibrated"
    return Picture("What moves the answer", note, draw)


def _bars(axis: Axes, x: np.ndarray, values: Sequence[Interval], label: str, look: LineStyle) -> None:
    """Points with their intervals, joined by a line."""
    colour, line, mark = look
    middle = np.array([each.value for each in values])
    axis.plot(x, middle, line, color=colour, marker=mark, markersize=5, label=label)
    if values[0].low is not None:
        low, high = (np.array([getattr(each, end) for each in values], dtype=np.float64) for end in ("low", "high"))
        axis.errorbar(
            x, middle, yerr=[middle - low, high - middle], fmt="none", ecolor=colour, capsize=3, linewidth=1.0
        )


def _band(axis: Axes, values: Sequence[Interval], label: str, look: LineStyle) -> None:
    colour, line, mark = look
    years, middle = np.arange(1, len(values) + 1), [each.value for each in values]
    axis.plot(years, middle, line, color=colour, marker=mark, markevery=20, markersize=4, label=label)
    if values[0].low is not None:
        low, high = (np.array([getattr(each, end) for each in values], dtype=np.float64) for end in ("low", "high"))
        axis.fill_between(years, low, high, color=colour, alpha=0.15, linewidth=0)


def _zero(axis: Axes) -> None:
    axis.axhline(0.0, color=MUTED, linewidth=0.8)
    axis.yaxis.set_major_locator(MaxNLocator(5))
