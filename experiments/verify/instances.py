"""Instances of the known games that nobody tuned on: parameters from ranges in which a solution exists, and a seed.

What is drawn is drawn again where the game has no solution, where an optimum is a corner, or where it is so small, or
so near to that of another concept, that a relative error or the label would mean nothing (`fault`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from envs.game import InvalidSetting
from envs.linear_quadratic import LARGEST_ACTION
from envs.solution import CONCEPTS, SOLVED_GAMES, Solution, solution
from envs.stage_game import LARGEST_FOLLOWER_ACTION, LARGEST_LEADER_ACTION
from envs.stage_game import Parameters as StageGame
from experiments.verify.learning import Case
from rllib_smfg.bounds import SEEDS
from rllib_smfg.known_games.acceptance import TELLING

Range = tuple[float, float]
# game -> parameter -> the range from which it is drawn evenly; what is not named stays as in the reference instance
RANGES: dict[str, dict[str, Range]] = {
    "stage_game": {
        "R": (0.8, 2.0),
        "theta": (0.5, 1.5),
        "beta": (-0.5, 0.4),
        "delta": (-1.5, 1.5),
        "kappa": (-0.5, 0.5),
        "T": (-0.5, 0.5),
        "rl": (0.3, 1.0),
        "rho": (0.5, 1.0),
        "sigma": (0.1, 0.5),
    },
    "linear_quadratic": {
        "A": (0.7, 1.0),
        "D": (-0.1, 0.1),
        "B": (0.7, 1.3),
        "C": (0.2, 0.8),
        "Q": (0.5, 1.5),
        "H": (0.2, 0.8),
        "R": (0.3, 1.0),
        "M": (0.1, 0.7),
        "Ql": (0.5, 1.5),
        "Rl": (0.5, 1.5),
        "Ml": (0.3, 1.2),
        "gam": (0.85, 0.95),
        "sigma": (0.1, 0.4),
    },
    "income_tax": {"epsilon": (0.25, 1.0)},
    "brock_mirman": {"al": (0.2, 0.5), "be": (0.8, 0.95), "ph": (0.1, 1.0), "A": (0.5, 2.0)},
    "static_hsv": {"v": (0.1, 0.6), "s": (1.0, 4.0), "gs": (0.0, 0.3)},
    # mu, rho and sigma as in Aiyagari's table; where households have less to fear (mu = 1, sigma = .1) capital moves so
    # slowly that the exact rule itself has not settled when the rate is read
    "aiyagari": {
        "mu": (1.5, 5.0),
        "rho": (0.0, 0.9),
        "sigma": (0.2, 0.4),
        "alpha": (0.3, 0.4),
        "delta": (0.06, 0.1),
        "beta": (0.94, 0.97),
    },
    "krusell_smith": {"beta": (0.985, 0.992), "alpha": (0.3, 0.4), "swing": (0.005, 0.02), "benefit": (0.0, 0.3)},
}
MOST_DRAWS = 10_000
LEAST_FIGURE = 0.1  # of the figures that tell concepts apart, so that a relative error means something
LEAST_GAP = 0.2  # relative distance to every other concept: four times what most relative errors may be
LARGEST_SHARE_OF_RANGE = 0.9  # of the largest action that is read off: clipped rules are no straight lines


@dataclass(frozen=True)
class Instance:
    """A known game at drawn parameters, and the seed of its training."""

    game: str
    parameters: tuple[tuple[str, float], ...]
    seed: int

    def case(self, followers: int) -> Case:
        """What is trained, with N = `followers`, by the structural learner."""
        return Case(self.game, followers, method="structural", parameters=self.parameters)


def draw(games: Sequence[str], count: int, instance_seed: int, sizes: dict[str, int]) -> list[Instance]:
    """`count` instances of these games in turn; sizes: N of each game.

    The n-th of a game is the same whatever else is drawn. Raises InvalidSetting for a game without known solution.
    """
    return [
        _drawn(games[k % len(games)], k // len(games), instance_seed, sizes[games[k % len(games)]])
        for k in range(count)
    ]


def _drawn(game: str, number: int, instance_seed: int, followers: int) -> Instance:
    random = np.random.default_rng([instance_seed, list(SOLVED_GAMES).index(game), number])
    for _ in range(MOST_DRAWS):
        parameters = {name: float(random.uniform(low, high)) for name, (low, high) in RANGES[game].items()}
        if fault(game, followers, parameters) is None:
            return Instance(game, tuple(parameters.items()), int(random.integers(SEEDS)))
    raise RuntimeError(f"{game}: none of {MOST_DRAWS} draws from RANGES can be verified; the ranges are wrong")


def fault(game: str, followers: int, parameters: dict[str, Any]) -> str | None:
    """Why nothing can be verified at these parameters; None where it can."""
    try:
        exact = solution(game, followers=followers, **parameters)
    except InvalidSetting as error:
        return str(error)
    if exact.values.get("corner"):
        return "the optimum is a corner"
    if _reach(game, parameters, exact) > LARGEST_SHARE_OF_RANGE:
        return "the exact rules leave the range of actions"
    return _untold(game, followers, parameters, exact)


def _reach(game: str, parameters: dict[str, Any], exact: Solution) -> float:
    """The largest action that `readings` looks at, as a share of the range, where exact rules are straight lines."""
    v = exact.values
    if game == "stage_game":
        p = StageGame(**parameters)
        lead = abs(v["g_intercept"]) + 1.5 * abs(v["g_slope"])
        follow = 1.5 * abs(v["phi"]) * (abs(p.theta) + abs(p.delta))
        return max(lead / LARGEST_LEADER_ACTION, follow / LARGEST_FOLLOWER_ACTION)
    if game == "linear_quadratic":
        follow = 2.5 * abs(v["Fx"]) + 1.5 * abs(v["Fz"]) + abs(v["Fg"])
        return max(1.5 * abs(v["K"]), follow) / LARGEST_ACTION
    return 0.0


def _untold(game: str, followers: int, parameters: dict[str, Any], exact: Solution) -> str | None:
    """Why the figures do not tell this equilibrium from those of other concepts that have another one."""
    telling = TELLING.get(game, {}).values()
    for concept in CONCEPTS:
        try:
            other = solution(game, followers=followers, concept=concept, **parameters).values
        except InvalidSetting:
            continue
        gaps = [other[name] - exact.values[name] for name in telling]
        if not any(gaps):
            continue
        if any(abs(exact.values[name]) < LEAST_FIGURE for name in telling):
            return f"a figure is below {LEAST_FIGURE}, so that relative errors say little"
        if math.hypot(*(gap / exact.values[name] for gap, name in zip(gaps, telling, strict=True))) < LEAST_GAP:
            return f"{concept} differs by less than {LEAST_GAP:.0%}, so that the label says little"
    return None
