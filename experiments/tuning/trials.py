"""Many training runs at once on Ray Tune, one trial a (setting, seed): grids, tables, several seeds.

    trials = [Trial(name, experiment.model_dump(mode="json"), seed) for name, experiment in ... for seed in ...]
    results = run_trials(trials, Path("runs/table1"), console, resume=False)

leaves, for every trial, what `smfg train` leaves for a seed:

    runs/table1/NAME/config.yaml                   the experiment
    runs/table1/NAME/seed_1/progress.csv, tensorboard/, checkpoints/iteration_000040/, ...

so that `smfg evaluate runs/table1/NAME/seed_1`, `checkpoints.find(result.folder)` and `smfg train --resume
runs/table1/NAME` work on it. A trial that dies is started again (twice) and goes on from its latest checkpoint; so does
every unfinished trial of a grid that was killed, with resume=True, while finished ones are not touched.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from rich.console import Console

from envs import InvalidSetting
from experiments.configuration.config import Experiment
from experiments.configuration.loading import dump, load
from experiments.training.log import read_progress_rows
from experiments.training.trainer import is_finished
from rllib_smfg.processes.interrupts import Interrupted
from rllib_smfg.processes.quiet import quieten
from rllib_smfg.processes.ray_session import ray_session
from rllib_smfg.storage.checkpoints import CONFIG, seed_folder
from rllib_smfg.storage.files import refuse_overwriting, write_text
from rllib_smfg.storage.owners import taken
from rllib_smfg.storage.places import Bucket, Place


@dataclass(frozen=True)
class Trial:
    """One seed of one setting.

    name: of the setting, which becomes its folder; experiment: an `Experiment` as a dict (`model_dump(mode="json")`).
    """

    name: str
    experiment: dict[str, Any]
    seed: int

    def __str__(self) -> str:
        return f"{self.name}, seed {self.seed}"

    @property
    def run(self) -> str:
        """NAME/seed_N: its folder within that of all trials, and what tidy tables call it."""
        return str(seed_folder(Path(self.name), self.seed))

    def settings(self) -> Experiment:
        """The experiment, checked; of this seed alone."""
        checked = Experiment.model_validate(self.experiment)
        return checked.model_copy(update={"training": checked.training.model_copy(update={"seeds": (self.seed,)})})


@dataclass(frozen=True)
class TrialResult:
    """What became of a trial.

    folder: the seed's; metrics: the latest value of every column of its progress.csv; error: empty, or why it failed.
    """

    trial: Trial
    folder: Path
    status: Literal["finished", "failed"]
    metrics: dict[str, float] = field(default_factory=dict)
    error: str = ""


def run_trials(
    trials: Sequence[Trial],
    folder: Path,
    console: Console,
    *,
    resume: bool = False,
    parallel: int | None = None,
    storage: str | None = None,
) -> list[TrialResult]:
    """Trains all trials to their last iteration; results are in the order of `trials`.

    folder: of the whole; on a cluster, on a path that all nodes share, or with `storage`, the URI of a bucket that
    mirrors it. resume: go on with what is in `folder` (or in `storage`). parallel: trials at a time (default: as many
    as there are CPUs for; a trial takes one, and one for each of its env_runners and learners).
    Raises InvalidSetting before anything runs: for bad settings, a folder in use, another setting under a name that
    is there already; Interrupted after Ctrl-C. A trial that fails is a result with its error.
    """
    settings = _checked(trials)
    place = Place(folder.resolve(), storage, resumed=resume)
    if not resume:
        refuse_overwriting(place.folder)

    def say(text: str) -> None:
        console.print(text, soft_wrap=True, highlight=False, markup=False)

    with taken(place, say):
        return _run(trials, settings, place, console, say, parallel)


def _run(
    trials: Sequence[Trial],
    settings: dict[str, Experiment],
    place: Place,
    console: Console,
    say: Callable[[str], None],
    parallel: int | None,
) -> list[TrialResult]:
    """The same in a folder that belongs to this process."""
    folder, storage = place.folder, place.bucket
    for name, experiment in settings.items():
        _keep(experiment, folder / name / CONFIG)
        if storage:
            Bucket(storage).put(folder / name / CONFIG, f"{name}/{CONFIG}")
    pending = [trial for trial in trials if not is_finished(settings[trial.name], folder / trial.run)]
    say(f"{len(trials)} trials, {len(trials) - len(pending)} of them finished -> {place.where}")
    errors = _train(pending, folder, console, parallel, storage) if pending else {}
    if storage:
        for trial in pending:
            Bucket(storage).pull(trial.run, folder / trial.run)
    results = [_result(trial, settings[trial.name], folder, errors.get(str(trial), "")) for trial in trials]
    stopped = [result for result in results if result.status == "failed" and not result.error]
    if stopped:
        raise Interrupted(f"stopped with {len(stopped)} of {len(trials)} trials unfinished, which can be resumed")
    return results


# --- before ----------------------------------------------------------------------------------------------------------
def _checked(trials: Sequence[Trial]) -> dict[str, Experiment]:
    """The experiment of every name; raises InvalidSetting."""
    if len({(trial.name, trial.seed) for trial in trials}) != len(trials):
        raise InvalidSetting("every trial must have a name and seed of its own")
    seeds: dict[str, list[int]] = {}
    for trial in trials:
        seeds.setdefault(trial.name, []).append(trial.seed)
    first = {trial.name: trial for trial in reversed(trials)}
    if any(trial.experiment != first[trial.name].experiment for trial in trials):
        raise InvalidSetting("trials of one name must have one experiment; give each experiment a name of its own")
    settings = {name: _with_seeds(trial.settings(), seeds[name]) for name, trial in first.items()}
    quieten()
    for name, experiment in settings.items():
        experiment.algorithm_config(seeds[name][0])
    return settings


def _with_seeds(experiment: Experiment, seeds: Sequence[int]) -> Experiment:
    return experiment.model_copy(update={"training": experiment.training.model_copy(update={"seeds": tuple(seeds)})})


def _keep(experiment: Experiment, path: Path) -> None:
    """Writes an experiment down; what is there already must be the same game and algorithm."""
    if path.is_file():
        before = load(Experiment, path)
        if (before.game, before.algorithm) != (experiment.game, experiment.algorithm):
            raise InvalidSetting(f"{path}: is another game or algorithm under this name; use another --output")
    write_text(path, dump(experiment))


# --- training --------------------------------------------------------------------------------------------------------
def _train(
    trials: Sequence[Trial], folder: Path, console: Console, parallel: int | None, storage: str | None
) -> dict[str, str]:
    """Runs the trials on Tune; returns the errors of those that failed, by `str(trial)`."""
    from ray import tune

    from experiments.tuning.display import TrialsDisplay
    from experiments.tuning.trial_training import Work, grid_trial
    from experiments.tuning.tune_run import TUNE, in_one_line, processes, refuse_scattering, resources, run_config

    shutil.rmtree(folder / TUNE, ignore_errors=True)  # trials go on from their own checkpoints, not from Tune's state
    works = []
    for trial in trials:
        experiment, path = trial.settings().model_dump(mode="json"), str(folder / trial.run)
        works.append(Work(str(trial), experiment, trial.seed, path, trial.run, storage))
    needed = max(processes(work.experiment) for work in works)
    with ray_session(1 + needed), TrialsDisplay(console, len(trials)) as display:
        refuse_scattering(folder, storage)
        found = tune.Tuner(
            tune.with_resources(grid_trial, lambda config: resources(config["work"].experiment)),
            param_space={"work": tune.grid_search(works)},
            tune_config=tune.TuneConfig(max_concurrent_trials=parallel, trial_dirname_creator=str),
            run_config=run_config(folder, display, storage),
        ).fit()
    return {each.config["work"].title: in_one_line(each.error) for each in found if each.error}


# --- after -----------------------------------------------------------------------------------------------------------
def _result(trial: Trial, experiment: Experiment, folder: Path, error: str) -> TrialResult:
    path = folder / trial.run
    metrics: dict[str, float] = {}
    for row in read_progress_rows(path / "progress.csv"):
        metrics |= row
    finished = not error and is_finished(experiment, path)
    return TrialResult(trial, path, "finished" if finished else "failed", metrics, error)
