"""The command `smfg grid`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from experiments.commands.terminal import command_line, console
from experiments.commands.tune import Storage
from experiments.configuration.shipped import GRIDS, shipped


def _names(incomplete: str) -> list[str]:
    return [name for name in shipped(GRIDS) if name.startswith(incomplete)]


def grid(
    config: Annotated[
        str,
        typer.Argument(
            help="YAML file, or a shipped grid: table1, table3, figure2 ... figure7.", autocompletion=_names
        ),
    ],
    scale: Annotated[
        Literal["quick", "full"], typer.Option(help="How much is run; docs/results.md has both.")
    ] = "quick",
    group: Annotated[
        list[str] | None, typer.Option(help="Run only this group of the scale; repeatable.", show_default="all")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Folder of the grid.", show_default="runs/NAME-SCALE")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what is there.")] = False,
    reuse: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of a grid whose finished trainings are taken; repeatable.", show_default=False),
    ] = None,
    storage: Storage = None,
) -> None:
    """Run a table or figure of the paper, seeds side by side, and show it as one HTML page."""
    from experiments.grid.run import run
    from experiments.report.make import run as report

    command = command_line("--resume")
    raise typer.Exit(
        run(
            console(),
            config,
            scale=scale,
            only=group or [],
            output=output,
            resume=resume,
            sources=reuse or [],
            command=command,
            report=report,
            storage=storage,
        )
    )
