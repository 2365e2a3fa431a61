"""A structural update on the processor and on a CUDA device: python -m tests.campaigns.accelerator [DEVICE ...].

Of `calibrated` with N = 1,000, 10,000 and 100,000 households, a line of JSON each: seconds on the clock, medians of
`TIMES`, of a followers' step and of the leader's derivative on its paths, and how far the device's derivative is from
the processor's, which is asked for up to 10,000. Takes under 4 minutes where there is a GPU; without one, say cpu.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from experiments.configuration.loading import load_experiment
from rllib_smfg.structural.learner import LEADER, StructuralLearner
from rllib_smfg.structural.paths import draw_luck

HOUSEHOLDS = (1_000, 10_000, 100_000)
FOR_A_PROCESSOR = 10_000  # of more, a derivative takes it minutes
TIMES = 3


def run(devices: list[str]) -> None:
    """One size after the other, on each device in turn."""
    for households in HOUSEHOLDS:
        found: dict[str, Any] = {"households": households}
        first = torch.zeros(0)
        for device in devices:
            if device == "cpu" and households > FOR_A_PROCESSOR:
                continue
            slope, seconds = measured(households, device)
            found |= {f"{device}, {name}": value for name, value in seconds.items()}
            if len(first):
                found[f"{device}, off by"] = float((slope - first).norm() / first.norm())
            first = first if len(first) else slope
        print(json.dumps(found), flush=True)


def measured(households: int, device: str) -> tuple[Tensor, dict[str, float]]:
    """The leader's slope on the processor, and what each side's step takes."""
    settings = {
        "game.followers": households,
        "algorithm.population": households,
        "algorithm.economies": 4,
        "algorithm.household_years": 4 * households,
        "algorithm.compile_paths": False,
        "algorithm.device": device,
    }
    experiment = load_experiment("calibrated", [f"{name}={value}" for name, value in settings.items()])
    algorithm = experiment.algorithm_config(1).build_algo()
    learner = algorithm.learner_group._learner.structural  # where Ray's learner group keeps a learner in its process
    slope = leader_slope(learner)
    seconds = {
        "leader's derivative, s": median_seconds(lambda: leader_slope(learner), device),
        "followers' step, s": median_seconds(learner._follower_step, device),
    }
    algorithm.stop()
    return slope, seconds


def leader_slope(learner: StructuralLearner) -> Tensor:
    """The derivative of what the leader's paths are worth, on luck that is the same for every device."""
    leader = learner.networks[LEADER]
    luck = draw_luck(learner.path_game, 1, learner.path_years, learner.like)
    worth = learner._objective(learner._played_by(leader, luck))
    slopes = torch.autograd.grad(worth, list(leader.parameters()))
    return torch.cat([slope.flatten() for slope in slopes]).cpu()


def median_seconds(work: Callable[[], Any], device: str) -> float:
    """On the clock, once everything that was begun is done."""
    taken = []
    for _ in range(TIMES):
        began = time.perf_counter()
        work()
        if device == "cuda":
            torch.cuda.synchronize()
        taken.append(time.perf_counter() - began)
    return round(float(np.median(taken)), 3)


if __name__ == "__main__":
    run(sys.argv[1:] or ["cpu", "cuda"])
