"""`smfg grid CONFIG`: trains a grid on Tune, collects its results in one file, and draws what the paper draws of it."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from envs import InvalidSetting
from envs.registry import nearest
from experiments.configuration.loading import find_configuration, load
from experiments.configuration.shipped import GRIDS, shipped
from experiments.grid.clones import clone
from experiments.grid.config import CONSTANT, EQUAL, Grid, GridSetting, restricted, trials
from experiments.grid.exploitability import grid_exploitability
from experiments.grid.mixtures import mixtures
from experiments.grid.results import ResultRow, write_results
from experiments.grid.reuse import TRIALS, refuse_without_trainings, reuse
from experiments.training.log import read_progress_rows
from experiments.tuning.trials import Trial, TrialResult, run_trials
from rllib_smfg.economics.frontier import constant_frontier
from rllib_smfg.metrics import HEADLINES
from rllib_smfg.playing import evaluate_policies
from rllib_smfg.processes.interrupts import Interrupted
from rllib_smfg.storage import checkpoints
from rllib_smfg.storage.files import refuse_overwriting
from rllib_smfg.storage.owners import taken
from rllib_smfg.storage.ownership import refuse_strangers_folders
from rllib_smfg.storage.places import Bucket, Place, is_uri, join, mirror_of, refuse_unusable

Report = Callable[[Console, Path, Path, tuple[str, ...] | None], None]

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
    report: Report,
    storage: str | None = None,
) -> int:
    """Runs what is not there yet, and makes results.csv and report.html; 1 if a run failed, else 0.

    only: the groups of the scale that are run; empty: all of them. sources: folders of grids whose finished trainings
    of the same settings are taken instead of training again. storage: where the folder is made, or the bucket that
    mirrors it; trials on several nodes need one of the two. report: draws the page of a file of results
    (`experiments.report.make.run`). A grid that shows another one's runs makes those, and a page of its own beside
    theirs.
    """
    path, grid = _grid(config)
    own, runs = path.stem, grid
    if grid.of is not None:
        path, runs = _grid(grid.of)
        command, resume = (
            shlex.join(["smfg", "grid", grid.of, "--scale", scale, *_options(only, output, storage)]),
            True,
        )
    runs = restricted(runs, scale, only)
    place = grid_place(f"{path.stem}-{scale}", output, storage)
    folder = place.folder
    if runs.clones is None:
        trials(runs, scale)  # refuses a mistake before anything is written
        refuse_without_trainings(sources)
    elif sources:
        raise InvalidSetting(f"--reuse: {path.stem} trains nothing that another grid could have trained")
    if not resume:
        refuse_overwriting(folder, f"{command} --resume")
        _refuse_used_bucket(place, command)
    with taken(replace(place, resumed=resume), lambda text: _say(console, text)) as place:
        try:
            rows, failed = _rows(console, runs, scale, place, sources)
        except Interrupted as stop:
            raise Interrupted(f"{stop}; go on with: {command} --resume", stop.number) from None
        shutil.copyfile(path, folder / CONFIG)
        write_results(folder / RESULTS, command, runs.shows, rows)
        report(console, folder / RESULTS, folder / "report.html", None)
        if grid.of is not None:
            report(console, folder / RESULTS, folder / f"{own}.html", grid.shows)
        place.push()
    for result in failed:
        _say(console, f"failed: {result.trial}: {result.error}")
    return int(bool(failed))


def grid_place(name: str, output: Path | None, storage: str | None) -> Place:
    """Where a grid is kept: a folder, and the bucket that mirrors it, if any; raises InvalidSetting."""
    if storage is None:
        return Place(output or Path("runs") / name)
    if output and not is_uri(storage):
        raise InvalidSetting("--output and --storage: give one of them; the grid's folder is made in the storage")
    refuse_unusable(storage)
    if not is_uri(storage):
        return Place(Path(storage) / name)
    uri = join(storage, (output or Path(name)).name)
    folder = (output or Path("runs") / name).absolute()
    try:
        refuse_strangers_folders(folder)
    except InvalidSetting:  # as below the working directory of a Ray job
        folder = mirror_of(uri)
    return Place(folder, uri)


def _refuse_used_bucket(place: Place, command: str) -> None:
    if place.bucket and Bucket(place.bucket).files():
        how = f"name another --output, or go on with {command} --resume"
        raise InvalidSetting(f"{place.bucket}: is there already; {how}")


def _say(console: Console, text: str) -> None:
    console.print(text, soft_wrap=True, highlight=False, markup=False)


def _options(only: Sequence[str], output: Path | None, storage: str | None) -> list[str]:
    """The options of a call that runs the same in the same place."""
    named = {"--output": output, "--storage": storage}
    groups = [word for group in only for word in ("--group", group)]
    return [*groups, *(word for name, value in named.items() if value for word in (name, str(value)))]


def _grid(config: str) -> tuple[Path, Grid]:
    """A grid's file, by its path or name; raises InvalidSetting."""
    known = shipped(GRIDS)
    if config not in known and not Path(config).exists():
        raise InvalidSetting(f"{config}: no such grid{nearest(Path(config).stem, list(known))}")
    path = known[config] if config in known else find_configuration(config)
    return path, load(Grid, path)


def _rows(
    console: Console, grid: Grid, scale: str, place: Place, sources: Sequence[Path]
) -> tuple[list[ResultRow], list[TrialResult]]:
    """All numbers of a grid, and the trials that failed."""
    folder = place.folder
    if grid.clones is not None:
        return clone(console, grid.clones, scale, folder / "clones"), []
    finished, failed = _train(console, trials(grid, scale), place, sources)
    rows: list[ResultRow] = []
    chosen = grid.scales[scale]  # type: ignore[index]
    for setting, result in finished:
        rows += _final(setting, result, chosen.episodes)
        rows += _training(setting, result)
    if chosen.exploitability:
        rows += grid_exploitability(console, chosen.exploitability, finished)
    if grid.mixture is not None:
        rows += mixtures(grid.mixture, finished, chosen.episodes)
    if grid.frontier is not None:
        rows += _frontier(grid.frontier, finished, folder / "frontier.json")
    return rows, failed


def _train(
    console: Console, planned: Mapping[GridSetting, Sequence[Trial]], place: Place, sources: Sequence[Path]
) -> tuple[list[tuple[GridSetting, TrialResult]], list[TrialResult]]:
    """The finished trials of every setting, and those that failed; what settings share is trained once."""
    different = {str(trial): trial for each in planned.values() for trial in each}
    folder, bucket = place.folder / TRIALS, join(place.bucket, TRIALS) if place.bucket else None
    reuse(console, list(different.values()), sources, folder)
    results = run_trials(list(different.values()), folder, console, resume=True, storage=bucket)  # refused if in use
    finished = {str(result.trial): result for result in results if result.status == "finished"}
    of_settings = [
        (setting, finished[str(trial)]) for setting, each in planned.items() for trial in each if str(trial) in finished
    ]
    return of_settings, [result for result in results if result.status != "finished"]


def _final(setting: GridSetting, result: TrialResult, episodes: int) -> Iterator[ResultRow]:
    """What the trial's last policies reach in whole episodes, under luck that a seed has in common with its like."""
    policies = checkpoints.read_policies(checkpoints.find(result.folder))
    luck = result.trial.settings().evaluation.seed + result.trial.seed
    for name, values in evaluate_policies(policies, episodes=episodes, seed=luck).items():
        if name in HEADLINES:
            yield _row(setting, result, name, None, float(values.mean()))


def _training(setting: GridSetting, result: TrialResult) -> Iterator[ResultRow]:
    """The evaluations during training."""
    for progress in read_progress_rows(result.folder / "progress.csv"):
        for name in HEADLINES:
            if f"evaluation/{name}" in progress:
                yield _row(setting, result, name, int(progress["years"]), progress[f"evaluation/{name}"])


def _row(setting: GridSetting, result: TrialResult, indicator: str, years: int | None, value: float) -> ResultRow:
    return ResultRow(result.trial.run, result.trial.seed, str(setting), indicator, years, value)


def _frontier(group: str, finished: Sequence[tuple[GridSetting, TrialResult]], file: Path) -> Iterator[ResultRow]:
    """Constant policies that no other surpasses, in the economy of a group on the preset's own bounds."""
    own = [result.trial.settings() for setting, result in finished if setting.group == group]
    if not own:
        return
    settings = {**own[0].game.settings(), "saving_rate_min": None, "saving_rate_max": None}
    for k, point in enumerate(constant_frontier(settings, own[0].comparison.search_seed, file), start=1):
        for name, value in point.indicators.items():
            if name in HEADLINES:
                yield ResultRow(f"frontier/{k}", k, str(GridSetting(group, CONSTANT, EQUAL)), name, None, value)
