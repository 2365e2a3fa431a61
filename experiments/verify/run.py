"""`smfg verify`: trains every case on every seed, judges, prints the table and writes it as JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from envs import InvalidSetting
from envs.registry import nearest
from envs.solution import SOLVED_GAMES
from experiments.files import write_json
from experiments.ray_session import ray_session, side_by_side
from experiments.verify.acceptance import TELLING, Check, judge, label
from experiments.verify.learning import Case, learn
from experiments.verify.readings import Readings

TRACKED = (16, 100, 1000)  # N at which the linear-quadratic games must follow the finite-N column
# N of the other games; the luck of few households would move Aiyagari's interest rate, and the exact solution of
# brock_mirman leaves out what a household of few does to prices by itself
USUAL = {"income_tax": 100, "brock_mirman": 10_000, "static_hsv": 100, "aiyagari": 1000}
QUICK = ("stage_game", "income_tax")
FIRST_SEED = 1
IDENTITY = ("game", "followers", "leader_gradient", "follower_gradient")  # of a case


@dataclass
class Outcome:
    """What a case came to: each seed's readings and label, the checks, and whether that is as it should be."""

    case: Case
    readings: dict[int, Readings]
    checks: list[Check] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)

    def conclude(self) -> None:
        """Judges the readings."""
        seeds = list(self.readings.values())
        self.checks = judge(self.case.game, self.case.followers, seeds)
        if self.case.game in TELLING:
            self.labels = [label(self.case.game, self.case.followers, readings) for readings in seeds]

    @property
    def passed(self) -> bool:
        """A case passes if every check does; a control, if its check fails with its own label in every seed."""
        if not self.case.control:
            return all(check.passed for check in self.checks)
        leads = self.case.leader_gradient != "partial" or all(found.startswith("P/") for found in self.labels)
        follows = self.case.follower_gradient != "team" or all(found.endswith("/T") for found in self.labels)
        return not all(check.passed for check in self.checks) and leads and follows

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "game": self.case.game,
            "followers": self.case.followers,
            "leader_gradient": self.case.leader_gradient,
            "follower_gradient": self.case.follower_gradient,
            "control": self.case.control,
            "passed": self.passed,
            "labels": self.labels,
            "checks": [check.as_json() for check in self.checks],
            "readings": {str(seed): readings for seed, readings in self.readings.items()},
        }


def cases(games: Sequence[str]) -> list[Case]:
    """All cases of these games: each at its usual N, linear-quadratic ones at all tracked N, and negative controls."""
    found = []
    for game in games:
        if game not in SOLVED_GAMES:
            raise InvalidSetting(f"no exact solution is known for game '{game}'{nearest(game, list(SOLVED_GAMES))}")
        tracked = game in ("stage_game", "linear_quadratic")
        found += [Case(game, followers) for followers in (TRACKED if tracked else (USUAL[game],))]
        if tracked:
            found += [Case(game, 100, leader_gradient="partial"), Case(game, 100, follower_gradient="team")]
    return found


def quick_cases() -> list[Case]:
    """Those of `make test`."""
    return [Case(game, 100) for game in QUICK]


def of_size(found: Sequence[Case], followers: int) -> list[Case]:
    """The cases with this N; raises InvalidSetting where there is none."""
    chosen = [case for case in found if case.followers == followers]
    if not chosen:
        sizes = ", ".join(str(size) for size in sorted({case.followers for case in found}))
        raise InvalidSetting(f"--followers {followers}: these games are verified at N = {sizes}")
    return chosen


def run(
    console: Console,
    games: Sequence[str],
    *,
    seeds: int,
    quick: bool,
    output: Path | None,
    followers: int | None = None,
) -> int:
    """Exit code 0 where everything is as it should be, else 1. `followers` keeps the cases of that N alone."""
    chosen = quick_cases() if quick else cases(games or list(SOLVED_GAMES))
    if followers is not None:
        chosen = of_size(chosen, followers)
    began = time.perf_counter()
    outcomes = _train_all(console, chosen, [FIRST_SEED + k for k in range(1 if quick else seeds)])
    for outcome in outcomes:
        console.print(_table(outcome))
    passed = sum(outcome.passed for outcome in outcomes)
    console.print(f"{passed} of {len(outcomes)} cases as they should be, {time.perf_counter() - began:.0f} s")
    if output:
        only = "" if followers is None else f" --followers {followers}"
        _keep(output, outcomes, "--quick" if quick else f"--seeds {seeds}{only}")
    return 0 if passed == len(outcomes) else 1


def _keep(path: Path, outcomes: Sequence[Outcome], options: str) -> None:
    """Writes the cases, each with the command that repeats it; other cases that are there already stay."""
    known = json.loads(path.read_text(encoding="utf-8"))["cases"] if path.is_file() else []
    new = [{**outcome.as_json(), "command": f"smfg verify {outcome.case.game} {options}"} for outcome in outcomes]
    replaced = [[case[name] for name in IDENTITY] for case in new]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, {"cases": [*(case for case in known if [case[n] for n in IDENTITY] not in replaced), *new]})


def _train_all(console: Console, chosen: Sequence[Case], seeds: Sequence[int]) -> list[Outcome]:
    """One Ray task a case and seed, as many side by side as there are cores."""
    with ray_session(processes=0):
        calls = {(case, seed): (case, seed) for case in chosen for seed in seeds}
        found: dict[Case, dict[int, Readings]] = {case: {} for case in chosen}
        for count, ((case, seed), readings) in enumerate(side_by_side(learn, calls, max_retries=1), start=1):
            found[case][seed] = readings
            figures = "  ".join(f"{name} {value:.4g}" for name, value in readings.items())
            console.print(f"[{count}/{len(calls)}] {case.name}, seed {seed}: {figures}")
    outcomes = [Outcome(case, dict(sorted(readings.items()))) for case, readings in found.items()]
    for outcome in outcomes:
        outcome.conclude()
    return outcomes


def _table(outcome: Outcome) -> Table:
    verdict = "as it should be" if outcome.passed else "NOT as it should be"
    if outcome.case.control:
        verdict = f"control, must fail: {verdict}"
    title = f"{outcome.case.name}: {verdict}"
    if outcome.labels:
        title += f" (labels {', '.join(outcome.labels)})"
    table = Table("check", "exact", "measured", "bound", "", title=title, title_justify="left")
    for check in outcome.checks:
        mark = "pass" if check.passed else "FAIL"
        table.add_row(check.what, f"{check.exact:.6g}", f"{check.measured:.6g}", check.bound, mark)
    return table
