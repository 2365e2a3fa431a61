"""Savings and skill, both carried, as arithmetic: a game whose solution is four constants.

A household owns x, which earns, and a skill y, which earns as well; it saves a and learns e, at quadratic costs, and
learning takes from savings:

    x' = X_KEPT x + a - COST e + luck,   y' = Y_KEPT y + e + luck,   reward  X_PAYS x + Y_PAYS y - HARM mean y
                                                                             - a^2 / 2 - e^2 / 2 - t (e - mean e)

With l_x = BETA X_PAYS / (1 - BETA X_KEPT), the worth of a unit of x, and l_y likewise, a household does a = l_x and
e = l_y - COST l_x - t. Skills crowd one another out by HARM, and the tax that makes up for it is l_y HARM / Y_PAYS.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.spaces import Box

from rllib_smfg import ArithmeticGame, FeatureScaling, Outcome

BETA, X_KEPT, Y_KEPT, X_PAYS, Y_PAYS, COST, HARM, LUCK = 0.95, 0.9, 0.95, 0.1, 0.1, 0.3, 0.04, 0.3
WORTH_X, WORTH_Y = BETA * X_PAYS / (1 - BETA * X_KEPT), BETA * Y_PAYS / (1 - BETA * Y_KEPT)
EXACT_TAX = WORTH_Y * HARM / Y_PAYS
EXACT_SAVED = WORTH_X
EXACT_LEARNED = WORTH_Y - COST * WORTH_X - EXACT_TAX


class TwoStocks(ArithmeticGame):
    name, discount = "two_stocks", BETA
    leader_reward_scale = follower_reward_scale = 1.0
    leader_observes, instruments = ("mean_skill",), ("tax",)
    follower_observes, decisions = ("savings", "skill"), ("learned", "saved")
    carried, saved_by = ("savings", "skill"), ("saved", "learned")

    def __init__(self, *, games: int = 1, followers: int = 20, horizon: int = 60) -> None:
        super().__init__(games=games, followers=followers, horizon=horizon)
        self.leader_observation_space = Box(-np.inf, np.inf, (1,), np.float64)
        self.follower_observation_space = Box(-np.inf, np.inf, (2,), np.float64)
        self.leader_action_space = Box(-1.0, 2.0, (1,), np.float64)
        self.follower_action_space = Box(-3.0, 3.0, (2,), np.float64)
        self.leader_scaling = FeatureScaling.linear(width=(5.0,), shift=(8.0,))
        self.follower_scaling = FeatureScaling.linear(width=(4.0, 5.0), shift=(5.0, 8.0))
        self.state = self.first_state(np.random.default_rng(0), self.n_games)

    def first_state(self, random: np.random.Generator, games: int) -> Any:
        shape = (games, self.n_followers)
        return {
            "savings": random.uniform(2.0, 8.0, (games, 1)) + random.standard_normal(shape),
            "skill": random.uniform(4.0, 12.0, (games, 1)) + random.standard_normal(shape),
        }

    def shocks(self, random: np.random.Generator, year: Any) -> Any:
        shape = (len(year), self.n_followers)
        return {name: LUCK * random.standard_normal(shape) for name in ("savings", "skill")}

    def observe(self, state: Any, mean: Any) -> Any:
        return (mean(state["skill"]),), (state["savings"], state["skill"])

    def advance(self, state: Any, leader: Any, follower: Any, shocks: Any, mean: Any) -> Outcome:
        (tax,), (learned, saved), x, y = leader, follower, state["savings"], state["skill"]
        earned = X_PAYS * x + Y_PAYS * y - HARM * mean(y)
        reward = earned - saved**2 / 2 - learned**2 / 2 - tax * (learned - mean(learned))
        later = {
            "savings": X_KEPT * x + saved - COST * learned + shocks["savings"],
            "skill": Y_KEPT * y + learned + shocks["skill"],
        }
        return Outcome(mean(reward), reward, later)
