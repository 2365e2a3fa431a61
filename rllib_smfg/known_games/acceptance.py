"""The acceptance table: how near the exact solution learning must come, and which equilibrium it is nearest to."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from envs.game import InvalidSetting
from envs.solution import CONCEPTS, solution
from rllib_smfg.known_games.readings import Readings
from rllib_smfg.statistics.summaries import interquartile_mean

# concept -> its label: leader Stackelberg or partial / followers game or team
LABELS = {"stackelberg": "S/G", "team": "S/T", "partial": "P/G", "partial_team": "P/T"}
# game -> readings that tell the concepts apart, and the name of each in the solution; `aiyagari` and
# `krusell_smith`, whose leaders decide nothing and whose households meet in prices alone, have one equilibrium
TELLING = {
    "stage_game": {"g_slope": "g_slope", "phi": "phi"},
    "linear_quadratic": {"K": "K", "Fx": "Fx", "Fz": "Fz", "Fg": "Fg"},
    "income_tax": {"t": "t_star"},
    "brock_mirman": {"tau": "tau_star"},
    "static_hsv": {"xi": "xi_star"},
}


@dataclass(frozen=True)
class Check:
    """One line of the table: what is required of `measured` (over seeds) and whether it holds.

    of_bound: the error as a share of what is allowed; None where nothing is measured but counted.
    """

    what: str
    exact: float
    measured: float
    bound: str
    passed: bool
    of_bound: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "measured": float(self.measured), "passed": bool(self.passed)}


def judge(game: str, followers: int, seeds: Sequence[Readings], **parameters: Any) -> list[Check]:
    """All checks of a game with these parameters (default: the reference instance), over the seeds' readings."""
    exact = {**solution(game, followers=followers, **parameters).values}
    checks = RULES[game](exact, seeds)
    if game not in TELLING:
        return checks
    nearest = [label(game, followers, readings, **parameters) for readings in seeds]
    right = sum(found == "S/G" for found in nearest)
    checks.append(Check("seeds nearest to S/G", len(seeds), right, "all", right == len(seeds)))
    return checks


def label(game: str, followers: int, readings: Readings, **parameters: Any) -> str:
    """The equilibrium concept whose exact figures are nearest, each distance relative to the Stackelberg game's own.

    Nothing is near to figures that are no numbers: "none".
    """
    telling = TELLING[game]
    exact = solution(game, followers=followers, **parameters).values
    distances = {}
    for concept in CONCEPTS:
        try:
            other = solution(game, followers=followers, concept=concept, **parameters).values
        except InvalidSetting:
            continue  # no such solution of this game is known
        gaps = [(readings[name] - other[key]) / exact[key] for name, key in telling.items()]
        distances[concept] = float(np.hypot.reduce(gaps))
    if not all(math.isfinite(distance) for distance in distances.values()):
        return "none"
    return LABELS[min(distances, key=lambda concept: distances[concept])]


def near(name: str, exact: float, seeds: Sequence[Readings], bound: float) -> Check:
    """Every seed within `bound` of the exact value; the worst one is reported."""
    return _within(f"{name} (worst seed)", exact, _worst(name, exact, seeds), f"+- {bound}", bound)


def at_most(name: str, seeds: Sequence[Readings], bound: float) -> Check:
    """Every seed at most `bound`."""
    return _within(f"{name} (worst seed)", 0.0, _worst(name, 0.0, seeds), f"<= {bound}", bound)


def at_least_share(name: str, exact: float, seeds: Sequence[Readings], share: float) -> Check:
    """Every seed at least this share of the exact value, which is positive; more is no error."""
    least = -_largest([-readings[name] for readings in seeds])
    short = math.inf if math.isnan(least) else max(exact - least, 0.0) / ((1 - share) * exact)
    return Check(f"{name} (worst seed)", exact, least, f">= {share} {name}*", short <= 1, short)


def relative(name: str, exact: float, seeds: Sequence[Readings], bound: float, worst_bound: float) -> list[Check]:
    """The inter-quartile mean within `bound` of the exact value, the worst seed within `worst_bound`, both relative."""
    middle = interquartile_mean(np.array([readings[name] for readings in seeds]))
    worst, size = _worst(name, exact, seeds), abs(exact)
    return [
        _within(f"{name} (IQM)", exact, middle, f"+- {bound:.0%}", bound * size),
        _within(f"{name} (worst seed)", exact, worst, f"+- {worst_bound:.0%}", worst_bound * size),
    ]


def _within(what: str, exact: float, measured: float, bound: str, allowed: float) -> Check:
    """Within `allowed` of the exact value; what is no number is infinitely far."""
    error = abs(measured - exact)
    share = math.inf if math.isnan(error) else error / allowed
    return Check(what, exact, measured, bound, share <= 1, share)


def _worst(name: str, exact: float, seeds: Sequence[Readings]) -> float:
    """The seeds' reading that is farthest from the exact value."""
    values = [readings[name] for readings in seeds]
    errors = [abs(value - exact) for value in values]
    return values[errors.index(_largest(errors))]


def _largest(values: Sequence[float]) -> float:
    """The largest; what is no number is larger than all."""
    return max(values, key=lambda value: math.inf if math.isnan(value) else value)


def _stage_game(exact: dict[str, float], seeds: Sequence[Readings]) -> list[Check]:
    return [at_most("g_error", seeds, 0.05), *relative("phi", exact["phi"], seeds, 0.05, 0.05)]


def _linear_quadratic(exact: dict[str, float], seeds: Sequence[Readings]) -> list[Check]:
    gains = [check for name in ("K", "Fx", "Fg") for check in relative(name, exact[name], seeds, 0.05, 0.10)]
    sides = [at_most(f"{side}_exploitability", seeds, 0.01) for side in ("follower", "leader")]
    return gains + sides


def _income_tax(exact: dict[str, float], seeds: Sequence[Readings]) -> list[Check]:
    return [
        near("t", exact["t_star"], seeds, 0.02),
        at_least_share("W", exact["W_star"], seeds, 0.995),
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


def _krusell_smith(exact: dict[str, float], seeds: Sequence[Readings]) -> list[Check]:
    """What its literature asks for; and capital, 2.5 % of which is a quarter of a point of a year's interest."""
    return [
        at_least_share("r_squared", 1.0, seeds, 0.9999),
        at_most("den_haan_error", seeds, 0.005),
        at_most("euler_error", seeds, 0.005),
        near("capital", exact["capital"], seeds, round(0.025 * exact["capital"], 2)),
    ]


RULES: dict[str, Callable[[dict[str, float], Sequence[Readings]], list[Check]]] = {
    "stage_game": _stage_game,
    "linear_quadratic": _linear_quadratic,
    "income_tax": _income_tax,
    "brock_mirman": _brock_mirman,
    "static_hsv": _static_hsv,
    "aiyagari": _aiyagari,
    "krusell_smith": _krusell_smith,
}
