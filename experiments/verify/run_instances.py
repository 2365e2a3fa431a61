"""`smfg verify --instances`: trains each drawn instance once, by the defaults; what the file holds is kept."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
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
    sizes, held = {game: usual_size(game) for game in chosen}, _held(output)
    console.print(f"drawing {count} instances; aiyagari's, to be solved each, take seconds")
    drawn = {one: one.case(sizes[one.game]) for one in draw(chosen, count, instance_seed, sizes)}
    began = time.perf_counter()
    tried = {one: _judged(one, case, *held[one]) for one, case in drawn.items() if one in held}
    console.print(f"{len(tried)} of them are kept, as they stand in {output}" if tried else "none of them is known yet")
    for each in _train_all(console, {one: case for one, case in drawn.items() if one not in tried}):
        tried[each.instance] = each
        if output:
            known = instances_summary([tried[one] for one in drawn if one in tried], instance_seed)
            write_json(output, {**known, "command": _command(chosen if games else [], count, instance_seed)})
    for each in (one for one in tried.values() if not one.outcome.passed):
        console.print(table_of(each.outcome))
    result = instances_summary([tried[one] for one in drawn], instance_seed)
    console.print(in_words(result) + f", {time.perf_counter() - began:.0f} s")
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


def _train_all(console: Console, chosen: Mapping[Instance, Case]) -> Iterator[Tried]:
    """One Ray task an instance, as many side by side as there are cores; as they are done."""
    if not chosen:
        return
    console.print(f"{len(chosen)} trainings, each of seconds to minutes")
    calls = {instance: (case, instance.seed) for instance, case in chosen.items()}
    with ray_session(processes=0):
        for done, (instance, learned) in enumerate(side_by_side(_learn, calls, max_retries=1), start=1):
            tried = _judged(instance, chosen[instance], *learned)
            console.print(f"[{done}/{len(chosen)}] {_line(tried)}")
            yield tried


def _judged(instance: Instance, case: Case, readings: Readings, seconds: float) -> Tried:
    outcome = CaseOutcome(case, {instance.seed: readings})
    outcome.conclude()
    return Tried(instance, outcome, seconds)


def _learn(case: Case, seed: int) -> tuple[Readings, float]:
    began = time.perf_counter()
    return learn(case, seed), time.perf_counter() - began


def _line(tried: Tried) -> str:
    verdict = "passes" if tried.outcome.passed else "FAILS"
    errors = "  ".join(f"{name} {error:.2g}" for name, error in tried.errors.items())
    case = f"{tried.outcome.case.name}, seed {tried.instance.seed}"
    return f"{case}: {verdict}, errors of their bounds: {errors} ({tried.seconds:.0f} s)"


def _held(path: Path | None) -> dict[Instance, tuple[Readings, float]]:
    """Readings and seconds of instances that a file holds; raises InvalidSetting where it holds something else."""
    if path is None or not path.is_file():
        return {}
    known, found = read_results(path), {}
    if "instance_seed" not in known:
        raise InvalidSetting(f"{path}: holds other results than instances; name another file")
    for case in known["cases"]:
        instance = Instance(case["game"], tuple(case["parameters"].items()), case["seed"])
        found[instance] = case["readings"][str(instance.seed)], case["seconds"]
    return found


def _command(games: Sequence[str], count: int, instance_seed: int) -> str:
    named = "".join(f"{game} " for game in games)
    return f"smfg verify {named}--instances {count} --instance-seed {instance_seed}"
