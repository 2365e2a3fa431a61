"""`smfg verify`: trains every case on every seed, judges, prints the table and writes it as JSON."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

from envs import InvalidSetting
from envs.registry import nearest
from envs.solution import SOLVED_GAMES
from experiments.configuration.loading import load_experiment
from experiments.verify.kept import IDENTITY, kept_cases
from experiments.verify.learning import CONFIGURATIONS, Case, VerifiedMethod, configuration, learn
from rllib_smfg.known_games.acceptance import TELLING, Check, judge, label
from rllib_smfg.known_games.readings import Readings
from rllib_smfg.processes.ray_session import ray_session, side_by_side
from rllib_smfg.storage.files import write_json

FOLLOWED = ("stage_game", "linear_quadratic")  # games that must follow the finite-N column
TRACKED = (16, 100, 1000)  # N at which they must
QUICK = ("stage_game", "income_tax")
FIRST_SEED = 1
USUAL_SEEDS = 5
AnyMethod = Literal[VerifiedMethod, "both"]


@dataclass
class CaseOutcome:
    """What a case came to: each seed's readings and label, the checks, and whether that is as it should be."""

    case: Case
    readings: dict[int, Readings]
    checks: list[Check] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)

    def conclude(self) -> None:
        """Judges the readings."""
        seeds = list(self.readings.values())
        case, parameters = self.case, dict(self.case.parameters)
        self.checks = judge(case.game, case.followers, seeds, **parameters)
        if case.game in TELLING:
            self.labels = [label(case.game, case.followers, readings, **parameters) for readings in seeds]

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
            "method": self.case.method,
            "leader_gradient": self.case.leader_gradient,
            "follower_gradient": self.case.follower_gradient,
            "control": self.case.control,
            "passed": self.passed,
            "labels": self.labels,
            "checks": [check.as_json() for check in self.checks],
            "readings": {str(seed): readings for seed, readings in self.readings.items()},
        }


def cases(games: Sequence[str], method: VerifiedMethod = "structural") -> list[Case]:
    """All cases of these games: each at its usual N, linear-quadratic ones at all tracked N, and negative controls."""
    found = []
    for game in games:
        if game in SOLVED_GAMES and game not in learned_by(method):
            raise InvalidSetting(f"{game}: has no settings for method '{method}'; use --method structural")
        sizes = TRACKED if game in FOLLOWED else (usual_size(game),)
        found += [Case(game, followers, method=method) for followers in sizes]
        if game in FOLLOWED:
            found.append(Case(game, 100, leader_gradient="partial", method=method))
            found.append(Case(game, 100, follower_gradient="team", method=method))
    return found


def learned_by(method: VerifiedMethod) -> list[str]:
    """The games that a method has been set up for."""
    return [game for game in SOLVED_GAMES if configuration(game, method).is_file()]


def usual_size(game: str) -> int:
    """N at which a game is verified by either method; raises InvalidSetting for a game without known solution."""
    if game not in SOLVED_GAMES:
        raise InvalidSetting(f"no exact solution is known for game '{game}'{nearest(game, list(SOLVED_GAMES))}")
    experiment = load_experiment(configuration(game, "structural"))
    return experiment.game.followers


def quick_cases(method: VerifiedMethod = "structural") -> list[Case]:
    """Those of `make test`."""
    return [Case(game, 100, method=method) for game in QUICK]


def of_size(found: Sequence[Case], followers: int) -> list[Case]:
    """The cases with this N; raises InvalidSetting where there is none."""
    chosen = [case for case in found if case.followers == followers]
    if not chosen:
        sizes = ", ".join(str(size) for size in sorted({case.followers for case in found}))
        raise InvalidSetting(f"--followers {followers}: these games are verified at N = {sizes}")
    return chosen


def chosen_cases(games: Sequence[str], method: AnyMethod, *, quick: bool, followers: int | None) -> list[Case]:
    """What these options ask for; raises InvalidSetting where it is nothing, or one of them would mean nothing."""
    if quick and games:
        raise InvalidSetting(f"--quick verifies {' and '.join(QUICK)}; name games, or leave it out")
    methods = list(CONFIGURATIONS) if method == "both" else [method]
    found: list[Case] = []
    for each in methods:
        found += quick_cases(each) if quick else cases(games or learned_by(each), each)
    return found if followers is None else of_size(found, followers)


def run(
    console: Console,
    games: Sequence[str],
    *,
    seeds: int | None,
    quick: bool,
    output: Path | None,
    followers: int | None = None,
    method: AnyMethod = "structural",
) -> int:
    """Exit code 0 where everything is as it should be, else 1.

    method: `both` runs each case by the one and the other. seeds: so many of each case (None: USUAL_SEEDS, 1 if
    `quick`). followers: keeps the cases of that N alone.
    """
    chosen = chosen_cases(games, method, quick=quick, followers=followers)
    count = seeds if seeds is not None else 1 if quick else USUAL_SEEDS
    kept_cases(output)
    began = time.perf_counter()
    outcomes = _train_all(console, chosen, [FIRST_SEED + k for k in range(count)])
    for outcome in outcomes:
        console.print(table_of(outcome))
    passed = sum(outcome.passed for outcome in outcomes)
    console.print(f"{passed} of {len(outcomes)} cases as they should be, {time.perf_counter() - began:.0f} s")
    if output:
        only = " --followers 100" if quick else "" if followers is None else f" --followers {followers}"
        _keep(output, outcomes, f"--seeds {count}{only}")
    return 0 if passed == len(outcomes) else 1


def _keep(path: Path, outcomes: Sequence[CaseOutcome], options: str) -> None:
    """Writes the cases, each with the command that repeats it; other cases that are there already stay."""
    known = kept_cases(path)
    new = [{**outcome.as_json(), "command": _command(outcome.case, options)} for outcome in outcomes]
    replaced = [[case[name] for name in IDENTITY] for case in new]
    write_json(path, {"cases": [*(case for case in known if [case[n] for n in IDENTITY] not in replaced), *new]})


def _command(case: Case, options: str) -> str:
    return f"smfg verify {case.game} --method {case.method} {options}"


def _train_all(console: Console, chosen: Sequence[Case], seeds: Sequence[int]) -> list[CaseOutcome]:
    """One Ray task a case and seed, as many side by side as there are cores."""
    with ray_session(processes=0):
        calls = {(case, seed): (case, seed) for case in chosen for seed in seeds}
        found: dict[Case, dict[int, Readings]] = {case: {} for case in chosen}
        for count, ((case, seed), readings) in enumerate(side_by_side(learn, calls, max_retries=1), start=1):
            found[case][seed] = readings
            figures = "  ".join(f"{name} {value:.4g}" for name, value in readings.items())
            console.print(f"[{count}/{len(calls)}] {case.name}, seed {seed}: {figures}")
    outcomes = [CaseOutcome(case, dict(sorted(readings.items()))) for case, readings in found.items()]
    for outcome in outcomes:
        outcome.conclude()
    return outcomes


def table_of(outcome: CaseOutcome) -> Table:
    """The checks of a case, and its verdict as their title."""
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
