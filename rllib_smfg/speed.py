"""How fast games are played, by constant policies and by networks, and on what machine."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch

from envs import StackelbergMeanFieldGame, make
from policies import FollowerPolicy, LeaderPolicy
from policies.constant import ConstantFollower, ConstantLeader
from rllib_smfg.build import Interface, follower_actor, leader_actor
from rllib_smfg.learned import LearnedFollower, LearnedLeader
from rllib_smfg.rollout import play
from rllib_smfg.settings import LearningSettings

DTYPES = ("float64", "float32")  # of the households' numbers


@dataclass(frozen=True)
class SpeedPlan:
    """What is measured, and how often.

    sizes: (B, N) of play; trained: N of whole iterations, rising, so that peak memory is each size's own.
    seconds, repeats: of a block of years, and how many blocks. warm_up, iterations: of training before and while timed.
    """

    sizes: tuple[tuple[int, int], ...]
    trained: tuple[int, ...]
    seconds: float
    repeats: int
    warm_up: int
    iterations: int


# households who save nearly everything: the economy lives on, and no year is spent on starting anew
SAVERS, LOW_TAXES = (0.9, 0.5), (0.1, 0.02, 0.001, 0.001, 0.001)


@dataclass(frozen=True)
class Speed:
    """Medians over repeats: years of one game a second, and household-years a second, all games together."""

    games: int
    followers: int
    dtype: str
    simulator_years: float
    simulator_household_years: float
    acting_years: float
    acting_household_years: float


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


def measure_speed(plan: SpeedPlan, games: int, followers: int, dtype: str) -> Speed:
    """Of one size of the economy and one dtype, with constant policies and with untrained networks."""
    game = make("economy", games=games, followers=followers, dtype=dtype)
    interface, settings = Interface.of(game), LearningSettings()
    constant = (ConstantLeader(LOW_TAXES), ConstantFollower(SAVERS))
    torch.manual_seed(0)
    learned = (
        LearnedLeader(leader_actor(interface, settings, LOW_TAXES), interface),
        LearnedFollower(follower_actor(interface, settings, SAVERS), interface, settings.followers_see_leader),
    )
    simulator, acting = (_years_per_second(plan, game, *policies) for policies in (constant, learned))
    return Speed(games, followers, dtype, simulator, simulator * followers, acting, acting * followers)


def _years_per_second(
    plan: SpeedPlan, game: StackelbergMeanFieldGame, leader: LeaderPolicy, follower: FollowerPolicy
) -> float:
    """Years of one game played a second, over all games; the first years, while memory is set up, do not count."""
    years = play(game, leader, follower, game.reset(0))

    def block() -> float:
        began, played = time.perf_counter(), 0
        while time.perf_counter() - began < plan.seconds:
            next(years)
            played += game.n_games
        return played / (time.perf_counter() - began)

    block()
    return median(block() for _ in range(plan.repeats))
