"""Training curves as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.results.tables import label
from rllib_smfg.metrics import GROUPS, HEADLINES, RETURNS, grouped

Rows = list[dict[str, float]]
LARGEST = 1e5  # amounts beyond it are drawn on a logarithmic axis
DASHES = {"leader": "-", "follower": "--"}


def training_curves(path: Path, title: str, seeds: Sequence[Rows], indicators: Sequence[str]) -> None:
    """Draws the rows of progress.csv, one list a seed: evaluations where there are some, else training itself.

    A line is the mean over seeds, its band the smallest to the largest seed. The last panel shows what share of
    actions is at a bound.
    """
    economy = "per_capita_gdp" in indicators
    names = [*(HEADLINES if economy else [*indicators, *RETURNS])]
    panels = [(label(name), source(name, seeds)) for name in names]
    panels = [(heading, column) for heading, column in panels if any(column in row for rows in seeds for row in rows)]
    across = min(4, len(panels) + 1)
    down = -(-(len(panels) + 1) // across)
    figure = Figure(figsize=(3.4 * across, 2.6 * down), layout="constrained")
    axes = list(figure.subplots(down, across, squeeze=False).flat)
    for axis, (heading, column) in zip(axes, panels, strict=False):
        _curve(axis, seeds, column)
        axis.set_title(heading, fontsize=10)
    _saturation(axes[len(panels)], seeds)
    for axis in axes[len(panels) + 1 :]:
        axis.set_visible(False)
    for axis in axes[: len(panels) + 1]:
        axis.set_xlabel("years played", fontsize=8)
        axis.tick_params(labelsize=8)
        axis.grid(alpha=0.3)
    many = f"{len(seeds)} seeds: mean, smallest to largest" if len(seeds) > 1 else "1 seed"
    figure.suptitle(f"{title} ({many})", fontsize=11)
    figure.savefig(path, dpi=120)


def source(indicator: str, seeds: Sequence[Rows]) -> str:
    """Where an indicator is read: in the evaluations, if there was more than one of them."""
    evaluated = f"evaluation/{indicator}"
    if max(sum(evaluated in row for row in rows) for rows in seeds) > 1 or indicator not in GROUPS:
        return evaluated
    return grouped(indicator)


def _curve(axis: Axes, seeds: Sequence[Rows], column: str, name: str | None = None, style: str = "-") -> None:
    years, values = common(seeds, column)
    if not values.size:
        return
    marker = "o" if len(years) < 30 else None
    (line,) = axis.plot(years, values.mean(axis=0), style, label=name, marker=marker, markersize=3, linewidth=1.4)
    axis.fill_between(years, values.min(axis=0), values.max(axis=0), alpha=0.2, color=line.get_color(), linewidth=0)
    if values.min() > 0 and values.max() > LARGEST:
        axis.set_yscale("log")


def _saturation(axis: Axes, seeds: Sequence[Rows]) -> None:
    for side, style in DASHES.items():
        _curve(axis, seeds, f"learning/{side}_saturation", side, style)
    axis.set_title("saturation (share of actions at a bound)", fontsize=10)
    axis.set_ylim(-0.02, 1.02)
    if axis.lines:
        axis.legend(fontsize=8)


def common(seeds: Sequence[Rows], column: str) -> tuple[np.ndarray, np.ndarray]:
    """Years (T,) and values (seeds, T), at the iterations that all seeds have."""
    by_seed = [{int(row["iteration"]): row for row in rows if column in row} for rows in seeds]
    iterations = sorted(set.intersection(*(set(rows) for rows in by_seed)))
    years = np.array([by_seed[0][k]["years"] for k in iterations])
    return years, np.array([[rows[k][column] for k in iterations] for rows in by_seed])
