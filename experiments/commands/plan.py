"""The command `smfg plan`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from experiments.commands.terminal import console


def plan(
    output: Annotated[Path, typer.Argument(metavar="FILE", help="Weights to write, an .npz file.")],
    systems: Annotated[int, typer.Option(min=1, help="Tax systems that plans are solved for.")] = 80,
    states: Annotated[int, typer.Option(min=100, help="Household states taken from each plan.")] = 5000,
    steps: Annotated[int, typer.Option(min=100, help="Steps of the fit.")] = 5000,
    batch: Annotated[int, typer.Option(min=16, help="States of a step.")] = 1024,
    seed: Annotated[int, typer.Option(min=0, help="Of tax systems, states and fit.")] = 1,
) -> None:
    """Solve what households of `calibrated` plan under many tax systems; `planning` households act on the result."""
    from experiments.studies.plan import run

    run(console(), output, systems=systems, states=states, steps=steps, batch=batch, seed=seed)
