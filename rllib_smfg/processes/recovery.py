"""Losing processes: Ray restarts runners by itself, a learner is built again from the latest checkpoint."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rllib_smfg.processes.interrupts import Stopped

if TYPE_CHECKING:
    from rllib_smfg.rllib.population import PopulationAlgorithm

LEARNER_RESTARTS = 3  # of a seed; more often than that is no accident
PATIENCE = 300.0  # seconds to wait for a runner when all are lost


class LearnerLost(Exception):
    """A remote learner's process is gone, and with it what was learned since the latest checkpoint."""


@contextmanager
def noticing_a_lost_learner(algorithm: PopulationAlgorithm) -> Iterator[None]:
    """Raises LearnerLost for an exception inside the block whose cause is that a remote learner is gone."""
    from ray.exceptions import RayError

    try:
        yield
    except (RayError, IndexError) as error:  # RLlib's own lists are empty once no learner is left
        group = algorithm.learner_group
        if group.is_local:
            raise
        # RLlib takes whoever raised anything for lost; those that are answer nothing
        learners, answers = algorithm.config.num_learners, group.foreach_learner(func=_answers, healthy_only=False)
        if sum(answer.ok for answer in answers) == learners:
            raise
        one = "the learner's process" if learners == 1 else f"a process of {learners} learners"
        raise LearnerLost(f"{one} was lost ({type(error).__name__})") from error


def _answers(_: Any) -> bool:
    return True


def train_until_years(algorithm: PopulationAlgorithm, say: Callable[[str], None]) -> tuple[dict[str, Any], int]:
    """The results of an iteration and how many years it played.

    Where no runner answered, nothing was learned either: it is tried again until one is back. Raises Stopped after
    `PATIENCE`.
    """
    began, waiting = time.monotonic(), False
    while True:
        result: dict[str, Any] = algorithm.train()
        years = result.get("env_runners", {}).get("num_env_steps_sampled", 0)
        played = 0 if math.isnan(years) else int(years)
        if played or algorithm.env_runner_group.num_remote_env_runners() == 0:
            return result, played
        if time.monotonic() - began > PATIENCE:
            raise Stopped(f"stopped: no runner has answered for {PATIENCE:.0f} seconds (Ray's logs say why)")
        if not waiting:
            say("no runner answers; waiting until Ray has started one again")
            waiting = True
