"""The one loop that steps a game under two policies: training, evaluation and comparison all go through `play`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from envs.game import Array, Observations, StackelbergMeanFieldGame, Step
from policies import FollowerPolicy, LeaderPolicy

# what is to be known of a year that has just been played: {name: (B,)}
Measure = Callable[[StackelbergMeanFieldGame, Step], dict[str, Array]]


@dataclass(frozen=True)
class Year:
    """One year of B games: what was seen, what was done, what followed."""

    observations: Observations
    leader_action: Array
    follower_action: Array
    step: Step


def play(
    game: StackelbergMeanFieldGame, leader: LeaderPolicy, follower: FollowerPolicy, observations: Observations
) -> Iterator[Year]:
    """Plays on, year after year: the leader acts, the followers see it and act, the game moves."""
    follower.meet(leader)
    while True:
        leader_action = leader.act(observations.leader)
        follower_action = follower.act(observations.follower, leader_action)
        step = leader.enact(game, leader_action, follower_action)
        if step.done.any():
            leader.forget(step.done)
            follower.forget(step.done)
        yield Year(observations, leader_action, follower_action, step)
        observations = step.observations


def indicators(game: StackelbergMeanFieldGame, step: Step) -> dict[str, Array]:
    """What the game itself reports of a year, (B,) each."""
    return step.indicators


def evaluate(
    game: StackelbergMeanFieldGame,
    leader: LeaderPolicy,
    follower: FollowerPolicy,
    seed: int,
    measure: Measure = indicators,
) -> dict[str, Array]:
    """Plays the first episode of every game to its end; each value has shape (B,), one number an episode.

    What `measure` says of a year is averaged over the years an episode lived. `years` is its length; `leader_return`
    and `follower_return` are undiscounted sums over the episode, the latter the mean household's.
    """
    totals: dict[str, Array] = {}
    alive = np.ones(game.n_games, dtype=bool)
    years = np.zeros(game.n_games)
    leader.forget(alive)
    follower.forget(alive)
    for year in play(game, leader, follower, game.reset(seed)):
        step = year.step
        values = dict(measure(game, step))
        values["leader_return"] = step.leader_reward
        values["follower_return"] = step.follower_reward.mean(-1)
        for name, value in values.items():
            totals[name] = totals.get(name, 0.0) + np.where(alive, value, 0.0)
        years += alive
        alive &= ~step.done
        if not alive.any():
            break
    sums = ("leader_return", "follower_return")
    return {**{k: v if k in sums else v / years for k, v in totals.items()}, "years": years}
