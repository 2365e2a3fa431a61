"""The best constant policy: one action for the government and one for all households, the same in every year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from envs import make
from envs.game import Array
from policies.constant import ConstantFollower, ConstantLeader
from policies.frontier import Actions, Indicators, best, bounds, refine, spread
from rllib_smfg.rollout import evaluate

# A constant policy that is best for a hundred households is best for more; the search need not pay for them.
SEARCH_FOLLOWERS = 100
MIXED_STARTS = 64
POPULATION, GENERATIONS = 32, 12
FINALISTS, FINAL_EPISODES = 24, 8


@dataclass(frozen=True)
class ConstantPolicy:
    """Actions in natural units, and the leader's return (undiscounted, a mean over episodes) they had in the search."""

    leader_action: list[float]
    follower_action: list[float]
    search_return: float
    candidates: int


def best_constant_policy(settings: Mapping[str, Any], seed: int) -> ConstantPolicy:
    """Searches constant actions for the largest leader return (the government's task, summed over an episode).

    settings: what `envs.make` takes. Starts from all corners of both action boxes and from points spread between,
    each a game of its own, goes on from the best of them by differential evolution, and plays the finalists against
    each other under common luck that the search has not seen.
    """
    settings = search_settings(settings)
    low, high = bounds(make(**{**settings, "games": 1}))
    played = 0

    def play(candidates: Actions) -> Indicators:
        nonlocal played
        played += len(candidates)
        return play_each(settings, candidates, seed)

    starts = spread(low, high, MIXED_STARTS, seed)
    first = best(starts, leader_return(play(starts)), POPULATION)
    finalists = refine(play, leader_return, first, low, high, GENERATIONS, seed)[:FINALISTS]
    scores = [float(play_often(settings, each, FINAL_EPISODES, seed + 1)["leader_return"].mean()) for each in finalists]
    winner = int(np.argmax(np.nan_to_num(scores, nan=-np.inf)))  # what is no number never wins
    leader, follower = split(settings, finalists[winner])
    return ConstantPolicy(leader, follower, scores[winner], played)


def leader_return(indicators: Indicators) -> Array:
    """What the government is rewarded for, summed over the episode."""
    return indicators["leader_return"]


def search_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of the games a search plays."""
    return {**settings, "followers": min(settings["followers"], SEARCH_FOLLOWERS)}


def play_each(settings: Mapping[str, Any], candidates: Actions, seed: int) -> dict[str, Array]:
    """What `evaluate` says of each candidate (C, al + af) in one episode each, (C,)."""
    game = make(**{**settings, "games": len(candidates)})
    leader, follower = np.split(candidates, [game.leader_action_space.shape[0]], axis=1)
    return evaluate(game, ConstantLeader(leader), ConstantFollower(follower), seed)


def play_often(settings: Mapping[str, Any], candidate: Actions, episodes: int, seed: int) -> dict[str, Array]:
    """What `evaluate` says of one candidate (al + af,) in several episodes, (episodes,).

    Under a seed all candidates meet the same luck, so that it does not drown small differences between them.
    """
    return play_each(settings, np.tile(candidate, (episodes, 1)), seed)


def split(settings: Mapping[str, Any], candidate: Actions) -> tuple[list[float], list[float]]:
    """The government's and the households' part of a candidate (al + af,)."""
    size = make(**{**settings, "games": 1}).leader_action_space.shape[0]
    return candidate[:size].tolist(), candidate[size:].tolist()
