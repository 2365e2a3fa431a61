"""The benchmark as a picture: how the error falls with CPU time, a panel a game."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from rllib_smfg.bench.learners import CONTENDERS
from rllib_smfg.bench.summary import MANY, Cell, Summary

ACROSS = 2  # panels
LEAST = 0.03  # shares of a bound below it are drawn there
COLOURS = dict(zip(CONTENDERS, ("C0", "C9", "C1", "C3", "C5", "C6", "C2", "C4"), strict=True))


def draw(summary: Summary, path: Path) -> None:
    """Writes the picture of all games that have a bound, as PNG."""
    games = summary.bounded()
    down = max(1, -(-len(games) // ACROSS))
    figure = Figure(figsize=(5.2 * ACROSS, 3.4 * down + 0.8), layout="constrained")
    axes = list(figure.subplots(down, ACROSS, squeeze=False).flat)
    for axis, game in zip(axes, games, strict=False):
        _panel(axis, summary, game)
    for axis in axes[len(games) :]:
        axis.set_visible(False)
    handles = {line.get_label(): line for axis in axes for line in axis.lines}
    shown = [name for name in (CONTENDERS[each].title for each in summary.learners) if name in handles]
    if shown:
        figure.legend([handles[name] for name in shown], shown, loc="outside lower center", ncols=4, fontsize=10)
    counts = {len(cell.seeds) for cell in summary.cells.values()}
    of = f"{min(counts)} to {max(counts)}" if len(counts) > 1 else f"{max(counts)}"
    seeds = f"median of {of} seeds, thin: each of them" if max(counts) > 1 else "1 seed"
    figure.suptitle(f"error against CPU time: {seeds}", fontsize=12)
    figure.savefig(path, dpi=110)


def _panel(axis: Axes, summary: Summary, game: str) -> None:
    axis.axhline(1.0, color="black", linewidth=1, linestyle="--")
    for learner in summary.learners:
        cell = summary.cells.get((game, learner))
        if cell is not None and cell.curves:
            _lines(axis, cell)
    axis.set(xscale="log", yscale="log", ylim=(LEAST * 0.8, MANY))
    for side in (axis.xaxis, axis.yaxis):
        side.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_title(game, fontsize=11)
    axis.set_xlabel("CPU seconds of training", fontsize=10)
    axis.set_ylabel("error / acceptance bound", fontsize=10)
    axis.grid(alpha=0.3)


def _lines(axis: Axes, cell: Cell) -> None:
    colour = COLOURS[cell.learner]
    for curve in cell.curves:
        at, share = zip(*curve, strict=True)
        axis.plot(at, np.clip(share, LEAST, MANY), color=colour, alpha=0.3, linewidth=0.7)
    at_all, median = _median(cell)
    axis.plot(at_all, np.clip(median, LEAST, MANY), color=colour, linewidth=1.8, label=CONTENDERS[cell.learner].title)
    axis.plot(at_all[-1:], np.clip(median[-1:], LEAST, MANY), "o", color=colour, markersize=4)


def _median(cell: Cell) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """CPU seconds from which all seeds have a look, and the median of their latest ones."""
    begun = max(curve[0][0] for curve in cell.curves)
    at = np.array(sorted({cpu for curve in cell.curves for cpu, _ in curve if cpu >= begun}))
    latest = []
    for curve in cell.curves:
        cpu, share = np.array(curve).T
        latest.append(share[np.searchsorted(cpu, at, side="right") - 1])
    return at, np.median(latest, axis=0)
