"""Taxes or debt pay for spending (Barro 1979), as arithmetic: a linear-quadratic game whose debt explodes untended.

The leader sees debt b and spending g (an AR(1) process), sets a tax t and minimises the discounted sum of
t^2 + HARM b^2, with b' = (b + g - t) / discount. A household of skill s works h, earns (s - t / 2) h - h^2 / 2, and so
works s - t / 2: what it does moves no debt, and the leader's rule is Riccati's.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.spaces import Box

from rllib_smfg import ArithmeticGame, FeatureScaling, Outcome

BETA, KEPT, HARM = 0.95, 0.7, 0.02


class TaxSmoothing(ArithmeticGame):
    name, discount = "tax_smoothing", BETA
    leader_reward_scale = follower_reward_scale = 1.0
    leader_observes, instruments = ("debt", "spending"), ("tax",)
    follower_observes, decisions = ("skill",), ("work",)

    def __init__(self, *, games: int = 1, followers: int = 20, horizon: int = 60) -> None:
        super().__init__(games=games, followers=followers, horizon=horizon)
        self.leader_observation_space = Box(-np.inf, np.inf, (2,), np.float64)
        self.follower_observation_space = Box(-np.inf, np.inf, (1,), np.float64)
        self.leader_action_space = Box(-2.0, 4.0, (1,), np.float64)
        self.follower_action_space = Box(-4.0, 6.0, (1,), np.float64)
        self.leader_scaling = FeatureScaling.linear(width=(3.0, 0.5), shift=(0.0, 1.0))
        self.follower_scaling = FeatureScaling.linear(width=(0.3,), shift=(1.0,))
        self.state = self.first_state(np.random.default_rng(0), self.n_games)

    def first_state(self, random: np.random.Generator, games: int) -> Any:
        return {
            "debt": random.normal(0.0, 2.0, (games, 1)),
            "spending": random.normal(1.0, 0.4, (games, 1)),
            "skill": 1 + 0.3 * random.standard_normal((games, self.n_followers)),
        }

    def shocks(self, random: np.random.Generator, year: Any) -> Any:
        return {"spending": 0.3 * random.standard_normal((len(year), 1))}

    def observe(self, state: Any, mean: Any) -> Any:
        return (state["debt"], state["spending"]), (state["skill"],)

    def advance(self, state: Any, leader: Any, follower: Any, shocks: Any, mean: Any) -> Outcome:
        (tax,), (work,), debt, spending = leader, follower, state["debt"], state["spending"]
        later = {"skill": state["skill"], "debt": (debt + spending - tax) / BETA}
        later["spending"] = 1 + KEPT * (spending - 1) + shocks["spending"]
        earned = (state["skill"] - tax / 2) * work - work**2 / 2
        return Outcome(-(tax**2 + HARM * debt**2) / 2, earned, later)


def exact_tax() -> np.ndarray:
    """(constant, slope in debt, slope in spending) of the best rule."""
    a = np.array([[1, 0, 0], [0, 1 / BETA, 1 / BETA], [1 - KEPT, 0, KEPT]])
    b, p = np.array([0.0, -1 / BETA, 0.0]), np.zeros((3, 3))
    gain = np.zeros(3)
    for _ in range(2000):
        gain = BETA * (b @ p @ a) / (1 + BETA * b @ p @ b)
        p = np.diag([0.0, HARM, 0.0]) + BETA * a.T @ p @ (a - np.outer(b, gain))
    return -gain
