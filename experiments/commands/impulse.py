"""The command `smfg impulse`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from experiments.commands.terminal import command_line, console


def impulse(
    leader: Annotated[str, typer.Argument(help="A government by name, or the folder of a run.")] = "us_system",
    follower: Annotated[str, typer.Option(help="Households by name, or the folder of a run.")] = "planning",
    shock: Annotated[
        Literal["all", "financial_crisis", "disaster", "productivity"],
        typer.Option(help="What strikes; productivity falls by 1 % and comes back as it does."),
    ] = "all",
    economies: Annotated[int, typer.Option(min=2, help="Economies, each played with the shock and without.")] = 32,
    followers: Annotated[int, typer.Option(min=10, help="Households of each.")] = 500,
    years: Annotated[int, typer.Option(min=1, help="Years that are shown from the shock on.")] = 40,
    preset: Annotated[str, typer.Option(help="Economy: calibrated, paper, taxai.")] = "calibrated",
    seed: Annotated[int, typer.Option(min=0, help="Luck of the economies.")] = 3_000_000,
    image: Annotated[Path | None, typer.Option(metavar="FILE", help="Picture to draw, as .png.")] = None,
    json: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Also write the bands as JSON.")] = None,
) -> None:
    """Impulse responses: a crisis, a disaster or a fall of productivity against the same luck without it."""
    from experiments.studies.impulse import run
    from rllib_smfg.economics.impulse import SHOCKS

    run(
        console(),
        leader,
        follower,
        settings={"name": "economy", "preset": preset, "games": economies, "followers": followers},
        shocks=SHOCKS if shock == "all" else (shock,),
        years=years,
        seed=seed,
        image=image,
        json=json,
        command=command_line(),
    )
