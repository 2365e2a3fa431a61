"""The command `smfg bench`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from experiments.commands.terminal import command_line, console

if TYPE_CHECKING:
    from rllib_smfg.bench.learners import Run, Shipped

CALIBRATED = "calibrated"


def bench(
    games: Annotated[list[str] | None, typer.Argument(help="Games.", show_default="all")] = None,
    learners: Annotated[str | None, typer.Option(metavar="NAME,...", help="Who.", show_default="all")] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="Of each learner.", show_default="10")] = None,
    cpu_seconds: Annotated[float | None, typer.Option(min=0.1, help="Of each training.", show_default="300")] = None,
    json: Annotated[Path | None, typer.Option(help="Result; page, picture beside.", show_default="in OUTPUT")] = None,
    output: Annotated[Path | None, typer.Option(help="Folder of the trials.", show_default="runs/bench")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what is there.")] = False,
    from_: Annotated[Path | None, typer.Option("--from", help="Run nothing: show what this file holds.")] = None,
) -> None:
    """Run learners with equal CPU time on games whose solution is known: one table, one picture, one page."""
    from envs.solution import SOLVED_GAMES
    from experiments.results.markdown import markdown_table
    from experiments.training.summary import versions
    from rllib_smfg.bench.campaign import chosen_games, planned
    from rllib_smfg.bench.run import benchmark, refuse_beside, show

    if from_ is not None:
        asked = {"GAME": games, "--learners": learners, "--seeds": seeds, "--cpu-seconds": cpu_seconds}
        refuse_beside(from_, {**asked, "--json": json, "--output": output, "--resume": resume})
        return show(console(), from_, markdown_table)
    shipped = {game: _shipped(game) for game in chosen_games(games or [], [*SOLVED_GAMES, CALIBRATED])}
    trials = planned(shipped, learners.split(",") if learners else [], seeds or 10, cpu_seconds or 300.0)
    command = command_line("--resume")
    written = benchmark(console(), trials, output, json, resume=resume, command=command, versions=versions())
    return show(console(), written, markdown_table)


def _shipped(game: str) -> Shipped:
    """What shipped configurations say of a game."""
    from experiments.verify.learning import configuration
    from rllib_smfg.bench.learners import Shipped

    tuned = configuration(game, "smfrl")
    source = CALIBRATED if game == CALIBRATED else configuration(game, "structural")
    return Shipped(_run(source), _run(tuned) if tuned.is_file() else None, _run("as_published_n100"))


def _run(source: str | Path) -> Run:
    from experiments.configuration.loading import load_experiment
    from rllib_smfg.bench.learners import Run

    found = load_experiment(source)
    return Run(found.game.settings(), found.algorithm, found.training.iterations)
