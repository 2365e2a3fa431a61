"""`smfg benchmark`: the speed of the simulator, of acting and of training, and the memory they take."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from experiments.configuration.config import Experiment
from experiments.training.summary import versions
from rllib_smfg.metrics import TIMERS, peak_memory_mib
from rllib_smfg.playing import one_thread
from rllib_smfg.processes.ray_session import ray_session
from rllib_smfg.speed import DTYPES, Speed, SpeedPlan, machine, measure_speed
from rllib_smfg.storage.files import write_json

FULL = SpeedPlan(
    sizes=((1, 100), (64, 100), (1, 1000), (8, 1000), (1, 10_000), (1, 100_000), (1, 1_000_000)),
    trained=(100, 1000, 10_000, 100_000),
    seconds=0.5,
    repeats=5,
    warm_up=2,
    iterations=3,
)
QUICK = SpeedPlan(sizes=((1, 100), (8, 1000)), trained=(100,), seconds=0.1, repeats=3, warm_up=2, iterations=1)


@dataclass(frozen=True)
class IterationTime:
    """One iteration of 300 years and 100 updates of both sides at batch 128: median seconds, and where they go.

    update: of all updates, replay included; update_milliseconds: of one.
    """

    followers: int
    games: int
    seconds: float
    update_milliseconds: float
    sampling: float
    update: float
    weights: float
    other: float
    peak_memory_mib: float


def run(console: Console, json: Path | None, quick: bool = False) -> None:
    """Measures, prints, and writes `json`.

    `quick` measures little, to see that it works.
    """
    plan = QUICK if quick else FULL
    with one_thread():
        speeds = [measure_speed(plan, *size, dtype) for size in plan.sizes for dtype in DTYPES]
    console.print(_speed_table(speeds))
    with ray_session(0):
        iterations = [_iteration(plan, followers) for followers in plan.trained]
    console.print(_iteration_table(iterations))
    content = {
        "simulator": [asdict(speed) for speed in speeds],
        "iteration": [asdict(iteration) for iteration in iterations],
        "machine": machine(),
        "threads": 1,
        "versions": versions(),
        "method": f"medians of {plan.repeats} blocks of {plan.seconds} s, and of {plan.iterations} iterations",
    }
    if json is not None:
        write_json(json, content)


# --- simulator and acting --------------------------------------------------------------------------------------------


# --- training --------------------------------------------------------------------------------------------------------
def _iteration(plan: SpeedPlan, followers: int) -> IterationTime:
    """The default algorithm, whose iteration is 300 years and 100 updates at batch 128."""
    experiment = Experiment.model_validate({"game": {"name": "economy", "followers": followers}})
    algorithm = experiment.algorithm_config(seed=0).build_algo()
    try:
        timed = [_timed(algorithm.train) for _ in range(plan.warm_up + plan.iterations)][plan.warm_up :]
    finally:
        algorithm.stop()
    seconds = median(elapsed for elapsed, _ in timed)
    sampling, update, weights = (median(float(result["timers"][timer]) for _, result in timed) for timer in TIMERS)
    other = max(0.0, seconds - sampling - update - weights)
    each = 1000 * update / algorithm.config.updates_per_iteration
    return IterationTime(
        followers, experiment.game.games, seconds, each, sampling, update, weights, other, peak_memory_mib()
    )


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


# --- tables ----------------------------------------------------------------------------------------------------------
def _speed_table(speeds: list[Speed]) -> Table:
    headings = (
        "B",
        "N",
        "dtype",
        "simulator: years/s",
        "household-years/s",
        "with policies: years/s",
        "household-years/s",
    )
    table = _numbers(headings, "simulator and acting, one thread")
    for speed in speeds:
        values = asdict(speed).values()
        table.add_row(*(value if isinstance(value, str) else f"{value:,.0f}" for value in values))
    return table


def _iteration_table(iterations: list[IterationTime]) -> Table:
    headings = ("N", "B", "seconds", "one update (ms)", "sampling", "update", "weights", "other", "peak memory (MiB)")
    table = _numbers(headings, "one iteration: 300 years, 100 updates of both sides, batch 128")
    for each in iterations:
        shares = (
            f"{100 * part / each.seconds:.0f} %" for part in (each.sampling, each.update, each.weights, each.other)
        )
        table.add_row(
            f"{each.followers:,}",
            str(each.games),
            f"{each.seconds:.2f}",
            f"{each.update_milliseconds:.1f}",
            *shares,
            f"{each.peak_memory_mib:,.0f}",
        )
    return table


def _numbers(headings: tuple[str, ...], title: str) -> Table:
    table = Table(title=title)
    for heading in headings:
        table.add_column(heading, justify="right")
    return table
