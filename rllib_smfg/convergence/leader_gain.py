"""The leader's gain K(N) of `linear_quadratic`: solved exactly, and found by trying actions in play."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat

import numpy as np

from envs import make
from envs.game import Array
from envs.solution import Solution, solution

YEARS = (
    20  # of play after the tried action; later years count for 0.9^20 = 12 %, and the mean state has died out by then
)
TRIED = 0.5  # how far the actions tried lie from the equilibrium's
AT_ONCE = 2_000_000  # households simulated side by side
MOST_GAMES = 256


@dataclass(frozen=True)
class Gain:
    """One N: the exact gain, and the one found in play with its standard error over games."""

    followers: int
    exact: float
    played: float
    standard_error: float
    games: int


def gains(followers: Sequence[int], seed: int) -> Iterator[Gain]:
    """K(N) for each N."""
    for n in followers:
        games = max(4, min(MOST_GAMES, AT_ONCE // n))
        exact = solution("linear_quadratic", followers=n)
        played, error = played_gain(exact, games, n, seed)
        yield Gain(n, exact.values["K"], played, error, games)


def mean_field_gain() -> float:
    """K of infinitely many households."""
    return solution("linear_quadratic", followers=math.inf).values["K"]


def played_gain(exact: Solution, games: int, followers: int, seed: int) -> tuple[float, float]:
    """The best first-year gain -g / z and its standard error, where all that follows is the equilibrium's.

    The leader's discounted cost is quadratic in its first action: three actions under the same luck give its least
    point. The gain is the regression of these on the first mean states z of the games.
    """
    z, costs = zip(*(_cost(exact, games, followers, seed, TRIED * k) for k in (-1, 0, 1)), strict=True)
    below, at, above = costs
    step = TRIED * (below - above) / (2 * (below - 2 * at + above))
    state = z[0]
    best = -exact.values["K"] * state + step
    gain = -(best * state).sum() / (state**2).sum()
    residual = best + gain * state
    error = math.sqrt((residual**2).sum() / (games - 1) / (state**2).sum())
    return float(gain), error


def _cost(exact: Solution, games: int, followers: int, seed: int, deviation: float) -> tuple[Array, Array]:
    """First mean states (B,), and the leader's discounted costs (B,) if it deviates in the first year by so much."""
    game = make("linear_quadratic", games=games, followers=followers, horizon=YEARS + 1)
    observations = game.reset(seed)
    state, cost = observations.leader[:, 0], np.zeros(games)
    for year, change in zip(range(YEARS), _first_then_none(deviation), strict=False):
        action = exact.leader_rule(observations.leader) + change
        step = game.step(action, exact.follower_rule(observations.follower, action))
        cost -= game.discount**year * step.leader_reward
        observations = step.observations
    return state, cost


def _first_then_none(deviation: float) -> Iterator[float]:
    yield deviation
    yield from repeat(0.0)
