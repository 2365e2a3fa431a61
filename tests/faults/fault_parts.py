"""A tiny experiment, and a display that acts once some iteration has been shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from experiments.configuration.config import Experiment
from tests.campaigns.faults.kills import EXPERIMENT

TINY: dict[str, Any] = {
    "game": EXPERIMENT["game"],
    "algorithm": EXPERIMENT["algorithm"] | {"replay_capacity": 30_000},  # never full: tests see it grow
    "training": {"iterations": 6, "checkpoint_interval": 2},
    "evaluation": {"interval": 0, "episodes": 4, "final_episodes": 4},
    "comparison": {"baselines": []},
}


def tiny(**training: Any) -> Experiment:
    """An experiment of seconds, with some settings of its section `training`."""
    return Experiment.model_validate(TINY | {"training": TINY["training"] | training})


class Watcher:
    """Keeps what it is told, and does something once after some iteration."""

    def __init__(self, act: Mapping[int, Callable[[], None]] | None = None) -> None:
        self.act, self.rows, self.notes = dict(act or {}), list[dict[str, float]](), list[str]()

    def __enter__(self) -> Watcher:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def start(self, title: str, done: int, total: int) -> None:
        self.notes.append(title)

    def update(self, row: Mapping[str, float]) -> None:
        self.rows.append(dict(row))
        self.act.pop(int(row["iteration"]), lambda: None)()

    def note(self, text: str) -> None:
        self.notes.append(text)
