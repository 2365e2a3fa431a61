"""The commands `smfg compete households` and `smfg compete government`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from experiments.commands.help import Command, Group, example
from experiments.commands.terminal import console

app = typer.Typer(
    cls=Group, help="Score a policy of your own; docs/competition.md shows how to write one.", no_args_is_help=True
)

SubmissionOption = Annotated[str, typer.Argument(metavar="FILE:CLASS", help="The class that decides, and its file.")]
CheckpointOption = Annotated[Path | None, typer.Option(help="A run, checkpoint or export with SMFRL households.")]
Real = Annotated[Path | None, typer.Option(help="Cloned households of smfg pretrain.", show_default="the survey's")]
Config = Annotated[
    str | None, typer.Option(help="Configuration whose game is played.", show_default="the checkpoint's")
]
Followers = Annotated[int | None, typer.Option(min=1, help="Households.", show_default="as in the game's settings")]
EpisodesOption = Annotated[int, typer.Option(min=1, help="Episodes of each composition, each with luck of its own.")]
Seed = Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Luck of the episodes.")]
CallSeconds = Annotated[float, typer.Option(min=0.001, help="Time for one action.")]
TotalSeconds = Annotated[float, typer.Option(min=0.001, help="Time for all actions in one composition.")]
MemoryOption = Annotated[int, typer.Option("--memory-mib", min=1, help="Address space a process may have.")]
Json = Annotated[
    Path | None, typer.Option("--json", metavar="FILE", dir_okay=False, help="Also write the result as JSON.")
]


@app.command(cls=Command, epilog=example("compete households"))
def households(
    submission: SubmissionOption,
    checkpoint: CheckpointOption = None,
    real: Real = None,
    government: Annotated[
        str | None, typer.Option(help="A rule or a run.", show_default="--checkpoint's, else free_market")
    ] = None,
    config: Config = None,
    followers: Followers = None,
    episodes: EpisodesOption = 16,
    seed: Seed = 1_000_000,
    call_seconds: CallSeconds = 5.0,
    total_seconds: TotalSeconds = 600.0,
    memory: MemoryOption = 4096,
    json: Json = None,
) -> None:
    """Average utility of households that decide by FILE:CLASS, among predefined ones; exit code 1 if they fail."""
    games = {"config": config, "followers": followers, "episodes": episodes, "seed": seed}
    limits = {"call_seconds": call_seconds, "total_seconds": total_seconds, "memory_mib": memory}
    _score("households", submission, json, limits, checkpoint=checkpoint, real=real, government=government, **games)


@app.command(cls=Command, epilog=example("compete government"))
def government(
    submission: SubmissionOption,
    checkpoint: CheckpointOption = None,
    real: Real = None,
    config: Config = None,
    followers: Followers = None,
    episodes: EpisodesOption = 16,
    seed: Seed = 1_000_000,
    call_seconds: CallSeconds = 5.0,
    total_seconds: TotalSeconds = 600.0,
    memory: MemoryOption = 4096,
    json: Json = None,
) -> None:
    """Return of a government that decides by FILE:CLASS, over predefined households; exit code 1 if it fails."""
    games = {"config": config, "followers": followers, "episodes": episodes, "seed": seed}
    limits = {"call_seconds": call_seconds, "total_seconds": total_seconds, "memory_mib": memory}
    _score("government", submission, json, limits, checkpoint=checkpoint, real=real, government=None, **games)


def _score(track: Any, submission: str, json: Path | None, limits: dict[str, Any], **options: Any) -> None:
    from experiments.studies.compete import contest_of, run
    from policies.submission import Limits

    contest = contest_of(limits=Limits(**limits), **options)
    raise typer.Exit(run(console(), track, submission, contest, json))
