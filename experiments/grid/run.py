"""`smfg grid CONFIG`: trains a grid on Tune, collects its results in one file, and draws what the paper draws of it."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console

from envs import InvalidSetting
from experiments import checkpoints
from experiments.evaluate import evaluate_policies
from experiments.files import refuse_overwriting
from experiments.frontier import constant_frontier
from experiments.grid.clones import clone
from experiments.grid.config import CONSTANT, EQUAL, Grid, Setting, restricted, trials
from experiments.grid.exploitability import exploitability
from experiments.grid.mixtures import mixtures
from experiments.grid.results import Row, write
from experiments.grid.reuse import TRIALS, refuse_without_trainings, reuse
from experiments.interrupts import Interrupted
from experiments.loading import SHIPPED, find, load
from experiments.metrics import HEADLINES
from experiments.owners import taken
from experiments.report.make import run as report
from experiments.run_log import read_progress
from experiments.storage import Place
from experiments.trials import Trial, TrialResult, run_trials

RESULTS, CONFIG = "results.csv", "grid.yaml"


def run(
    console: Console,
    config: str,
    *,
    scale: str,
    only: Sequence[str],
    output: Path | None,
    resume: bool,
    sources: Sequence[Path] = (),
    command: str,
) -> int:
    """Runs what is not there yet, and makes results.csv and report.html; 1 if a run failed, else 0.

    only: the groups of the scale that are run; empty: all of them. sources: folders of grids whose finished trainings
    of the same settings are taken instead of training again. A grid that shows another one's runs makes those,
    and a page of its own beside theirs.
    """
    path, grid = _grid(config)
    own, runs = path.stem, grid
    if grid.of is not None:
        path, runs = _grid(grid.of)
        command, resume = shlex.join(["smfg", "grid", grid.of, "--scale", scale, *_options(only)]), True
    runs = restricted(runs, scale, only)
    folder = output or Path("runs") / f"{path.stem}-{scale}"
    if runs.clones is None:
        trials(runs, scale)  # refuses a mistake before anything is written
        refuse_without_trainings(sources)
    elif sources:
        raise InvalidSetting(f"--reuse: {path.stem} trains nothing that another grid could have trained")
    if not resume:
        refuse_overwriting(folder, f"{command} --resume")
    with taken(Place(folder, resumed=resume), lambda text: _say(console, text)):
        try:
            rows, failed = _rows(console, runs, scale, folder, sources)
        except Interrupted as stop:
            raise Interrupted(f"{stop}; go on with: {command} --resume", stop.number) from None
        shutil.copyfile(path, folder / CONFIG)
        write(folder / RESULTS, command, runs.shows, rows)
        report(console, folder / RESULTS, folder / "report.html")
        if grid.of is not None:
            report(console, folder / RESULTS, folder / f"{own}.html", grid.shows)
    for result in failed:
        _say(console, f"failed: {result.trial}: {result.error}")
    return int(bool(failed))


def _say(console: Console, text: str) -> None:
    console.print(text, soft_wrap=True, highlight=False, markup=False)


def _options(only: Sequence[str]) -> list[str]:
    return [word for group in only for word in ("--group", group)]


def _grid(config: str) -> tuple[Path, Grid]:
    """A grid's file, by its path or name; raises InvalidSetting."""
    shipped = SHIPPED / "grids" / f"{config}.yaml"
    path = shipped if shipped.is_file() else find(config)
    return path, load(Grid, path)


def _rows(
    console: Console, grid: Grid, scale: str, folder: Path, sources: Sequence[Path]
) -> tuple[list[Row], list[TrialResult]]:
    """All numbers of a grid, and the trials that failed."""
    if grid.clones is not None:
        return clone(console, grid.clones, scale, folder / "clones"), []
    finished, failed = _train(console, trials(grid, scale), folder / TRIALS, sources)
    rows: list[Row] = []
    chosen = grid.scales[scale]  # type: ignore[index]
    for setting, result in finished:
        rows += _final(setting, result, chosen.episodes)
        rows += _training(setting, result)
    if chosen.exploitability:
        rows += exploitability(console, chosen.exploitability, finished)
    if grid.mixture is not None:
        rows += mixtures(grid.mixture, finished, chosen.episodes)
    if grid.frontier is not None:
        rows += _frontier(grid.frontier, finished, folder / "frontier.json")
    return rows, failed


def _train(
    console: Console, planned: Mapping[Setting, Sequence[Trial]], folder: Path, sources: Sequence[Path]
) -> tuple[list[tuple[Setting, TrialResult]], list[TrialResult]]:
    """The finished trials of every setting, and those that failed; what settings share is trained once."""
    different = {str(trial): trial for each in planned.values() for trial in each}
    reuse(console, list(different.values()), sources, folder)
    results = run_trials(list(different.values()), folder, console, resume=True)  # `run` has refused a folder in use
    finished = {str(result.trial): result for result in results if result.status == "finished"}
    of_settings = [
        (setting, finished[str(trial)]) for setting, each in planned.items() for trial in each if str(trial) in finished
    ]
    return of_settings, [result for result in results if result.status != "finished"]


def _final(setting: Setting, result: TrialResult, episodes: int) -> Iterator[Row]:
    """What the trial's last policies reach in whole episodes, under luck that a seed has in common with its like."""
    policies = checkpoints.read_policies(checkpoints.find(result.folder))
    luck = result.trial.settings().evaluation.seed + result.trial.seed
    for name, values in evaluate_policies(policies, episodes=episodes, seed=luck).items():
        if name in HEADLINES:
            yield _row(setting, result, name, None, float(values.mean()))


def _training(setting: Setting, result: TrialResult) -> Iterator[Row]:
    """The evaluations during training."""
    for progress in read_progress(result.folder / "progress.csv"):
        for name in HEADLINES:
            if f"evaluation/{name}" in progress:
                yield _row(setting, result, name, int(progress["years"]), progress[f"evaluation/{name}"])


def _row(setting: Setting, result: TrialResult, indicator: str, years: int | None, value: float) -> Row:
    return Row(result.trial.run, result.trial.seed, str(setting), indicator, years, value)


def _frontier(group: str, finished: Sequence[tuple[Setting, TrialResult]], file: Path) -> Iterator[Row]:
    """Constant policies that no other surpasses, in the economy of a group on the preset's own bounds."""
    own = [result.trial.settings() for setting, result in finished if setting.group == group]
    if not own:
        return
    settings = {**own[0].game.settings(), "saving_rate_min": None, "saving_rate_max": None}
    for k, point in enumerate(constant_frontier(settings, own[0].comparison.search_seed, file), start=1):
        for name, value in point.indicators.items():
            if name in HEADLINES:
                yield Row(f"frontier/{k}", k, str(Setting(group, CONSTANT, EQUAL)), name, None, value)
