"""One door to the exact solutions of the games that have one: `solve("linear_quadratic", followers=100, A=0.8)`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from importlib import import_module
from numbers import Real
from typing import Any

from envs.game import Array, InvalidSetting
from envs.registry import nearest

# Which equilibrium: how the leader differentiates, and what a follower holds fixed.
CONCEPTS: dict[str, str] = {
    "stackelberg": "the leader anticipates the followers' reaction; each follower takes the others as given (a game)",
    "partial": "the leader holds the followers' actions fixed when it differentiates; followers play the game",
    "team": "the leader anticipates the followers' reaction; followers jointly maximise their mean reward",
    "partial_team": "the leader holds the followers' actions fixed; followers jointly maximise their mean reward",
}

# name -> module with `Parameters`, `GAME_CONCEPTS` and `solution(parameters, followers, concept)`
SOLVED_GAMES: dict[str, str] = {
    "stage_game": "envs.stage_game",
    "linear_quadratic": "envs.linear_quadratic_solution",
    "income_tax": "envs.income_tax",
    "brock_mirman": "envs.brock_mirman",
    "static_hsv": "envs.static_hsv",
    "aiyagari": "envs.aiyagari",
    "krusell_smith": "envs.krusell_smith",
}


@dataclass(frozen=True)
class Solution:
    """An equilibrium: its figures under their usual names, and the two rules that play it.

    `leader_rule` maps leader observations (B, dl) to actions (B, al). `follower_rule` maps follower observations
    (B, N, df) and leader actions (B, al), on the equilibrium path or off it, to actions (B, N, af).
    """

    game: str
    followers: float
    concept: str
    values: dict[str, float]
    leader_rule: Callable[[Array], Array]
    follower_rule: Callable[[Array, Array], Array]


def solution(game: str, *, followers: float = math.inf, concept: str = "stackelberg", **parameters: float) -> Solution:
    """The exact equilibrium of `game` with N = `followers` (math.inf: the mean-field limit).

    Raises InvalidSetting for an unknown game, concept or parameter, or where no solution exists.
    """
    if game not in SOLVED_GAMES:
        raise InvalidSetting(f"no exact solution is known for game '{game}'{nearest(game, list(SOLVED_GAMES))}")
    module = import_module(SOLVED_GAMES[game])
    known = [field.name for field in fields(module.Parameters)]
    for name in parameters:
        if name not in known:
            raise InvalidSetting(f"game '{game}' has no parameter '{name}'{nearest(name, known)}")
    if not isinstance(followers, Real) or followers < 1 or (followers != math.inf and followers % 1 != 0):
        raise InvalidSetting(f"followers = {followers}: must be a whole number of at least 1, or inf")
    check_concept(game, concept, module.GAME_CONCEPTS)
    found: Solution = module.solution(module.Parameters(**parameters), float(followers), concept)
    return found


def solve(
    game: str, *, followers: float = math.inf, concept: str = "stackelberg", **parameters: float
) -> dict[str, float]:
    """The figures of `solution(...)` alone, under the names of the literature (K, g_star, t_star, ...)."""
    return dict(solution(game, followers=followers, concept=concept, **parameters).values)


def check_concept(game: str, concept: str, available: Sequence[str]) -> None:
    """Raises InvalidSetting if `concept` is unknown, or has no exact solution in `game`."""
    if concept not in CONCEPTS:
        raise InvalidSetting(f"unknown concept '{concept}'{nearest(concept, list(CONCEPTS))}")
    if concept not in available:
        raise InvalidSetting(f"game '{game}' has no exact solution for '{concept}': one of {', '.join(available)}")


def check_numbers(parameters: Any) -> None:
    """Raises InvalidSetting unless every field of the dataclass `parameters` is a finite number."""
    for name, value in asdict(parameters).items():
        if not isinstance(value, Real) or isinstance(value, bool) or not math.isfinite(value):
            raise InvalidSetting(f"{name} = {value}: must be a finite number")
