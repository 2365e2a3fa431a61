"""`smfg impulse`: what a shock does to economies, against the same luck without them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from rich.console import Console
from rich.table import Table

from envs.game import Array
from rllib_smfg.economics.impulse import BAND, BEFORE, MEASURES, band, effects
from rllib_smfg.storage.files import write_json

matplotlib.use("Agg")


def run(
    console: Console,
    leader: str,
    follower: str,
    *,
    settings: Mapping[str, Any],
    shocks: Sequence[str],
    years: int,
    seed: int,
    image: Path | None,
    json: Path | None,
    command: str,
) -> None:
    """Prints what a shock has done after 0, 5 and `years` - 1 years, and writes bands as JSON and as a picture."""
    found = {shock: effects(leader, follower, settings, shock, years, seed) for shock in shocks}
    bands = {shock: {name: band(values) for name, values in each.items()} for shock, each in found.items()}
    for shock, each in bands.items():
        console.print(_table(shock, each, settings, years))
    if json is not None:
        first = range(-BEFORE, years)
        content = {shock: {name: x.tolist() for name, x in each.items()} for shock, each in bands.items()}
        write_json(
            json,
            {"command": command, "years_after": list(first), "percentiles": list(BAND), "effects": content},
        )
    if image is not None:
        draw(bands, years, image)


def _table(shock: str, bands: Mapping[str, Array], settings: Mapping[str, Any], years: int) -> Table:
    after = sorted({0, min(5, years - 1), years - 1})
    title = f"{shock}: {settings['games']} economies of {settings['followers']}, median [5 %, 95 %]"
    table = Table("effect on", *(f"year {k}" for k in after), title=title, title_justify="left")
    for measure in MEASURES:
        low, middle, high = bands[measure.indicator]
        cells = [f"{middle[BEFORE + k]:.2f} [{low[BEFORE + k]:.2f}, {high[BEFORE + k]:.2f}]" for k in after]
        table.add_row(measure.title, *cells)
    return table


def draw(bands: Mapping[str, Mapping[str, Array]], years: int, image: Path) -> None:
    """One panel for each measure: a line and a band for each shock."""
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(2, 3, figsize=(11, 5.6), layout="constrained", sharex=True)
    first = np.arange(-BEFORE, years)
    for panel, measure in zip(panels.ravel(), MEASURES, strict=True):
        for colour, (shock, each) in enumerate(bands.items()):
            low, middle, high = each[measure.indicator]
            panel.fill_between(first, low, high, color=f"C{colour}", alpha=0.2, linewidth=0)
            panel.plot(first, middle, color=f"C{colour}", label=shock.replace("_", " "))
        panel.axhline(0, color="0.6", linewidth=0.8)
        panel.set_title(measure.title, fontsize=10)
        panel.grid(alpha=0.3)
    for panel in panels[-1]:
        panel.set_xlabel("years after the shock")
    panels[0, 0].legend(frameon=False)
    image.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(image, dpi=110)
    pyplot.close(figure)
