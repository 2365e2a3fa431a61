"""Kills training drivers at random moments, resumes them, and compares with runs that nobody disturbed."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from experiments.configuration.config import Experiment
from experiments.training.trainer import CHECKPOINTS
from rllib_smfg.storage import checkpoints
from tests.campaigns.faults.drivers import STARTED, Driver, start_training
from tests.campaigns.faults.states import differences

INTERVAL, ITERATIONS = 2, 30
SHARE_AT_START, STARTING_SECONDS = 0.2, 3.0  # kills before training goes on, while the state is restored
EXPERIMENT: dict[str, dict[str, Any]] = {
    "game": {"name": "stage_game", "followers": 20, "games": 4},
    "algorithm": {
        "hidden": [16, 16],
        "years_per_iteration": 80,
        "warm_up_years": 80,
        "updates_per_iteration": 10,
        "transitions_per_update": 32,
        "replay_capacity": 400,
    },
    "training": {"iterations": ITERATIONS, "checkpoint_interval": INTERVAL, "keep_checkpoints": 2},
    "evaluation": {"interval": 2, "episodes": 4},
}


def campaign(wanted: int, folder: Path, say: Callable[[str], None], luck: int) -> dict[str, Any]:
    """At least `wanted` SIGKILLs, spread over as many runs as that takes; see `docs/reliability.md` for the counts."""
    experiment, random_moments = Experiment.model_validate(EXPERIMENT), random.Random(luck)
    runs: list[dict[str, Any]] = []
    while sum(run["kills"] for run in runs) < wanted:
        seed = len(runs) + 1
        run = _run(experiment, seed, folder / f"run_{seed}", wanted - sum(run["kills"] for run in runs), random_moments)
        runs.append(run)
        say(f"kills: {sum(run['kills'] for run in runs)} of {wanted}; {run}")
    survived = sum(run["kills"] for run in runs if not run["different"])
    injected = sum(run["kills"] for run in runs)
    return {
        "injected": injected,
        "survived": survived,
        "lost": injected - survived,
        "before_training_went_on": sum(run["while_starting"] for run in runs),
        "while_a_checkpoint_was_written": sum(run["while_writing"] for run in runs),
        "before_the_first_checkpoint": sum(run["before_any"] for run in runs),
        "half_checkpoints_under_a_checkpoint_s_name": sum(run["half"] for run in runs),
        "most_iterations_lost": max(run["most_lost"] for run in runs),
        "checkpoint_interval": INTERVAL,
        "iterations": ITERATIONS,
        "runs": runs,
    }


def _run(experiment: Experiment, seed: int, folder: Path, wanted: int, moments: random.Random) -> dict[str, Any]:
    """One run disturbed until it is finished, and its undisturbed twin."""
    began = time.monotonic()
    _undisturbed(experiment, seed, folder / "undisturbed")
    usual = (time.monotonic() - began) / ITERATIONS
    disturbed = folder / "disturbed"
    counts = {
        "seed": seed,
        "kills": 0,
        "while_starting": 0,
        "while_writing": 0,
        "before_any": 0,
        "half": 0,
        "most_lost": 0,
    }
    before = 0
    while True:
        driver = start_training(experiment, seed, disturbed)
        if counts["kills"] < wanted:
            if moments.random() < SHARE_AT_START:
                driver.listen(time.monotonic() + moments.uniform(0, STARTING_SECONDS))
            else:
                driver.wait_for(STARTED)
                driver.listen(time.monotonic() + moments.uniform(0, 2 * INTERVAL * usual))
            driver.kill()
        else:
            driver.listen(time.monotonic() + 600)
        driver.close()
        if driver.code == 0:
            break
        before = _count(counts, driver, disturbed / CHECKPOINTS, before)
    last = checkpoints.path_of(Path(CHECKPOINTS), ITERATIONS)
    return {**counts, "different": differences(folder / "undisturbed" / last, disturbed / last)}


def _undisturbed(experiment: Experiment, seed: int, folder: Path) -> None:
    driver = start_training(experiment, seed, folder)
    driver.listen(time.monotonic() + 600)
    driver.close()
    if driver.code != 0:
        raise RuntimeError(f"training failed without any fault: {driver.lines[-1:]}")


def _count(counts: dict[str, int], driver: Driver, folder: Path, before: int) -> int:
    """Counts a kill and what it left; returns the iteration of the latest checkpoint, which `before` was before."""
    if driver.code != -9:
        raise RuntimeError(f"a driver ended by itself with {driver.code}: {driver.lines[-1:]}")
    found = sorted(folder.glob("iteration_*"))
    half = [path for path in found if not _whole(path)]
    latest = checkpoints.latest(folder)
    saved = checkpoints.read_progress(latest).iteration if latest else 0
    counts["kills"] += 1
    counts["while_starting"] += STARTED not in driver.lines
    counts["while_writing"] += any(folder.glob(".iteration_*.tmp"))
    counts["before_any"] += latest is None
    counts["half"] += len(half)
    counts["most_lost"] = max(counts["most_lost"], max(driver.iteration(), before) - saved)
    return saved


def _whole(path: Path) -> bool:
    try:
        checkpoints.verify(path)
    except ValueError:
        return False
    return True
