"""The command `smfg report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from experiments.commands.terminal import console


def report(
    source: Annotated[
        Path, typer.Argument(metavar="DIR|FILE", help="A finished run, comparison, grid, or its results.csv.")
    ],
    output: Annotated[
        Path | None, typer.Option(help="The page to write; .md: its tables alone.", show_default="report.html in DIR")
    ] = None,
) -> None:
    """Show a finished run, comparison or grid as one HTML page that can be sent to a colleague; it needs no network."""
    from experiments.report.make import run

    run(console(), source, output)
