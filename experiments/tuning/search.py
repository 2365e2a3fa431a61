"""`smfg tune SEARCH`: many trials of one configuration, and the best one's settings as a ready train configuration.

runs/NAME-TIME/
    search.yaml       the search, complete
    trial_00003/      a trial: config.yaml, seed_1/ with progress.csv, checkpoints/, best/ (that of its best evaluation)
    trials.csv        all trials: settings, iterations, best value
    best.yaml, best/  the best trial's settings for `smfg train best.yaml`, and its checkpoint for `smfg evaluate`
    .tune/            Tune's own state, with which a search goes on
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from envs import InvalidSetting
from experiments.configuration.config import Experiment
from experiments.configuration.loading import dump, load, read_experiment
from experiments.results.tables import label, number
from experiments.training.log import read_progress_rows
from experiments.tuning.config import Tuning, find_search
from rllib_smfg.metrics import counted
from rllib_smfg.processes.interrupts import Interrupted
from rllib_smfg.processes.quiet import quieten
from rllib_smfg.processes.ray_start import NoRay
from rllib_smfg.storage import checkpoints
from rllib_smfg.storage.files import copy_folder, write_text
from rllib_smfg.storage.owners import taken
from rllib_smfg.storage.places import Bucket, Place

SEARCH, TRIALS, BEST = "search.yaml", "trials.csv", "best"
SHOWN = 10  # trials in the table on the terminal


@dataclass(frozen=True)
class BestTrial:
    """A trial at its best evaluation: the experiment as it was then; and how many iterations it had in all."""

    name: str
    experiment: Experiment
    value: float
    iteration: int
    iterations: int
    checkpoint: Path

    def settings(self, tuning: Tuning) -> dict[str, Any]:
        """What the search chose, `section.key` -> value."""
        values = self.experiment.model_dump(mode="json")
        return {name: values[name.split(".")[0]].get(name.split(".")[1]) for name, _ in tuning.settings()}


def run(console: Console, search: str | None, overrides: Sequence[str], place: Place) -> None:
    """Runs a search, or goes on with one.

    Raises InvalidSetting before anything runs, or where no trial came as far as an evaluation;
    Interrupted after Ctrl-C.
    """
    quieten()
    from experiments.tuning.session import search as search_on_tune
    from experiments.tuning.session import tune_config

    def checked(tuning: Tuning) -> Tuning:
        tuning.refuse_unbuildable()
        tune_config(tuning, tuning.experiment().training.iterations)
        return tuning

    _refuse_mixtures(search, overrides, place)
    new = checked(load(Tuning, find_search(search), overrides)) if search is not None else None
    with taken(place, lambda text: _say(console, text)) as own:
        tuning = new or checked(_resumed(own))
        write_text(own.folder / SEARCH, dump(tuning))
        if own.bucket:  # before any trial: without it the search could not be resumed
            Bucket(own.bucket).put(own.folder / SEARCH, SEARCH)
        _say(
            console, f"{tuning.search.scheduler}, {tuning.search.trials} trials of {tuning.search.base} -> {own.where}"
        )
        try:
            errors, unfinished = search_on_tune(console, tuning, tuning.experiment(), own)
        except NoRay:
            if not own.resumed:  # nothing was tried: a new folder goes again
                (own.folder / SEARCH).unlink()
                own.push()
            raise
        if own.bucket:
            Bucket(own.bucket).pull("", own.folder)
        for name, error in errors.items():
            _say(console, f"{name} failed: {error}")
        if unfinished:
            raise Interrupted(
                f"stopped with {unfinished} trials unfinished; go on with: smfg tune --resume {quote(own.where)}"
            )
        finish(console, tuning, own)


def _refuse_mixtures(search: str | None, overrides: Sequence[str], place: Place) -> None:
    """Raises InvalidSetting unless there is either a new search or one to resume, which stays as it was."""
    if not place.resumed:
        if search is None:
            raise InvalidSetting("tune needs a search (for example: smfg tune asha_smfrl), or --resume DIR")
        return
    if search is not None or overrides:
        raise InvalidSetting("--resume: a resumed search stays as it was; leave out the configuration and --set")
    if place.bucket is None:
        _refuse_without_search(place)


def _refuse_without_search(place: Place) -> None:
    if not (place.folder / SEARCH).is_file():
        raise InvalidSetting(f"{place.where}: holds no search to resume ({SEARCH} is missing)")


def _resumed(place: Place) -> Tuning:
    _refuse_without_search(place)
    return load(Tuning, place.folder / SEARCH)


# --- what is left ----------------------------------------------------------------------------------------------------
def finish(console: Console, tuning: Tuning, place: Place) -> None:
    """Writes down and shows what the trials found; raises InvalidSetting where none was evaluated."""
    trials = best_first(tuning, place.folder)
    if not trials:
        raise InvalidSetting(f"{place.folder}: no trial came as far as an evaluation")
    if math.isnan(trials[0].value):
        raise InvalidSetting(f"{place.folder}: {tuning.search.metric} is no number in any evaluation of any trial")
    if none := [each.name for each in trials if math.isnan(each.value)]:
        _say(console, f"{tuning.search.metric} was never a number in {', '.join(none)}: listed last")
    write_text(place.folder / TRIALS, _as_csv(tuning, trials))
    best = trials[0]
    copy_folder(best.checkpoint, place.folder / BEST)
    why = f"{tuning.search.metric} = {best.value:.6g}, {best.name} at iteration {best.iteration}"
    changed = "\n".join(f"#   {name}: {value}" for name, value in best.settings(tuning).items())
    header = f"# best of {tuning.search.trials} trials: {why}\n{changed}\n"
    write_text(place.folder / f"{BEST}.yaml", f"{header}{dump(best.experiment)}")
    if place.bucket:
        for name in (TRIALS, f"{BEST}.yaml", SEARCH):
            Bucket(place.bucket).put(place.folder / name, name)
        Bucket(place.bucket).push(place.folder / BEST, BEST)
    _show(console, tuning, trials)
    found, settings = (quote(str(place.folder / name)) for name in (BEST, f"{BEST}.yaml"))
    _say(console, f"the best: smfg evaluate {found}, smfg train {settings}")


def best_first(tuning: Tuning, folder: Path) -> list[BestTrial]:
    """All trials that were evaluated, as their folders tell; those whose best is no number come last."""
    found = []
    for trial in sorted(folder.glob("trial_*")):
        for seed in checkpoints.seed_folders(trial):
            if (seed / BEST / checkpoints.MANIFEST).is_file():
                checkpoints.verify(seed / BEST)
                progress = checkpoints.read_progress(seed / BEST)
                experiment = read_experiment(seed / BEST)
                assert experiment is not None
                value = progress.evaluation.get(counted(tuning.search.metric), math.nan)
                iterations = max(int(row["iteration"]) for row in read_progress_rows(seed / "progress.csv"))
                found.append(BestTrial(trial.name, experiment, value, progress.iteration, iterations, seed / BEST))
    sign = -1 if tuning.search.mode == "max" else 1
    return sorted(found, key=lambda each: (math.isnan(each.value), sign * each.value))


def _as_csv(tuning: Tuning, trials: Sequence[BestTrial]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = [name for name, _ in tuning.settings()]
    writer.writerow(["trial", tuning.search.metric, "at_iteration", "iterations", *names])
    for each in trials:
        settings = each.settings(tuning)
        row = [each.name, f"{each.value:.10g}", each.iteration, each.iterations]
        writer.writerow([*row, *(settings[name] for name in names)])
    return text.getvalue()


def _show(console: Console, tuning: Tuning, trials: Sequence[BestTrial]) -> None:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    names = [name for name, _ in tuning.settings()]
    for heading in ("trial", label(tuning.search.metric), "iterations", *(name.split(".")[1] for name in names)):
        table.add_column(heading, justify="left" if heading == "trial" else "right")
    for each in trials[:SHOWN]:
        settings = each.settings(tuning)
        values = (number(x) if isinstance(x, float) else str(x) for x in (settings[name] for name in names))
        table.add_row(each.name, number(each.value), str(each.iterations), *values)
    console.print(table)


def _say(console: Console, text: str) -> None:
    console.print(text, soft_wrap=True, highlight=False, markup=False)
