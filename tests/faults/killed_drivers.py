"""Run as a program: kills training drivers at chosen places, resumes them, and prints what came of it as JSON.

Drivers are forked, which must not happen in a process where Ray already runs, such as that of the tests.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from fault_parts import Watcher, tiny

from rllib_smfg.processes.quiet import quieten
from rllib_smfg.storage import checkpoints
from tests.campaigns.faults.drivers import Driver, forked
from tests.campaigns.faults.states import differences

PLACES = {
    # what the driver is doing when it is killed: (module, function or class.method, in which call of it)
    "sampling": ("rllib_smfg.rllib.env_runner", "PopulationEnvRunner._count_episodes", 5 * 20 + 7),
    "updating": ("rllib_smfg.rllib.learner", "SMFRLLearner._one_update", 4 * 10 + 5),
    "writing": ("rllib_smfg.storage.checkpoints", "_manifest", 2),
}


def main(folder: Path) -> None:
    quieten()
    tiny().algorithm_config(1)  # imports everything before forking
    _trained(folder / "undisturbed")
    found = {}
    for place in PLACES:
        run = folder / place
        killed = forked(lambda _, place=place, run=run: _train(run, place))
        killed.listen(time.monotonic() + 300)
        left = {"code": killed.code, "saved": _saved(run), "half": sorted(p.name for p in _folder(run).glob(".*.tmp"))}
        last = checkpoints.path_of(Path("checkpoints"), 6)
        _trained(run)
        found[place] = {**left, "different": differences(folder / "undisturbed" / last, run / last)}
        found[place]["left"] = sorted(path.name for path in _folder(run).glob(".*"))
    print(json.dumps(found))


def _trained(run: Path) -> Driver:
    driver = forked(lambda _: _train(run, None))
    driver.listen(time.monotonic() + 300)
    assert driver.code == 0, driver.lines
    return driver


def _train(run: Path, place: str | None) -> None:
    from experiments.training.trainer import train_seed
    from rllib_smfg.processes.ray_session import ray_session

    if place is not None:
        _kill_in(*PLACES[place])
    with ray_session(0):
        train_seed(tiny(), 1, run, Watcher())


def _kill_in(module: str, name: str, call: int) -> None:
    """Makes this process kill itself at the start of some call of a function."""
    owner: Any = sys.modules[module]
    *classes, function = name.split(".")
    for each in classes:
        owner = getattr(owner, each)
    original, calls = getattr(owner, function), []

    def deadly(*args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        if len(calls) == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*args, **kwargs)

    setattr(owner, function, deadly)


def _folder(run: Path) -> Path:
    return run / "checkpoints"


def _saved(run: Path) -> int:
    latest = checkpoints.latest(_folder(run))
    return checkpoints.read_progress(latest).iteration if latest else 0


if __name__ == "__main__":
    main(Path(sys.argv[1]))
