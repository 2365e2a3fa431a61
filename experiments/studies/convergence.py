"""`smfg convergence`: measures, prints, and writes JSON and a figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from experiments.results.tables import label
from rllib_smfg.convergence.leader_gain import Gain, gains, mean_field_gain
from rllib_smfg.convergence.spread import INDICATORS, Spread, spread_slope, spreads
from rllib_smfg.storage.files import write_json


def run(
    console: Console,
    *,
    followers: Sequence[int],
    preset: Literal["paper", "calibrated"],
    economies: int,
    years: int,
    seed: int,
    json: Path | None,
    figure: Path | None,
) -> None:
    """Both studies, at the same sizes."""
    limit = mean_field_gain()
    found = list(gains(followers, seed))
    console.print(_gain_table(found, limit))
    spread = list(spreads(preset, followers, economies, years, seed))
    slopes = {name: spread_slope(spread, name) for name in INDICATORS} if len(spread) > 1 else {}
    console.print(_spread_table(spread, slopes, preset))
    if json is not None:
        content = {
            "linear_quadratic": {"K_mean_field": limit, "K": [asdict(gain) for gain in found]},
            "economy": {"preset": preset, "spread": [asdict(each) for each in spread], "slopes": slopes},
            "seed": seed,
        }
        write_json(json, content)
    if figure is not None:
        figure.parent.mkdir(parents=True, exist_ok=True)
        draw(figure, found, limit, spread)


def draw(path: Path, found: Sequence[Gain], limit: float, spread: Sequence[Spread]) -> None:
    """Two panels over N: the distance of K(N) from its mean-field limit, and the spread of the indicators."""
    picture = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = picture.subplots(1, 2)
    _draw_gains(left, found, limit)
    _draw_spreads(right, spread)
    for axis in (left, right):
        axis.set(xscale="log", yscale="log", xlabel="households N")
        axis.grid(alpha=0.3)
        axis.legend(fontsize=8)
    picture.savefig(path, dpi=120)


def _draw_gains(axis: Axes, found: Sequence[Gain], limit: float) -> None:
    n = [gain.followers for gain in found]
    axis.plot(n, [abs(gain.exact - limit) for gain in found], label="exact")
    away = [abs(gain.played - limit) for gain in found]
    error = [gain.standard_error for gain in found]
    axis.errorbar(n, away, error, fmt="o", markersize=4, label="found in play, one standard error")
    axis.set_title("linear_quadratic: |K(N) - K of the mean field|", fontsize=10)


def _draw_spreads(axis: Axes, spread: Sequence[Spread]) -> None:
    n = np.array([each.followers for each in spread], dtype=float)
    for name in INDICATORS:
        axis.plot(n, [each.spread[name] for each in spread], marker="o", markersize=4, label=label(name))
    start = max(spread[0].spread.values())
    axis.plot(n, start * np.sqrt(n[0] / n), color="0.6", linestyle="--", label="1 / sqrt(N)")
    axis.set_title("economy: standard deviation over economies / mean", fontsize=10)


def _gain_table(found: Sequence[Gain], limit: float) -> Table:
    table = Table(title=f"linear_quadratic: the leader's gain K(N); mean field {limit:.6f}")
    for heading in ("N", "exact", "found in play", "standard error", "games"):
        table.add_column(heading, justify="right")
    for gain in found:
        numbers = (f"{x:.6f}" for x in (gain.exact, gain.played, gain.standard_error))
        table.add_row(f"{gain.followers:,}", *numbers, str(gain.games))
    return table


def _spread_table(spread: Sequence[Spread], slopes: dict[str, float], preset: str) -> Table:
    table = Table(title=f"economy ({preset}), year {spread[0].years}: standard deviation over economies / mean")
    for heading in ("N", "economies that lived", *map(label, INDICATORS)):
        table.add_column(heading, justify="right")
    for each in spread:
        values = (f"{100 * each.spread[name]:.3f} %" for name in INDICATORS)
        table.add_row(f"{each.followers:,}", f"{each.lived} of {each.economies}", *values)
    if slopes:
        table.add_row("slope in log N", "", *(f"{slopes[name]:.2f}" for name in INDICATORS))
    return table
