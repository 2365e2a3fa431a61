"""The command `smfg compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from experiments.commands.terminal import command_line, console


def compare(
    config: Annotated[str | None, typer.Argument(help="YAML file, or the name of a shipped configuration.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Override a setting; repeatable.")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Folder to make.", show_default="runs/NAME-TIME")] = None,
    resume: Annotated[Path | None, typer.Option(help="Go on with the comparison in this folder.")] = None,
    local: Annotated[bool, typer.Option("--local", help="Play in this process; Ray only trains.")] = False,
    reference: Annotated[
        str | None,
        typer.Option(help="Row or government to compare with.", show_default="the configuration's, or us_system"),
    ] = None,
    by_wealth: Annotated[
        bool, typer.Option("--by-wealth", help="Also print consumption equivalents by tenth of first wealth.")
    ] = False,
) -> None:
    """Set policies and trained runs side by side in the same episodes; rows may be trained on the spot."""
    from experiments.compare.run import run

    command = command_line()
    run(
        console(),
        config=config,
        overrides=set_ or [],
        output=output,
        resume=resume,
        local=local,
        command=command,
        reference=reference,
        by_wealth=by_wealth,
    )
