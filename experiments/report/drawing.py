"""Panels as inline SVG whose colours are the page's: they follow it from light to dark."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator
from numpy.typing import NDArray

from envs.game import Array
from experiments.report.writing import compact

# what matplotlib draws with -> the page's own name for it; each must be a colour that nothing else uses
INK, MUTED, LINE = "#111213", "#717273", "#d1d2d3"
SERIES = ("#2a6f01", "#2a6f02", "#2a6f03", "#2a6f04", "#2a6f05", "#2a6f06", "#2a6f07", "#2a6f08", "#2a6f09", "#2a6f0a")
YEARS = ("#9b3e01", "#9b3e02", "#9b3e03", "#9b3e04")
VARIABLES = {
    INK: "ink",
    MUTED: "muted",
    LINE: "line",
    **{colour: f"series-{k}" for k, colour in enumerate(SERIES, start=1)},
    **{colour: f"year-{k}" for k, colour in enumerate(YEARS, start=1)},
}
STYLE = {
    "svg.fonttype": "none",
    "font.size": 10.5,
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "axes.labelsize": 10,
    "lines.linewidth": 1.8,
    "legend.frameon": False,
    "legend.fontsize": 10,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
}
WIDE = 1e3  # largest over smallest amount from which an axis is logarithmic
LEGEND: dict[str, Any] = {"handlelength": 1.1, "columnspacing": 1.0, "handletextpad": 0.5, "borderaxespad": 0.1}
LETTERS_PER_INCH = 11.5
SIZE = (4.2, 2.8)  # inches of 72 units; a unit is about a pixel of the page
_numbers = count(1)


@dataclass(frozen=True)
class Panel:
    """A figure of the page: its title, one sentence that says what is drawn, and the drawing as SVG."""

    title: str
    note: str
    svg: str


def panel(title: str, note: str, draw: Callable[[Axes], None], *, size: tuple[float, float] = SIZE) -> Panel:
    """Draws on axes of this size (inches of 72 units) and takes the colours of the page."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=size, layout="constrained")
        axis = figure.subplots()
        draw(axis)
        labels = axis.get_legend_handles_labels()[1]
        if labels:
            columns = max(1, min(4, int(size[0] * LETTERS_PER_INCH / (max(map(len, labels)) + 4))))
            figure.legend(loc="outside upper left", ncols=columns, **LEGEND)
        svg = _svg(figure)
    return Panel(title, note, svg.replace("<svg ", f'<svg role="img" aria-label="{_attribute(title)}" ', 1))


def band(axis: Axes, x: NDArray[Any], middle: Array, low: Array, high: Array, label: str | None, colour: str) -> None:
    """A line with the band around it."""
    few = len(x) < 25
    axis.plot(x, middle, color=colour, label=label, marker="o" if few else None, markersize=3)
    axis.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0)


def amounts(axis: Axes, which: str = "y") -> None:
    """Labels of an axis as people say amounts; logarithmic where they differ by more than `WIDE`."""
    drawn = [np.asarray(getattr(line, f"get_{which}data")(), dtype=np.float64) for line in axis.lines]
    drawn += [np.asarray(points.get_offsets(), dtype=np.float64)[:, "xy".index(which)] for points in _scattered(axis)]
    values = np.concatenate([np.zeros(0), *drawn])
    values = values[np.isfinite(values)]
    wide = values.size and values.min() > 0 and values.max() > WIDE * values.min()
    (log_amounts if wide else even_amounts)(axis, which)


def _scattered(axis: Axes) -> list[PathCollection]:
    return [each for each in axis.collections if isinstance(each, PathCollection)]


def even_amounts(axis: Axes, which: str = "y") -> None:
    """Labels of an axis as people say amounts, on an even scale."""
    ticks = getattr(axis, f"{which}axis")
    ticks.set_major_locator(MaxNLocator(4))
    ticks.set_major_formatter(FuncFormatter(lambda value, _: compact(value)))


def log_amounts(axis: Axes, which: str = "y") -> None:
    """Labels of an axis as people say amounts, on a logarithmic scale."""
    getattr(axis, f"set_{which}scale")("log")
    ticks = getattr(axis, f"{which}axis")
    ticks.set_major_locator(LogLocator(numticks=5))
    ticks.set_minor_locator(NullLocator())
    ticks.set_major_formatter(FuncFormatter(lambda value, _: compact(value)))


def percent(axis: Axes, which: str = "y") -> None:
    """Labels of an axis in per cent."""
    getattr(axis, f"{which}axis").set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.3g} %"))


def _svg(figure: Figure) -> str:
    """The drawing as SVG without a fixed size, with the page's colours, and names that no other drawing has."""
    text = io.StringIO()
    number = next(_numbers)
    with mpl.rc_context({"svg.hashsalt": f"panel-{number}"}):
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    svg = text.getvalue()
    svg = svg[svg.index("<svg ") :]
    svg = re.sub(r'<svg ([^>]*?)width="[^"]*"', r"<svg \1", svg, count=1)
    svg = re.sub(r'<svg ([^>]*?)height="[^"]*"', r"<svg \1", svg, count=1)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r' xmlns(:\w+)?="[^"]*"', "", svg)
    svg = svg.replace("xlink:href=", "href=")
    used = set(re.findall(r"(?:href=\"#|url\(#)([^\")]+)", svg))
    svg = re.sub(r' id="([^"]*)"', lambda found: f' id="p{number}-{found[1]}"' if found[1] in used else "", svg)
    svg = re.sub(r'(href="#|url\(#)', rf"\1p{number}-", svg)
    for colour, name in VARIABLES.items():
        svg = svg.replace(colour, f"var(--{name})")
    return svg


def _attribute(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
