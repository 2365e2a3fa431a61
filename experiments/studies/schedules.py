"""`smfg schedule`: the taxes that governments have come to after some years, drawn beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from rich.console import Console
from rich.table import Table

from policies import registry
from rllib_smfg.economics.tax_schedules import ASSETS, INCOMES, REPORTED, Drawn, drawn
from rllib_smfg.storage import checkpoints
from rllib_smfg.storage.files import write_json

matplotlib.use("Agg")

SHOWN = (30_000.0, 100_000.0, 300_000.0, 1_000_000.0)  # incomes of the printed table


def run(
    console: Console,
    governments: Sequence[str],
    follower: str,
    *,
    year: int,
    seed: int,
    image: Path | None,
    json: Path | None,
    command: str,
) -> None:
    """Prints average rates at some incomes; draws all schedules, one colour a government, a line for each seed."""
    found = {name: [drawn(path, follower, year, seed) for path in _seeds(name)] for name in governments}
    console.print(_table(found, year))
    console.print(_economies(found, year))
    if json is not None:
        content = {name: [_plain(each) for each in lines] for name, lines in found.items()}
        grids = {"incomes": INCOMES.tolist(), "assets": ASSETS.tolist()}
        write_json(json, {"command": command, "year": year, **grids, "governments": content})
    if image is not None:
        draw(found, year, image)


def _seeds(name: str) -> list[str]:
    """All seeds of a run's folder, or the government itself."""
    if registry.is_rule(name, registry.LEADERS):
        return [name]
    return [str(path) for path in checkpoints.seed_folders(Path(name))] or [name]


def _plain(each: Drawn) -> dict[str, Any]:
    curves = {part: getattr(each, part).tolist() for part in ("marginal", "average", "on_assets")}
    return {**curves, "economy": each.economy}


def _table(found: dict[str, list[Drawn]], year: int) -> Table:
    title = f"income tax in year {year}, average rate (marginal rate) at an income of; mean over seeds"
    table = Table("government", *(f"${x:,.0f}" for x in SHOWN), title=title, title_justify="left")
    for name, lines in found.items():
        average, marginal = (np.mean([getattr(x, part) for x in lines], axis=0) for part in ("average", "marginal"))
        cells = [f"{np.interp(x, INCOMES, average):.1%} ({np.interp(x, INCOMES, marginal):.1%})" for x in SHOWN]
        table.add_row(Path(name).name, *cells)
    return table


def _economies(found: dict[str, list[Drawn]], year: int) -> Table:
    title = f"the economy in year {year}; mean over seeds [least, most]"
    table = Table("government", *REPORTED.values(), title=title, title_justify="left")
    for name, lines in found.items():
        cells = []
        for indicator in REPORTED:
            values = [line.economy[indicator] for line in lines]
            spread = f" [{min(values):.3f}, {max(values):.3f}]" if len(values) > 1 else ""
            cells.append(f"{np.mean(values):.3f}{spread}")
        table.add_row(Path(name).name, *cells)
    return table


def draw(found: dict[str, list[Drawn]], year: int, image: Path) -> None:
    """Three panels: marginal and average rates of the income tax, and the tax on assets."""
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, 3, figsize=(12, 3.8), layout="constrained")
    parts = (
        ("marginal", INCOMES, "marginal rate of the income tax", "income before tax, dollars a year"),
        ("average", INCOMES, "average rate of the income tax", "income before tax, dollars a year"),
        ("on_assets", ASSETS, "tax on assets, share of them a year", "assets, dollars"),
    )
    for panel, (part, amounts, title, across) in zip(panels, parts, strict=True):
        for colour, (name, lines) in enumerate(found.items()):
            for k, line in enumerate(lines):
                label = Path(name).name.replace("_", " ") if k == 0 else None
                style = {"alpha": 0.8, "linewidth": 1.2} if len(lines) > 1 else {"linewidth": 1.8}
                panel.plot(amounts, getattr(line, part), color=f"C{colour}", label=label, **style)
        panel.axhline(0, color="0.6", linewidth=0.8)
        panel.set(xscale="log", title=title, xlabel=across)
        panel.title.set_fontsize(10)
        panel.grid(alpha=0.3)
    panels[0].legend(frameon=False, fontsize=9)
    figure.suptitle(f"year {year}", fontsize=10)
    image.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(image, dpi=110)
    pyplot.close(figure)
