"""Trains one seed inside a Tune trial, by the same trainer as `smfg train`, and reports to Tune what it logs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from ray import tune

from experiments.configuration.config import Experiment
from experiments.configuration.loading import dump
from experiments.training.progress import Display
from experiments.training.trainer import train_seed
from rllib_smfg.metrics import counted
from rllib_smfg.processes.quiet import quieten
from rllib_smfg.storage import checkpoints
from rllib_smfg.storage.checkpoints import CHECKPOINTS
from rllib_smfg.storage.files import copy_folder, write_text
from rllib_smfg.storage.mirrors import Mirror
from rllib_smfg.storage.places import Bucket, mirror_of

WORST = 1e300
BEST = "best"  # beside `checkpoints`: the checkpoint of the best evaluation


@dataclass(frozen=True)
class Goal:
    """What a search looks for: the indicator of the evaluations that shall be largest ("max") or smallest ("min").

    hand_over: whether Tune is given the checkpoints as well, as population-based training needs, which takes them from
    one trial to another.
    """

    metric: str
    mode: str
    hand_over: bool = False

    @property
    def column(self) -> str:
        """Where it stands in a row of progress.csv."""
        return f"evaluation/{self.key}"

    @property
    def key(self) -> str:
        """Its name among a checkpoint's evaluations: means over years count those an ended episode did not live."""
        return counted(self.metric)

    def better(self, one: float, other: float) -> bool:
        """Whether `one` is better than `other`; what is no number never is, and anything is better than that."""
        if math.isnan(other):
            return not math.isnan(one)
        return one > other if self.mode == "max" else one < other

    def told(self, value: float) -> float:
        """What Tune is told: for what is no number, which it would sort anywhere, the worst value there is."""
        if not math.isnan(value):
            return value
        return -WORST if self.mode == "max" else WORST


@dataclass(frozen=True)
class Work:
    """What a trial has to do.

    experiment: a dict as of `Experiment`; folder: of the seed; bucket: URI that mirrors it as `name`, or None. With a
    bucket every node works in a folder of its own (`at_home`), since the driver's may not be there.
    """

    title: str
    experiment: dict[str, Any]
    seed: int
    folder: str
    name: str
    bucket: str | None = None
    goal: Goal | None = None

    def at_home(self) -> Work:
        """The same with a folder of this node."""
        return replace(self, folder=str(mirror_of(self.bucket) / self.name)) if self.bucket else self


# --- what a Tune worker runs -----------------------------------------------------------------------------------------
def grid_trial(config: dict[str, Any]) -> None:
    """A trial of a grid; config: {"work": a Work}."""
    train(config["work"].at_home(), Reporter)


def search_trial(config: dict[str, Any]) -> None:
    """A trial of a search, with the settings that were chosen for it.

    config: {"work": a Work whose folder and name are the search's, "algorithm.actor_lr": .001, ...}.
    """
    work, number = config["work"].at_home(), trial_number(tune.get_context().get_trial_id())
    experiment = chosen(work.experiment, {name: value for name, value in config.items() if name != "work"})
    own = Path(work.folder) / number
    own.mkdir(parents=True, exist_ok=True)
    write_text(own / checkpoints.CONFIG, dump(experiment))
    if work.bucket:
        Bucket(work.bucket).put(own / checkpoints.CONFIG, f"{number}/{checkpoints.CONFIG}")
    settings, run = experiment.model_dump(mode="json"), checkpoints.seed_folder(Path(number), work.seed)
    train(
        replace(work, title=number, experiment=settings, folder=str(Path(work.folder) / run), name=str(run)), Reporter
    )


def trial_number(trial_id: str) -> str:
    """The name of a search's trial: Tune's ids end in its number."""
    return f"trial_{trial_id.rsplit('_', 1)[-1]}"


def chosen(experiment: Mapping[str, Any], settings: Mapping[str, Any]) -> Experiment:
    """The experiment with some settings replaced, each by its name `section.key`; raises pydantic.ValidationError."""
    values = deepcopy(dict(experiment))
    for name, value in settings.items():
        section, key = name.split(".", 1)
        values.setdefault(section, {})[key] = value
    return Experiment.model_validate(values)


def train(work: Work, screen: Callable[[Work, Mirror], Display]) -> None:
    """Goes on from the checkpoint Tune hands over, else from the seed's latest, so a killed trial loses little."""
    quieten()
    folder = Path(work.folder)
    mirror = Mirror(folder, work.bucket, work.name)
    mirror.fetch()
    handed = tune.get_checkpoint() if work.goal and work.goal.hand_over else None
    if handed is not None:
        with handed.as_directory() as path:
            checkpoints.adopt(Path(path), folder / CHECKPOINTS)
    try:
        train_seed(Experiment.model_validate(work.experiment), work.seed, folder, screen(work, mirror))
    finally:
        mirror.update()


class Reporter:
    """A display (see `progress.Display`) that shows nothing and tells Tune."""

    def __init__(self, work: Work, mirror: Mirror) -> None:
        self._folder, self._goal, self._mirror = Path(work.folder), work.goal, mirror

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def start(self, title: str, done: int, total: int) -> None:
        """See Display."""

    def note(self, text: str) -> None:
        """See Display; it ends in the worker's log."""
        print(text)

    def update(self, row: Mapping[str, float]) -> None:
        """See Display. With a goal only evaluated rows are reported, so that every result Tune sees has the metric."""
        goal, saved = self._goal, self._mirror.saved(row)
        if saved and goal and goal.column in row:
            keep_if_best(saved, self._folder / BEST, goal)
        if saved:
            self._mirror.update()
        if goal is None or goal.column in row:
            handed = tune.Checkpoint.from_directory(saved) if saved and goal and goal.hand_over else None
            told = {goal.column: goal.told(row[goal.column])} if goal else {}
            tune.report({**row, **told}, checkpoint=handed)


def keep_if_best(checkpoint: Path, best: Path, goal: Goal) -> None:
    """Copies a checkpoint to `best` unless what is there is at least as good."""
    if (best / checkpoints.MANIFEST).is_file():
        before, now = (
            checkpoints.read_progress(each).evaluation.get(goal.key, math.nan) for each in (best, checkpoint)
        )
        if not goal.better(now, before):
            return
    copy_folder(checkpoint, best)
