"""The command `smfg`. Each command's body is in a module of its own, imported when it runs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

import typer
from pydantic import ValidationError
from typer.exceptions import TyperException

from envs import InvalidSetting
from experiments.commands import bench as cli_bench
from experiments.commands import calibrate as cli_calibrate
from experiments.commands import compare as cli_compare
from experiments.commands import compete as cli_compete
from experiments.commands import convergence as cli_convergence
from experiments.commands import export as cli_export
from experiments.commands import grid as cli_grid
from experiments.commands import impulse as cli_impulse
from experiments.commands import optimum as cli_optimum
from experiments.commands import plan as cli_plan
from experiments.commands import reform as cli_reform
from experiments.commands import release as cli_release
from experiments.commands import report as cli_report
from experiments.commands import schedule as cli_schedule
from experiments.commands import transition as cli_transition
from experiments.commands import tune as cli_tune
from experiments.commands.help import Command, Group, example
from experiments.commands.terminal import command_line, console, never_refuse_letters
from experiments.configuration.shipped import shipped
from rllib_smfg import __version__
from rllib_smfg.processes.interrupts import Interrupted
from rllib_smfg.processes.waiting import leave

BAD_INPUT = 2


class OneLineErrors(Group):
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
            leave(code)
        return code


def _say(text: str, code: int) -> int:
    print(f"smfg: {' '.join(text.split())}", file=sys.stderr)
    return code


app = typer.Typer(
    cls=OneLineErrors,
    help="Macroeconomic policy as a Stackelberg mean-field game, learned with Ray RLlib.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
data = typer.Typer(cls=Group, help="Look at survey data.", no_args_is_help=True)
app.add_typer(data, name="data")
app.add_typer(cli_compete.app, name="compete")


def _print_version(asked: bool) -> None:
    if asked:
        print(f"rllib-smfg {__version__}")
        raise typer.Exit


@app.callback()
def _everywhere(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


app.command(cls=Command, epilog=example("bench"))(cli_bench.bench)
app.command(cls=Command, epilog=example("calibrate"))(cli_calibrate.calibrate)
app.command(cls=Command, epilog=example("compare"))(cli_compare.compare)
app.command(cls=Command, epilog=example("convergence"))(cli_convergence.convergence)
app.command(cls=Command, epilog=example("export"))(cli_export.export)
app.command(cls=Command, epilog=example("impulse"))(cli_impulse.impulse)
app.command(cls=Command, epilog=example("optimum"))(cli_optimum.optimum)
app.command(cls=Command, epilog=example("plan"))(cli_plan.plan)
app.command(cls=Command, epilog=example("reform"))(cli_reform.reform)
app.command(cls=Command, epilog=example("release"))(cli_release.release)
app.command(cls=Command, epilog=example("report"))(cli_report.report)
app.command(cls=Command, epilog=example("schedule"))(cli_schedule.schedule)
app.command(cls=Command, epilog=example("transition"))(cli_transition.transition)
app.command(cls=Command, epilog=example("grid"))(cli_grid.grid)
app.command(cls=Command, epilog=example("tune"))(cli_tune.tune)


def _configurations(incomplete: str) -> list[str]:
    return [name for name in shipped() if name.startswith(incomplete)]


Overrides = Annotated[
    list[str] | None, typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Override a setting; may be repeated.")
]
JsonFile = Annotated[
    Path | None, typer.Option("--json", metavar="FILE", dir_okay=False, help="Also write the result as JSON.")
]


@app.command(cls=Command, epilog=example("train"))
def train(
    config: Annotated[
        str | None,
        typer.Argument(help="YAML file, or the name of a shipped configuration.", autocompletion=_configurations),
    ] = None,
    set_: Overrides = None,
    output: Annotated[Path | None, typer.Option(help="Folder of the run.", show_default="runs/NAME-TIME")] = None,
    resume: cli_tune.Resume = None,
    storage: cli_tune.Storage = None,
) -> None:
    """Train SMFRL, then compare what it learned with a free market, a random and the best constant policy."""
    from experiments.training.train import run

    run(
        console(),
        config=config,
        overrides=set_ or [],
        output=output,
        resume=resume,
        command=command_line(),
        storage=storage,
    )


@app.command(cls=Command, epilog=example("pretrain"))
def pretrain(
    config: Annotated[str, typer.Argument(help="YAML file, or the name of a shipped configuration.")],
    set_: Overrides = None,
    output: Annotated[Path | None, typer.Option(help="Folder to make.", show_default="runs/NAME-TIME")] = None,
) -> None:
    """Fit households to the Survey of Consumer Finances (behaviour cloning)."""
    from experiments.studies.pretrain import run

    run(console(), config, set_ or [], output)


@app.command(cls=Command, epilog=example("evaluate"))
def evaluate(
    checkpoint: Annotated[Path, typer.Argument(help="A checkpoint, exported policies, or the folder of a run.")],
    episodes: Annotated[int | None, typer.Option(help="Episodes.", show_default="as in the run's summary")] = None,
    seed: Annotated[
        int | None, typer.Option(help="Luck of the episodes.", show_default="as in the run's summary")
    ] = None,
    followers: Annotated[int | None, typer.Option(help="Households.", show_default="as in training")] = None,
    reference: Annotated[
        str | None, typer.Option(help="Government to compare with.", show_default="us_system, in calibrated")
    ] = None,
    by_wealth: Annotated[
        bool, typer.Option("--by-wealth", help="Also print consumption equivalents by tenth of first wealth.")
    ] = False,
    json: JsonFile = None,
) -> None:
    """Play whole episodes with trained policies; needs no Ray and unpickles nothing."""
    from experiments.studies.evaluate import run

    run(
        console(),
        checkpoint,
        episodes=episodes,
        seed=seed,
        followers=followers,
        json=json,
        reference=reference,
        by_wealth=by_wealth,
    )


@app.command(cls=Command, epilog=example("replay"))
def replay(
    file: Annotated[Path, typer.Argument(help="A recorded trajectory (.npz).")],
    preset: Annotated[str, typer.Option(help="The economy it was recorded in.")] = "paper",
    tolerance: Annotated[float, typer.Option(help="Largest relative difference that passes.")] = 1e-9,
) -> None:
    """Replay a recorded trajectory; exit code 1 where an output differs by more than the tolerance."""
    from experiments.studies.replay import run

    raise typer.Exit(run(console(), file, preset=preset, tolerance=tolerance))


@data.command(cls=Command, epilog=example("data check"))
def check(path: Annotated[Path, typer.Argument(help="SCF summary extract (SCFP2022.csv).")]) -> None:
    """Read a survey file and sum it up."""
    from experiments.studies.data import run

    run(console(), path)


@app.command(cls=Command, epilog=example("solve"))
def solve(
    game: Annotated[str, typer.Argument(help="A game whose solution is known, for example linear_quadratic.")],
    set_: Overrides = None,
    followers: Annotated[str, typer.Option(metavar="N|inf", help="Number of followers.")] = "inf",
    concept: Annotated[str, typer.Option(help="stackelberg, partial, team or partial_team.")] = "stackelberg",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Print the exact solution of a game."""
    from experiments.studies.solve import run

    run(console(), game, overrides=set_ or [], followers=followers, concept=concept, as_json=json)


@app.command(cls=Command, epilog=example("frontier"))
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
    from experiments.studies.frontier import run

    run(console(), config, overrides=set_ or [], seed=seed, json=json)


@app.command(cls=Command, epilog=example("verify"))
def verify(
    games: Annotated[
        list[str] | None, typer.Argument(help="Games.", show_default="all whose solution is known")
    ] = None,
    method: Annotated[
        Literal["structural", "smfrl", "both"] | None,
        typer.Option(
            help="Who learns: by derivatives of the game, or from simulation alone.", show_default="structural"
        ),
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, help="Training seeds of each case.", show_default="5, or 1 with --quick")
    ] = None,
    followers: Annotated[int | None, typer.Option(help="Only the cases of this N: 16, 100, 1000 or 10000.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="stage_game and income_tax at N = 100.")] = False,
    instances: Annotated[
        int | None, typer.Option(min=1, help="Instead, so many games in turn at parameters that are drawn.")
    ] = None,
    instance_seed: Annotated[int | None, typer.Option(min=0, help="Luck of what is drawn.", show_default="0")] = None,
    published: Annotated[
        bool, typer.Option("--published", help="Instead, figures of the literature beside ours; nothing is trained.")
    ] = False,
    json: JsonFile = None,
) -> None:
    """Train on games whose solution is known; exit code 1 where what was learned misses the acceptance table."""
    from experiments.verify.run import run
    from experiments.verify.run_instances import refuse_with_instances, run_instances

    if published:
        from rllib_smfg.economics.published import run as run_published
        from rllib_smfg.economics.published import sources_of

        asked = {"--method": method, "--seeds": seeds, "--followers": followers, "--quick": quick or None}
        chosen_sources = sources_of(games or [], asked | {"--instances": instances, "--instance-seed": instance_seed})
        raise typer.Exit(run_published(console(), chosen_sources, json))
    if instances is not None:
        refuse_with_instances(
            {"--method": method, "--seeds": seeds, "--followers": followers, "--quick": quick or None}
        )
        found = run_instances(console(), games or [], count=instances, instance_seed=instance_seed or 0, output=json)
        raise typer.Exit(found)
    if instance_seed is not None:
        raise InvalidSetting("--instance-seed: needs --instances, how many are drawn")
    chosen = method or "structural"
    raise typer.Exit(
        run(console(), games or [], seeds=seeds, quick=quick, output=json, followers=followers, method=chosen)
    )


@app.command(cls=Command, epilog=example("exploitability"))
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
    from experiments.studies.exploitability.run import run

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


@app.command(cls=Command, epilog=example("benchmark"))
def benchmark(
    json: JsonFile = None,
    quick: Annotated[bool, typer.Option("--quick", help="Two sizes only, in little time: rough figures.")] = False,
) -> None:
    """Measure the speed of simulator, policies and training."""
    from experiments.studies.benchmark import run

    run(console(), json, quick)


def main() -> NoReturn:
    """The console command."""
    never_refuse_letters()
    app(prog_name="smfg")
    raise AssertionError("app exits by itself")
