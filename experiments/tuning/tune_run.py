"""What grids and searches ask of Tune alike: processes for a trial, where Tune keeps its state, errors in one line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ray import tune

from envs import InvalidSetting
from rllib_smfg.processes.side_by_side import on_all_nodes
from rllib_smfg.storage.buckets import HOW, for_arrow

TUNE = ".tune"  # Tune's own state, in the folder of a grid or search
RETRIES = 2  # of a trial that died; it goes on from its latest checkpoint


def processes(experiment: Mapping[str, Any]) -> int:
    """Runners and learners of a trial, beside its main process."""
    training = experiment["training"]
    return int(training["env_runners"]) + int(training["learners"])


def resources(experiment: Mapping[str, Any]) -> tune.PlacementGroupFactory:
    """A CPU for each process of a trial."""
    return tune.PlacementGroupFactory([{"CPU": 1.0}] * (1 + processes(experiment)), strategy="PACK")


def run_config(folder: Path, display: tune.Callback, storage: str | None, **settings: Any) -> tune.RunConfig:
    """Tune's state goes into the folder (or the bucket), and its messages to `display`."""
    return tune.RunConfig(
        name=TUNE,
        storage_path=for_arrow(storage) if storage else str(folder),
        failure_config=tune.FailureConfig(max_failures=RETRIES),
        callbacks=[display],
        verbose=0,
        **settings,
    )


def refuse_scattering(folder: Path, storage: str | None) -> None:
    """Raises InvalidSetting where trials would leave their files on several machines, out of each other's reach."""
    if storage is None and not on_all_nodes(folder):
        raise InvalidSetting(f"{folder}: is not on all nodes of this cluster; give --storage, which {HOW}")


def in_one_line(error: BaseException | None) -> str:
    """The last line of an error that came from a worker, which names it."""
    lines = [line.strip() for line in str(error).strip().splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
