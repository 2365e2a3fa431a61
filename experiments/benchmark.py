"""`smfg benchmark`: the speed of the simulator, of acting and of training, and the memory they take."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from envs import StackelbergMeanFieldGame, make
from experiments.config import Experiment
from experiments.evaluate import one_thread
from experiments.files import write_json
from experiments.metrics import TIMERS, peak_memory_mib
from experiments.ray_session import ray_session
from experiments.run_report import versions
from policies import FollowerPolicy, LeaderPolicy
from policies.constant import ConstantFollower, ConstantLeader
from rllib_smfg.build import Interface, follower_actor, leader_actor
from rllib_smfg.learned import LearnedFollower, LearnedLeader
from rllib_smfg.rollout import play
from rllib_smfg.settings import LearningSettings

SIZES = ((1, 100), (64, 100), (1, 1000), (8, 1000), (1, 10_000))  # (B, N)
TRAINED = (100, 1000, 10_000)  # N; in this order, so that peak memory is each size's own
SECONDS, REPEATS = 0.5, 5  # of a block of years, and how often it is measured
WARM_UP_ITERATIONS, ITERATIONS = 2, 5
# households who save nearly everything: the economy lives on, and no year is spent on starting anew
SAVERS, LOW_TAXES = (0.9, 0.5), (0.1, 0.02, 0.001, 0.001, 0.001)


@dataclass(frozen=True)
class Speed:
    """Medians over repeats: years of one game a second, and household-years a second, all games together."""

    games: int
    followers: int
    simulator_years: float
    simulator_household_years: float
    acting_years: float
    acting_household_years: float


@dataclass(frozen=True)
class IterationTime:
    """One iteration of 300 years and 100 updates of both sides at batch 128: median seconds, and where they go."""

    followers: int
    games: int
    seconds: float
    sampling: float
    update: float
    weights: float
    other: float
    peak_memory_mib: float


def run(console: Console, json: Path | None) -> None:
    """Measures, prints, and writes `json`."""
    with one_thread():
        speeds = [_speed(games, followers) for games, followers in SIZES]
    console.print(_speed_table(speeds))
    with ray_session(0):
        iterations = [_iteration(followers) for followers in TRAINED]
    console.print(_iteration_table(iterations))
    content = {
        "simulator": [asdict(speed) for speed in speeds],
        "iteration": [asdict(iteration) for iteration in iterations],
        "machine": machine(),
        "versions": versions(),
        "method": f"medians of {REPEATS} blocks of {SECONDS} s, and of {ITERATIONS} iterations; one thread",
    }
    if json is not None:
        json.parent.mkdir(parents=True, exist_ok=True)
        write_json(json, content)


def machine() -> dict[str, Any]:
    """What it was measured on."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": platform.platform(),
        "load_average": list(os.getloadavg()),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


# --- simulator and acting --------------------------------------------------------------------------------------------
def _speed(games: int, followers: int) -> Speed:
    game = make("economy", games=games, followers=followers)
    interface, settings = Interface.of(game), LearningSettings()
    constant = (ConstantLeader(LOW_TAXES), ConstantFollower(SAVERS))
    torch.manual_seed(0)
    learned = (
        LearnedLeader(leader_actor(interface, settings, LOW_TAXES), interface),
        LearnedFollower(follower_actor(interface, settings, SAVERS), interface, settings.followers_see_leader),
    )
    simulator, acting = _years_per_second(game, *constant), _years_per_second(game, *learned)
    return Speed(games, followers, simulator, simulator * followers, acting, acting * followers)


def _years_per_second(game: StackelbergMeanFieldGame, leader: LeaderPolicy, follower: FollowerPolicy) -> float:
    """Years of one game played a second, over all games; the first years, while memory is set up, do not count."""
    years = play(game, leader, follower, game.reset(0))

    def block() -> float:
        began, played = time.perf_counter(), 0
        while time.perf_counter() - began < SECONDS:
            next(years)
            played += game.n_games
        return played / (time.perf_counter() - began)

    block()
    return median(block() for _ in range(REPEATS))


# --- training --------------------------------------------------------------------------------------------------------
def _iteration(followers: int) -> IterationTime:
    """The default algorithm, whose iteration is 300 years and 100 updates at batch 128."""
    experiment = Experiment.model_validate({"game": {"name": "economy", "followers": followers}})
    algorithm = experiment.algorithm_config(seed=0).build_algo()
    try:
        timed = [_timed(algorithm.train) for _ in range(WARM_UP_ITERATIONS + ITERATIONS)][WARM_UP_ITERATIONS:]
    finally:
        algorithm.stop()
    seconds = median(elapsed for elapsed, _ in timed)
    sampling, update, weights = (median(float(result["timers"][timer]) for _, result in timed) for timer in TIMERS)
    other = max(0.0, seconds - sampling - update - weights)
    games = experiment.game.games
    return IterationTime(followers, games, seconds, sampling, update, weights, other, peak_memory_mib())


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


# --- tables ----------------------------------------------------------------------------------------------------------
def _speed_table(speeds: list[Speed]) -> Table:
    headings = ("B", "N", "simulator: years/s", "household-years/s", "with policies: years/s", "household-years/s")
    table = _numbers(headings, "simulator and acting, one thread")
    for speed in speeds:
        table.add_row(*(f"{value:,.0f}" for value in asdict(speed).values()))
    return table


def _iteration_table(iterations: list[IterationTime]) -> Table:
    headings = ("N", "B", "seconds", "sampling", "update", "weights", "other", "peak memory (MiB)")
    table = _numbers(headings, "one iteration: 300 years, 100 updates of both sides, batch 128")
    for each in iterations:
        shares = (
            f"{100 * part / each.seconds:.0f} %" for part in (each.sampling, each.update, each.weights, each.other)
        )
        table.add_row(
            str(each.followers), str(each.games), f"{each.seconds:.2f}", *shares, f"{each.peak_memory_mib:,.0f}"
        )
    return table


def _numbers(headings: tuple[str, ...], title: str) -> Table:
    table = Table(title=title)
    for heading in headings:
        table.add_column(heading, justify="right")
    return table
