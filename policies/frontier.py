"""Search among constant policies, one action for the government and one for all households, and what is undominated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, differential_evolution
from scipy.stats import qmc

from envs.game import Array, BoolArray, StackelbergMeanFieldGame

Actions = NDArray[np.float64]
Indicators = Mapping[str, Array]
# plays candidates (C, al + af), each in a game of its own: {indicator: (C,)}
PlayActions = Callable[[Actions], Indicators]
# what is to be maximised, (C,), out of the indicators of C candidates
Objective = Callable[[Indicators], Array]

# corners are tried up to so many dimensions: 256 of them
MOST_CORNERS = 8


def bounds(game: StackelbergMeanFieldGame) -> tuple[Actions, Actions]:
    """The smallest and the largest candidate, (al + af,) each: the government's action, then the households'."""
    leader, follower = game.leader_action_space, game.follower_action_space
    low, high = np.concatenate([leader.low, follower.low]), np.concatenate([leader.high, follower.high])
    return low.astype(np.float64), high.astype(np.float64)


def spread(low: Actions, high: Actions, points: int, seed: int) -> Actions:
    """Candidates to start from, (C, D): all corners of the box (of few dimensions), and a Sobol sequence within."""
    dimensions = len(low)
    corners = list(product((0.0, 1.0), repeat=dimensions)) if dimensions <= MOST_CORNERS else []
    within = qmc.Sobol(dimensions, rng=seed).random(points)
    shares: Actions = np.concatenate([np.array(corners).reshape(-1, dimensions), within])
    return low + (high - low) * shares


def best(candidates: Actions, values: Array, count: int) -> Actions:
    """The candidates of the `count` largest values, best first; what is not a number comes last."""
    return candidates[np.argsort(-np.nan_to_num(values, nan=-np.inf), kind="stable")[:count]]


def refine(
    play: PlayActions, objective: Objective, first: Actions, low: Actions, high: Actions, generations: int, seed: int
) -> Actions:
    """Candidates (P, D), best first, that differential evolution makes of `first` (P, D) within the box."""

    def loss(candidates: Actions) -> Any:
        return np.nan_to_num(-objective(play(candidates.T)), nan=np.inf)

    found = differential_evolution(
        loss,
        bounds=Bounds(low, high),
        init=first,
        maxiter=generations,
        vectorized=True,
        updating="deferred",
        polish=False,
        tol=0.0,
        rng=np.random.default_rng(seed),
    )
    return best(found.population, -found.population_energies, len(first))


def undominated(criteria: Array) -> BoolArray:
    """Which of P points (P, M), larger is better, no other surpasses in one criterion without losing in another."""
    others, own = criteria[None], criteria[:, None]
    at_least, better = np.all(others >= own, axis=-1), np.any(others > own, axis=-1)
    keep: BoolArray = ~np.any(at_least & better, axis=1)
    return keep
