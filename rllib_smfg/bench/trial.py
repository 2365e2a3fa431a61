"""One learner, one game, one seed, so much CPU time: trains, looks at what was learned so far, and scores the end."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

from rllib_smfg.bench.learners import Run, contender
from rllib_smfg.bench.scoring import Standing, exploitability, standing

LEAST_BETWEEN_LOOKS = 0.02  # of the budget
IDENTITY = ("game", "learner", "seed", "cpu_seconds", "followers")
EVALUATION_SEED = 1_000_000  # luck of the episodes that score, none of which was trained on


@dataclass(frozen=True)
class Trial:
    """What is run, in a process of its own. cpu_seconds: training stops at the first iteration beyond them."""

    game: str
    learner: str
    seed: int
    cpu_seconds: float
    run: Run

    @property
    def name(self) -> str:
        """What a line of progress calls it."""
        return f"{self.game}, {self.learner}, seed {self.seed}"

    def identity(self) -> dict[str, Any]:
        """What tells its result from others, by the names of `IDENTITY`."""
        own = (self.game, self.learner, self.seed, self.cpu_seconds, self.run.game["followers"])
        return dict(zip(IDENTITY, own, strict=True))


def tried(trial: Trial) -> dict[str, Any]:
    """The trial's result as JSON; a learner that fails is a result, too, which says how (`error`)."""
    from rllib_smfg.processes.quiet import quieten

    quieten()
    try:
        return {**trial.identity(), **_trained(trial)}
    except Exception as error:  # whatever a learner raises is its result
        return failed(trial, error)


def failed(trial: Trial, error: BaseException) -> dict[str, Any]:
    """The result of a trial that ended with an exception."""
    words = " ".join(str(error).split())
    return {**trial.identity(), "error": f"{type(error).__name__}: {words[:300]}"}


def _trained(trial: Trial) -> dict[str, Any]:
    """Trains to the budget or to the run's end. CPU time is that of this process, where all plays and learns.

    What looks cost does not count. A look waits until training since the last one has cost as much as that did.
    """
    run = trial.run
    algorithm = contender(trial.learner).config(run, trial.seed, EVALUATION_SEED).build_algo()
    looks: list[dict[str, Any]] = []
    used, iteration, looked_at, cost = 0.0, 0, 0.0, 0.0
    try:
        ended = False
        while not ended:
            used += _cpu_of(algorithm.train)
            iteration += 1
            ended = used >= trial.cpu_seconds or iteration == run.iterations
            if ended or used - looked_at >= max(cost, LEAST_BETWEEN_LOOKS * trial.cpu_seconds):
                began = time.process_time()
                policies = algorithm.trained_policies()
                found = standing(trial.game, policies)
                cost, looked_at = time.process_time() - began, used
                looks.append({"cpu": round(used, 6), "share": found.share, "within": found.within})
    finally:
        algorithm.stop()
    gain = exploitability(policies, found.readings, EVALUATION_SEED)
    return _result(found, looks) | {"iterations": iteration, "used": round(used, 6), "exploitability": gain}


def _cpu_of(work: Any) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _result(found: Standing, looks: list[dict[str, Any]]) -> dict[str, Any]:
    """The last look in full, and when the first one was within the bound."""
    first = next((look["cpu"] for look in looks if look["within"]), None)
    return {**asdict(found), "first_within": first, "looks": looks}
