"""The acceptance table: how near the exact solution learning must come, and which equilibrium it is nearest to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from envs.game import InvalidSetting
from envs.solution import CONCEPTS, solution
from experiments.statistics import interquartile_mean
from experiments.verify.readings import Readings

# concept -> its label: leader Stackelberg or partial / followers game or team
LABELS = {"stackelberg": "S/G", "team": "S/T", "partial": "P/G", "partial_team": "P/T"}
# game -> readings that tell the concepts apart, and the name of each in the solution; `aiyagari`, whose leader decides
# nothing and whose households meet in prices alone, has one equilibrium
TELLING = {
    "stage_game": {"g_slope": "g_slope", "phi": "phi"},
    "linear_quadratic": {"K": "K", "Fx": "Fx", "Fz": "Fz", "Fg": "Fg"},
    "income_tax": {"t": "t_star"},
    "brock_mirman": {"tau": "tau_star"},
    "static_hsv": {"xi": "xi_star"},
}


@dataclass(frozen=True)
class Check:
    """One line of the table: what is required of `measured` (over seeds) and whether it holds."""

    what: str
    exact: float
    measured: float
    bound: str
    passed: bool

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "measured": float(self.measured), "passed": bool(self.passed)}


def judge(game: str, followers: int, seeds: Sequence[Readings]) -> list[Check]:
    """All checks of a game, over the seeds' readings."""
    exact = {**solution(game, followers=followers).values}
    checks = RULES[game](exact, seeds)
    if game not in TELLING:
        return checks
    nearest = [label(game, followers, readings) for readings in seeds]
    right = sum(found == "S/G" for found in nearest)
    checks.append(Check("seeds nearest to S/G", len(seeds), right, "all", right == len(seeds)))
    return checks


def label(game: str, followers: int, readings: Readings) -> str:
    """The equilibrium concept whose exact figures are nearest, each distance relative to the Stackelberg game's own."""
    telling = TELLING[game]
    exact = solution(game, followers=followers).values
    distances = {}
    for concept in CONCEPTS:
        try:
            other = solution(game, followers=followers, concept=concept).values
        except InvalidSetting:
            continue  # no such solution of this game is known
        gaps = [(readings[name] - other[key]) / exact[key] for name, key in telling.items()]
        distances[concept] = float(np.hypot.reduce(gaps))
    return LABELS[min(distances, key=lambda concept: distances[concept])]


def near(name: str, exact: float, seeds: Sequence[Readings], bound: float) -> Check:
    """Every seed within `bound` of the exact value; the worst one is reported."""
    worst = max((readings[name] for readings in seeds), key=lambda value: abs(value - exact))
    return Check(f"{name} (worst seed)", exact, worst, f"+- {bound}", abs(worst - exact) <= bound)


def at_most(name: str, seeds: Sequence[Readings], bound: float) -> Check:
    """Every seed at most `bound`."""
    worst = max(readings[name] for readings in seeds)
    return Check(f"{name} (worst seed)", 0.0, worst, f"<= {bound}", worst <= bound)


def relative(name: str, exact: float, seeds: Sequence[Readings], bound: float, worst_bound: float) -> list[Check]:
    """The inter-quartile mean within `bound` of the exact value, the worst seed within `worst_bound`, both relative."""
    values = np.array([readings[name] for readings in seeds])
    middle = interquartile_mean(values)
    worst = values[np.abs(values - exact).argmax()]
    return [
        Check(f"{name} (IQM)", exact, middle, f"+- {bound:.0%}", abs(middle / exact - 1) <= bound),
        Check(
            f"{name} (worst seed)", exact, float(worst), f"+- {worst_bound:.0%}", abs(worst / exact - 1) <= worst_bound
        ),
    ]


def _stage_game(exact: dict[str, float], seeds: Sequence[Readings]) -> list[Check]:
    return [at_most("g_error", seeds, 0.05), *relative("phi", exact["phi"], seeds, 0.05, 0.05)]


def _linear_quadratic(exact: dict[str, float], seeds: Sequence[Readings]) -> list[Check]:
    gains = [check for name in ("K", "Fx", "Fg") for check in relative(name, exact[name], seeds, 0.05, 0.10)]
    sides = [at_most(f"{side}_exploitability", seeds, 0.01) for side in ("follower", "leader")]
    return gains + sides


def _income_tax(exact: dict[str, float], seeds: Sequence[Readings]) -> list[Check]:
    least = min(readings["W"] for readings in seeds)
    enough = least >= 0.995 * exact["W_star"]
    return [
        near("t", exact["t_star"], seeds, 0.02),
        Check("W (worst seed)", exact["W_star"], least, ">= 0.995 W*", enough),
        at_most("hours_error", seeds, 0.03),
    ]


def _brock_mirman(exact: dict[str, float], seeds: Sequence[Readings]) -> list[Check]:
    return [
        near("tau", exact["tau_star"], seeds, 0.01),
        at_most("saving_error", seeds, 0.02),
        at_most("gini_drift", seeds, 0.02),
    ]


def _static_hsv(exact: dict[str, float], seeds: Sequence[Readings]) -> list[Check]:
    return [near("xi", exact["xi_star"], seeds, 0.02), at_most("hours_error", seeds, 0.03)]


def _aiyagari(exact: dict[str, float], seeds: Sequence[Readings]) -> list[Check]:
    return [near("interest_rate", exact["interest_rate"], seeds, 0.0025), at_most("consumption_error", seeds, 0.03)]


RULES: dict[str, Callable[[dict[str, float], Sequence[Readings]], list[Check]]] = {
    "stage_game": _stage_game,
    "linear_quadratic": _linear_quadratic,
    "income_tax": _income_tax,
    "brock_mirman": _brock_mirman,
    "static_hsv": _static_hsv,
    "aiyagari": _aiyagari,
}
