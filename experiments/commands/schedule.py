"""The command `smfg schedule`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from experiments.commands.terminal import command_line, console


def schedule(
    governments: Annotated[list[str], typer.Argument(help="Governments by name, or folders of runs: all their seeds.")],
    follower: Annotated[str, typer.Option(help="Households by name, or the folder of a run.")] = "planning",
    year: Annotated[int, typer.Option(min=1, help="Year whose schedules are read.")] = 50,
    seed: Annotated[int, typer.Option(min=0, help="Luck of the economies.")] = 4_000_000,
    image: Annotated[Path | None, typer.Option(metavar="FILE", help="Picture to draw, as .png.")] = None,
    json: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Also write the curves as JSON.")] = None,
) -> None:
    """Tax schedules of the calibrated economy beside each other: what was learned against us_federal, say."""
    from experiments.studies.schedules import run

    run(console(), governments, follower, year=year, seed=seed, image=image, json=json, command=command_line())
