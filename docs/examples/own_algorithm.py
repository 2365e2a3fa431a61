"""An algorithm of your own: the cross-entropy method for a government, against households that are given.

    python docs/examples/own_algorithm.py

A government is a linear rule of what it observes; every candidate governs a game of its own, all in one call. No Ray,
no torch: a game is arrays. docs/extend.md walks through this file.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from envs import StackelbergMeanFieldGame, make
from envs.game import Array
from policies import LeaderPolicy, registry
from rllib_smfg.rollout import evaluate


class LinearLeaders(LeaderPolicy):
    """Game b is governed by action = middle + half range x tanh(weights_b . (1, features)), weights (B, al, 1 + dl)."""

    def __init__(self, game: StackelbergMeanFieldGame, weights: Array) -> None:
        box, self._scaling, self._weights = game.leader_action_space, game.leader_scaling, weights
        self._middle, self._half = (box.high + box.low) / 2, (box.high - box.low) / 2

    def act(self, observation: Array) -> Array:
        """Actions (B, al) for observations (B, dl)."""
        s = self._scaling
        log = np.sign(observation) * np.log1p(np.abs(observation) / np.asarray(s.unit))
        features = (np.where(s.logarithmic, log, observation) - np.asarray(s.shift)) / np.asarray(s.width)
        features = np.concatenate([np.ones((len(features), 1)), np.clip(features, -3, 3)], axis=1)
        action: Array = self._middle + self._half * np.tanh(np.einsum("bad,bd->ba", self._weights, features))
        return action


def search(
    generations: int = 15, candidates: int = 64, elite: int = 8, seed: int = 1, **settings: Any
) -> tuple[list[float], Array]:
    """The elite's mean return after every generation, and the weights (al, 1 + dl) that were found.

    settings: the game's. Each candidate's return is the government's task, summed over one episode; in a generation
    all meet the same luck.
    """
    game = make("economy", games=candidates, **settings)
    households, random = registry.follower("real_data", game), np.random.default_rng(seed)
    shape = (game.leader_action_space.shape[0], 1 + game.leader_observation_space.shape[0])
    mean, spread, history = np.zeros(shape), np.ones(shape), []
    for generation in range(generations):
        weights = mean + spread * random.standard_normal((candidates, *shape))
        returns = evaluate(game, LinearLeaders(game, weights), households, seed + generation)["leader_return"]
        best = weights[np.argsort(returns)[-elite:]]
        mean, spread = best.mean(0), best.std(0) + 0.02
        history.append(float(np.sort(returns)[-elite:].mean()))
    return history, mean


if __name__ == "__main__":
    found, _ = search(followers=100)
    print("the elite's mean return, by generation:", "  ".join(f"{value:.4g}" for value in found))
