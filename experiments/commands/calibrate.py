"""The command `smfg calibrate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from experiments.commands.terminal import console


def calibrate(
    check: Annotated[bool, typer.Option("--check", help="Simulate from the survey and compare with data.")] = False,
    games: Annotated[int, typer.Option(min=1, help="Economies that are simulated.")] = 16,
    followers: Annotated[int, typer.Option(min=10, help="Households of each.")] = 1000,
    years: Annotated[int, typer.Option(min=2, help="Years until the second look.")] = 50,
    seed: Annotated[int, typer.Option(min=0, help="Luck of the simulation.")] = 1,
    json: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Also write the table as JSON.")] = None,
) -> None:
    """Set the calibrated economy against US data (docs/calibration.md); misses are printed, not failures."""
    from experiments.studies.calibrate import run

    run(console(140), check=check, games=games, followers=followers, years=years, seed=seed, json=json)
