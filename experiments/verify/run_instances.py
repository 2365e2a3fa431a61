"""`smfg verify --instances`: trains each drawn instance once, by the defaults, and counts how many hold."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from envs import InvalidSetting
from envs.solution import SOLVED_GAMES
from experiments.verify.instances import Instance, draw
from experiments.verify.kept import read_results
from experiments.verify.learning import Case, learn
from experiments.verify.run import CaseOutcome, table_of, usual_size
from rllib_smfg.known_games.readings import Readings
from rllib_smfg.processes.ray_session import ray_session, side_by_side
from rllib_smfg.storage.files import write_json


@dataclass(frozen=True)
class Tried:
    """An instance, what its one training came to, and how long that took on the clock."""

    instance: Instance
    outcome: CaseOutcome
    seconds: float

    @property
    def errors(self) -> dict[str, float]:
        """The error of each reading as a share of the narrowest bound that it is judged by."""
        found: dict[str, float] = {}
        for check in self.outcome.checks:
            if check.of_bound is not None:
                reading = check.what.partition(" (")[0]
                found[reading] = max(found.get(reading, 0.0), check.of_bound)
        return found

    def as_json(self) -> dict[str, Any]:
        """Plain values, as those of a case in verify.json."""
        return {
            **self.outcome.as_json(),
            "parameters": dict(self.instance.parameters),
            "seed": self.instance.seed,
            "errors_of_bound": self.errors,
            "seconds": round(self.seconds, 1),
        }


def refuse_with_instances(options: Mapping[str, Any]) -> None:
    """Raises InvalidSetting for an option that says nothing about instances."""
    for name, value in options.items():
        if value is not None:
            raise InvalidSetting(
                f"{name}: instances are learned once each, by method structural, at the usual N; leave it out"
            )


def run_instances(
    console: Console, games: Sequence[str], *, count: int, instance_seed: int, output: Path | None
) -> int:
    """Exit code 0 where every instance passes, else 1. games: that are drawn in turn (none: all)."""
    chosen = list(dict.fromkeys(games)) or list(SOLVED_GAMES)
    sizes = {game: usual_size(game) for game in chosen}
    _refuse_other_results(output)
    console.print(f"drawing {count} instances; aiyagari's, to be solved each, take seconds")
    instances = draw(chosen, count, instance_seed, sizes)
    began = time.perf_counter()
    tried = _train_all(console, {k: (one, one.case(sizes[one.game])) for k, one in enumerate(instances)})
    for each in tried:
        if not each.outcome.passed:
            console.print(table_of(each.outcome))
    result = instances_summary(tried, instance_seed)
    console.print(in_words(result) + f", {time.perf_counter() - began:.0f} s")
    if output:
        output.parent.mkdir(parents=True, exist_ok=True)
        write_json(output, {**result, "command": _command(chosen if games else [], count, instance_seed)})
    return 0 if result["passed"] == count else 1


def instances_summary(tried: Sequence[Tried], instance_seed: int) -> dict[str, Any]:
    """Cases, and over them: how many pass, and the median error as a share of its bound.

    median_error_of_bound is over all readings; median_worst_error_of_bound over instances, of the worst of each.
    """
    errors = [error for each in tried for error in each.errors.values()]
    worst = [float(np.max(list(each.errors.values()))) for each in tried]
    return {
        "instance_seed": instance_seed,
        "instances": len(tried),
        "passed": sum(each.outcome.passed for each in tried),
        "median_error_of_bound": float(np.median(errors)),
        "median_worst_error_of_bound": float(np.median(worst)),
        "cases": [each.as_json() for each in tried],
    }


def in_words(result: Mapping[str, Any]) -> str:
    """The summary in a line."""
    return (
        f"{result['passed']} of {result['instances']} instances pass; median error "
        f"{result['median_error_of_bound']:.2g} of its bound (of each instance's worst: "
        f"{result['median_worst_error_of_bound']:.2g})"
    )


def _train_all(console: Console, chosen: Mapping[int, tuple[Instance, Case]]) -> list[Tried]:
    """One Ray task an instance, as many side by side as there are cores; in the order in which they were drawn."""
    console.print(f"{len(chosen)} trainings, each of seconds to minutes")
    found: dict[int, Tried] = {}
    with ray_session(processes=0):
        calls = {k: (case, instance.seed) for k, (instance, case) in chosen.items()}
        for done, (k, (readings, seconds)) in enumerate(side_by_side(_learn, calls, max_retries=1), start=1):
            instance, case = chosen[k]
            outcome = CaseOutcome(case, {instance.seed: readings})
            outcome.conclude()
            found[k] = Tried(instance, outcome, seconds)
            console.print(f"[{done}/{len(chosen)}] {_line(found[k])}")
    return [found[k] for k in sorted(found)]


def _learn(case: Case, seed: int) -> tuple[Readings, float]:
    began = time.perf_counter()
    return learn(case, seed), time.perf_counter() - began


def _line(tried: Tried) -> str:
    verdict = "passes" if tried.outcome.passed else "FAILS"
    errors = "  ".join(f"{name} {error:.2g}" for name, error in tried.errors.items())
    case = f"{tried.outcome.case.name}, seed {tried.instance.seed}"
    return f"{case}: {verdict}, errors of their bounds: {errors} ({tried.seconds:.0f} s)"


def _refuse_other_results(path: Path | None) -> None:
    """Raises InvalidSetting rather than writing over a file that holds something else."""
    if path is not None and path.is_file() and "instance_seed" not in read_results(path):
        raise InvalidSetting(f"{path}: holds other results than instances; name another file")


def _command(games: Sequence[str], count: int, instance_seed: int) -> str:
    named = "".join(f"{game} " for game in games)
    return f"smfg verify {named}--instances {count} --instance-seed {instance_seed}"
