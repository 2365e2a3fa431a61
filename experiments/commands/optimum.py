"""The command `smfg optimum`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from experiments.commands.terminal import command_line, console


def optimum(
    instruments: Annotated[
        str, typer.Option(metavar="NAME,NAME", help="Those to choose; the others stay as in us_system.")
    ] = "tau,xi,asset_tau,asset_xi,spending,response",
    bounds: Annotated[
        list[str] | None, typer.Option(metavar="NAME=LOW:HIGH", help="Narrower than the game's; repeatable.")
    ] = None,
    concept: Annotated[
        Literal["both", "feedback", "commitment"],
        typer.Option(help="Over households who respond to what they see, or who know that the rule holds for ever."),
    ] = "both",
    followers: Annotated[int, typer.Option(min=50, help="Households of each economy (feedback).")] = 1000,
    rounds: Annotated[int, typer.Option(min=6, help="Rounds of the evolution search (feedback).")] = 100,
    trials: Annotated[int, typer.Option(min=20, help="Transitions of the search (commitment).")] = 150,
    seed: Annotated[int, typer.Option(min=0, help="Luck of search and judgement.")] = 0,
    json: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Also write what is found as JSON.")
    ] = None,
) -> None:
    """The best rule for the calibrated economy: taxes that follow debt, progressivity, wealth taxes, spending."""
    from experiments.studies.optimum import CONCEPTS, OptimumRequest, run
    from rllib_smfg.optimum.family import rule_family
    from rllib_smfg.optimum.search import SearchEffort

    request = OptimumRequest(
        family=rule_family(instruments, bounds or []),
        concepts=CONCEPTS if concept == "both" else (concept,),
        followers=followers,
        seed=seed,
        effort=SearchEffort(rounds=rounds),
        trials=trials,
    )
    run(console(), request, json, command_line())
