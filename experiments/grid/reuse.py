"""Trainings that stand in other grids' folders already: tables and figures of the paper share many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from envs import InvalidSetting
from experiments.configuration.config import Experiment
from experiments.configuration.loading import load_experiment
from experiments.training.trainer import is_finished
from experiments.tuning.trials import Trial
from rllib_smfg.storage.checkpoints import CONFIG, seed_folder
from rllib_smfg.storage.files import copy_folder

TRIALS = "trials"  # of a grid's folder


def reuse(console: Console, trials: Sequence[Trial], sources: Sequence[Path], folder: Path) -> None:
    """Copies finished trainings of the same experiment and seed from grids' folders to where `trials` would be trained.

    What is in `folder` already stays as it is. Says how many were found.
    """
    known = [each for source in sources for each in _experiments(source)]
    copied = 0
    for trial in trials:
        target = folder / trial.run
        found = None if target.exists() else _finished(trial, known)
        if found is not None:
            target.parent.mkdir(parents=True, exist_ok=True)
            copy_folder(found, target)
            copied += 1
    if sources:
        console.print(f"{copied} trials taken from {', '.join(map(str, sources))}", soft_wrap=True, highlight=False)


def refuse_without_trainings(sources: Sequence[Path]) -> None:
    """Raises InvalidSetting for a folder of no grid."""
    for source in sources:
        if not _configs(source):
            raise InvalidSetting(
                f"--reuse {source}: holds no trainings; name the folder of a grid, as runs/table3-quick"
            )


def _configs(source: Path) -> list[Path]:
    return sorted((source / TRIALS).glob(f"*/{CONFIG}"))


def _experiments(source: Path) -> Iterator[tuple[Path, Experiment]]:
    """Folder and experiment of every setting of a grid."""
    return ((path.parent, load_experiment(path)) for path in _configs(source))


def _finished(trial: Trial, known: Sequence[tuple[Path, Experiment]]) -> Path | None:
    """Where the trial's training stands finished, None if nowhere."""
    wanted = _training(trial.settings())
    for folder, experiment in known:
        seed = seed_folder(folder, trial.seed)
        if _training(experiment) == wanted and is_finished(experiment, seed):
            return seed
    return None


def _training(experiment: Experiment) -> dict[str, Any]:
    """All that a seed's training depends on: not the other seeds, nor what is compared afterwards."""
    return experiment.model_dump(exclude={"comparison": True, "training": {"seeds"}})
