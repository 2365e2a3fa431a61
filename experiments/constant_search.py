"""The best constant policy: one action for the government and one for all households, the same in every year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import differential_evolution
from scipy.stats import qmc

from envs import make
from envs.game import Array
from policies import FollowerPolicy, LeaderPolicy
from rllib_smfg.rollout import evaluate

Actions = NDArray[np.float64]

# A constant policy that is best for a hundred households is best for more; the search need not pay for them.
SEARCH_FOLLOWERS = 100
MIXED_STARTS = 64
GENERATIONS = 4
FINALISTS, FINAL_EPISODES = 8, 16


@dataclass(frozen=True)
class ConstantPolicy:
    """Actions in natural units, and the leader's return (undiscounted, a mean over episodes) they had in the search."""

    leader_action: list[float]
    follower_action: list[float]
    search_return: float
    candidates: int

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


@dataclass(frozen=True)
class _PerGameLeader(LeaderPolicy):
    """A constant action of its own for every game, (B, al)."""

    actions: Actions

    def act(self, observation: Array) -> Array:
        """Actions (B, al)."""
        return self.actions


@dataclass(frozen=True)
class _PerGameFollower(FollowerPolicy):
    """A constant action of its own for the households of every game, (B, af)."""

    actions: Actions

    def act(self, observation: Array, leader_action: Array) -> Array:
        """Actions (B, N, af)."""
        return np.broadcast_to(self.actions[:, None, :], (*observation.shape[:2], self.actions.shape[-1]))


def best_constant_policy(settings: Mapping[str, Any], seed: int) -> ConstantPolicy:
    """Searches constant actions for the largest leader return (the government's task, summed over an episode).

    settings: what `envs.make` takes. Starts from all corners of both action boxes and from points spread between,
    each a game of its own, goes on by differential evolution, and plays the finalists against each other under
    common luck that the search has not seen.
    """
    settings = {**settings, "followers": min(settings["followers"], SEARCH_FOLLOWERS)}
    game = make(**{**settings, "games": 1})
    low = np.concatenate([game.leader_action_space.low, game.follower_action_space.low]).astype(np.float64)
    high = np.concatenate([game.leader_action_space.high, game.follower_action_space.high]).astype(np.float64)
    starts = low + (high - low) * _starts(len(low), seed)
    played = 0

    def loss(candidates: Actions) -> Actions:
        nonlocal played
        played += candidates.shape[1]
        return -_returns(settings, candidates.T, seed)

    found = differential_evolution(
        loss,
        bounds=list(zip(low, high, strict=True)),
        init=starts,
        maxiter=GENERATIONS,
        vectorized=True,
        updating="deferred",
        polish=False,
        tol=0.0,
        rng=np.random.default_rng(seed),
    )
    finalists = found.population[np.argsort(found.population_energies)[:FINALISTS]]
    repeated = np.repeat(finalists, FINAL_EPISODES, axis=0)
    scores = _returns(settings, repeated, seed + 1).reshape(len(finalists), FINAL_EPISODES).mean(axis=1)
    best, split = int(np.argmax(scores)), len(game.leader_action_space.low)
    leader, follower = np.split(finalists[best], [split])
    return ConstantPolicy(leader.tolist(), follower.tolist(), float(scores[best]), played)


def _starts(dimensions: int, seed: int) -> Actions:
    """Shares of each action's range: every corner (of few dimensions), and points spread evenly between."""
    corners = np.array(list(product((0.0, 1.0), repeat=dimensions))) if dimensions <= 8 else np.empty((0, dimensions))
    return np.concatenate([corners, qmc.Sobol(dimensions, rng=seed).random(MIXED_STARTS)])


def _returns(settings: Mapping[str, Any], candidates: Actions, seed: int) -> Actions:
    """The leader's return of each candidate (C, al + af), in one episode each, (C,)."""
    game = make(**{**settings, "games": len(candidates)})
    split = len(game.leader_action_space.low)
    leader, follower = _PerGameLeader(candidates[:, :split]), _PerGameFollower(candidates[:, split:])
    return np.asarray(evaluate(game, leader, follower, seed)["leader_return"], dtype=np.float64)
