"""What grids and searches ask of Tune alike: processes for a trial, where Tune keeps its state, errors in one line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import ray
from ray import tune
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from envs import InvalidSetting
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
    nodes = [node["NodeID"] for node in ray.nodes() if node["Alive"]]
    if storage is not None or len(nodes) < 2:
        return
    with NamedTemporaryFile(dir=folder, prefix=".seen_from_all_nodes") as marker:
        seen = [
            _is_there.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False)).remote(marker.name)
            for node in nodes
        ]
        if not all(ray.get(seen)):
            raise InvalidSetting(
                f"{folder}: is not on all {len(nodes)} nodes of this cluster; give --storage, which {HOW}"
            )


@ray.remote(num_cpus=0)
def _is_there(path: str) -> bool:
    return Path(path).is_file()


def in_one_line(error: BaseException | None) -> str:
    """The last line of an error that came from a worker, which names it."""
    lines = [line.strip() for line in str(error).strip().splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
