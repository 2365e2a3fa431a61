"""The command `smfg`. Each command's body is in a module of its own, imported when it runs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

import typer
from pydantic import ValidationError
from typer.core import TyperGroup
from typer.exceptions import TyperException

from envs import InvalidSetting
from experiments import (
    cli_calibrate,
    cli_compare,
    cli_compete,
    cli_convergence,
    cli_export,
    cli_grid,
    cli_impulse,
    cli_optimum,
    cli_plan,
    cli_report,
    cli_schedule,
    cli_transition,
    cli_tune,
)
from experiments.interrupts import Interrupted
from experiments.terminal import command_line, console

BAD_INPUT = 2


class OneLineErrors(TyperGroup):
    """Bad input ends in one line on stderr and exit code 2, an interruption in 128 + the signal's number."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Runs a command; returns its exit code, or exits with it in standalone mode."""
        try:
            code = super().main(args, prog_name, complete_var, False, windows_expand_args, **extra) or 0
        except Interrupted as stop:
            code = _say(str(stop), stop.exit_code)
        except (InvalidSetting, ValidationError, TyperException) as error:
            code = _say(str(error) if isinstance(error, ValueError) else error.format_message(), BAD_INPUT)
        except OSError as error:
            code = _say(f"{error.filename}: {error.strerror}" if error.filename else str(error), BAD_INPUT)
        if standalone_mode:
            sys.exit(code)
        return code


def _say(text: str, code: int) -> int:
    print(f"smfg: {' '.join(text.split())}", file=sys.stderr)
    return code


app = typer.Typer(
    cls=OneLineErrors,
    help="Macroeconomic policy as a Stackelberg mean-field game, learned with Ray RLlib.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
data = typer.Typer(help="Look at survey data.", no_args_is_help=True)
app.add_typer(data, name="data")
app.add_typer(cli_compete.app, name="compete")
app.command()(cli_calibrate.calibrate)
app.command()(cli_compare.compare)
app.command()(cli_convergence.convergence)
app.command()(cli_export.export)
app.command()(cli_impulse.impulse)
app.command()(cli_optimum.optimum)
app.command()(cli_plan.plan)
app.command()(cli_report.report)
app.command()(cli_schedule.schedule)
app.command()(cli_transition.transition)
app.command()(cli_grid.grid)
app.command()(cli_tune.tune)

Overrides = Annotated[
    list[str] | None, typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Override a setting; may be repeated.")
]
JsonFile = Annotated[
    Path | None, typer.Option("--json", metavar="FILE", dir_okay=False, help="Also write the result as JSON.")
]


@app.command()
def train(
    config: Annotated[str | None, typer.Argument(help="YAML file, or the name of a shipped configuration.")] = None,
    set_: Overrides = None,
    output: Annotated[Path | None, typer.Option(help="Folder of the run.", show_default="runs/NAME-TIME")] = None,
    resume: cli_tune.Resume = None,
    storage: cli_tune.Storage = None,
) -> None:
    """Train SMFRL, then compare what it learned with a free market, a random and the best constant policy."""
    from experiments.train import run

    run(
        console(),
        config=config,
        overrides=set_ or [],
        output=output,
        resume=resume,
        command=command_line(),
        storage=storage,
    )


@app.command()
def pretrain(
    config: Annotated[str, typer.Argument(help="YAML file, or the name of a shipped configuration.")],
    set_: Overrides = None,
    output: Annotated[Path | None, typer.Option(help="Folder to make.", show_default="runs/NAME-TIME")] = None,
) -> None:
    """Fit households to the Survey of Consumer Finances (behaviour cloning)."""
    from experiments.pretrain import run

    run(console(), config, set_ or [], output)


@app.command()
def evaluate(
    checkpoint: Annotated[Path, typer.Argument(help="A checkpoint, exported policies, or the folder of a run.")],
    episodes: Annotated[int | None, typer.Option(help="Episodes.", show_default="as in the run's summary")] = None,
    seed: Annotated[
        int | None, typer.Option(help="Luck of the episodes.", show_default="as in the run's summary")
    ] = None,
    followers: Annotated[int | None, typer.Option(help="Households.", show_default="as in training")] = None,
    json: JsonFile = None,
) -> None:
    """Play whole episodes with trained policies; needs no Ray and unpickles nothing."""
    from experiments.evaluate import run

    run(console(), checkpoint, episodes=episodes, seed=seed, followers=followers, json=json)


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="A recorded trajectory (.npz).")],
    preset: Annotated[str, typer.Option(help="The economy it was recorded in.")] = "paper",
    tolerance: Annotated[float, typer.Option(help="Largest relative difference that passes.")] = 1e-9,
) -> None:
    """Replay a recorded trajectory; exit code 1 where an output differs by more than the tolerance."""
    from experiments.replay import run

    raise typer.Exit(run(console(), file, preset=preset, tolerance=tolerance))


@data.command()
def check(path: Annotated[Path, typer.Argument(help="SCF summary extract (SCFP2022.csv).")]) -> None:
    """Read a survey file and sum it up."""
    from experiments.data import run

    run(console(), path)


@app.command()
def solve(
    game: Annotated[str, typer.Argument(help="A game whose solution is known, for example linear_quadratic.")],
    set_: Overrides = None,
    followers: Annotated[str, typer.Option(metavar="N|inf", help="Number of followers.")] = "inf",
    concept: Annotated[str, typer.Option(help="stackelberg, partial, team or partial_team.")] = "stackelberg",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Print the exact solution of a game."""
    from experiments.solve import run

    run(console(), game, overrides=set_ or [], followers=followers, concept=concept, as_json=json)


@app.command()
def frontier(
    config: Annotated[str, typer.Argument(help="YAML file, or the name of a shipped configuration.")],
    set_: Overrides = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Luck of the search.", show_default="comparison.search_seed")
    ] = None,
    json: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", dir_okay=False, help="Keep it here, and find it again.")
    ] = None,
) -> None:
    """Search constant policies and print those that no other surpasses in GDP, welfare and equality."""
    from experiments.frontier import run

    run(console(), config, overrides=set_ or [], seed=seed, json=json)


@app.command()
def verify(
    games: Annotated[
        list[str] | None, typer.Argument(help="Games.", show_default="all whose solution is known")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Training seeds of each case.")] = 5,
    followers: Annotated[int | None, typer.Option(help="Only the cases of this N: 16, 100, 1000 or 10000.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="stage_game and income_tax at N = 100, one seed.")] = False,
    json: JsonFile = None,
) -> None:
    """Train on games whose solution is known; exit code 1 where what was learned misses the acceptance table."""
    from experiments.verify.run import run

    raise typer.Exit(run(console(), games or [], seeds=seeds, quick=quick, output=json, followers=followers))


@app.command()
def exploitability(
    checkpoint: Annotated[Path, typer.Argument(help="A checkpoint, exported policies, or the folder of a run.")],
    baseline: Annotated[
        Literal["random", "free_market", "constant"], typer.Option(help="The gap to it is one unit.")
    ] = "random",
    quick: Annotated[bool, typer.Option("--quick", help="A quarter of the budget, one seed, 32 episodes.")] = False,
    budget: Annotated[
        int | None, typer.Option(min=100, help="Updates of each best response.", show_default="1600")
    ] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="Seeds of each best response.", show_default="2")] = None,
    episodes: Annotated[int | None, typer.Option(min=8, help="Episodes that score them.", show_default="64")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Luck of training, choosing and scoring.")] = 0,
    off_path: Annotated[
        list[float] | None, typer.Option(help="Also shift the government by this share of half its range; repeatable.")
    ] = None,
    regret: Annotated[int, typer.Option(min=0, help="Also try so many constant governments; households adapt.")] = 0,
    json: JsonFile = None,
) -> None:
    """Measure what one household, or the government, could gain by leaving the trained policies."""
    from experiments.exploitability import run

    run(
        console(),
        checkpoint,
        baseline=baseline,
        quick=quick,
        budget=budget,
        seeds=seeds,
        episodes=episodes,
        seed=seed,
        off_path=off_path or [],
        regret=regret,
        json=json,
    )


@app.command()
def benchmark(
    json: JsonFile = None,
    quick: Annotated[bool, typer.Option("--quick", help="Two sizes only, in little time: rough figures.")] = False,
) -> None:
    """Measure the speed of simulator, policies and training."""
    from experiments.benchmark import run

    run(console(), json, quick)


def main() -> NoReturn:
    """The console command."""
    app(prog_name="smfg")
    raise AssertionError("app exits by itself")
