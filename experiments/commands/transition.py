"""The command `smfg transition`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from experiments.commands.terminal import command_line, console

NAMED = "A government by name, NAME:KEY=NUMBER,... with settings of its own, or the folder of a run."


def transition(
    policy: Annotated[str, typer.Argument(help=NAMED)],
    origin: Annotated[
        str, typer.Option("--from", metavar="POLICY|survey", help="Start: the survey, or a policy's stationary state.")
    ] = "survey",
    against: Annotated[
        str | None, typer.Option(help="What it is held against.", show_default="the policy of --from, or us_system")
    ] = None,
    years: Annotated[int, typer.Option(min=20, help="Years of the path; its last year lasts.")] = 150,
    closure: Annotated[
        Literal["none", "tau", "spending", "transfer"],
        typer.Option(help="What pays spending and interest every year: the policy's own rule, or this."),
    ] = "none",
    announced: Annotated[int, typer.Option(min=0, help="Years in which it is known and not yet in force.")] = 0,
    lasts: Annotated[int | None, typer.Option(min=1, help="Years in force.", show_default="for ever")] = None,
    json: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Also write every year as JSON.")] = None,
) -> None:
    """A reform of the calibrated economy as households live through it who know the whole path of prices and taxes."""
    from experiments.studies.transition import run
    from rllib_smfg.economics.transition import Reform

    reform = Reform(policy, origin, against, years, closure, announced, lasts)
    run(console(), reform, json, command_line())
