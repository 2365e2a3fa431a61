"""A game as arithmetic, learned by structural SMFRL: firms, a tax on output, pollution that stays: docs/extend.md."""

from typing import Any

import numpy as np
from gymnasium.spaces import Box

from rllib_smfg import ArithmeticGame, FeatureScaling, Outcome, StructuralSMFRLConfig

SLOPE, BEND, COST, MIDDLE, KEPT, DECAY, HARM, FUNDS = 1.0, 1.0, 1.0, 8.0, 0.8, 0.1, 0.03, 0.1


class PollutingMarket(ArithmeticGame):
    """Price p = demand - SLOPE mean(a); pollution' = (1 - DECAY) pollution + mean(a); demand is an AR(1) process.

    Firm i sees its cost, demand and the tax t, sells a_i and earns (p - t - cost_i) a_i - BEND a_i^2 / 2. The leader
    sees pollution and demand, sets t, and wants surplus - HARM pollution^2 / 2, with t mean(a) counted FUNDS higher.
    """

    name, discount, leader_reward_scale, follower_reward_scale = "polluting_market", 0.9, 4.0, 2.0
    leader_observes, instruments = ("pollution", "demand"), ("tax",)
    follower_observes, decisions = ("cost", "demand"), ("output",)

    def __init__(self, *, games: int = 1, followers: int = 20, horizon: int = 60) -> None:
        super().__init__(games=games, followers=followers, horizon=horizon)
        self.leader_observation_space = self.follower_observation_space = Box(-np.inf, np.inf, (2,), np.float64)
        self.leader_action_space = Box(-1.0, 7.0, (1,), np.float64)
        self.follower_action_space = Box(0.0, 6.0, (1,), np.float64)
        self.leader_scaling = FeatureScaling.linear(width=(10.0, 0.5), shift=(20.0, MIDDLE))
        self.follower_scaling = FeatureScaling.linear(width=(0.3, 0.5), shift=(COST, MIDDLE))
        self.state = self.first_state(np.random.default_rng(0), self.n_games)

    def first_state(self, random: np.random.Generator, games: int) -> Any:
        """Costs (B, N) around COST; pollution and demand (B, 1)."""
        cost, demand = 0.3 * random.standard_normal((games, self.n_followers)), random.normal(MIDDLE, 0.5, (games, 1))
        pollution = random.uniform(10.0, 30.0, (games, 1))
        return {"cost": COST + cost - cost.mean(-1, keepdims=True), "pollution": pollution, "demand": demand}

    def shocks(self, random: np.random.Generator, year: Any) -> Any:
        """What moves demand, (B, 1)."""
        return {"demand": 0.3 * random.standard_normal((len(year), 1))}

    def observe(self, state: Any, mean: Any) -> Any:
        """What the leader sees, and what a firm sees."""
        return (state["pollution"], state["demand"]), (state["cost"], state["demand"])

    def advance(self, state: Any, leader: Any, follower: Any, shocks: Any, mean: Any) -> Outcome:
        """One year; firms take mean(a), and with it the price, as given: there is nothing else to say of it."""
        (tax,), (a,), pollution, demand, sold = leader, follower, state["pollution"], state["demand"], mean(follower[0])
        profit = (demand - SLOPE * sold - tax - state["cost"]) * a - BEND * a**2 / 2
        surplus = SLOPE * sold**2 / 2 + mean(profit) + (1 + FUNDS) * tax * sold - HARM * pollution**2 / 2
        later = {"cost": state["cost"], "pollution": (1 - DECAY) * pollution + sold}
        later["demand"] = MIDDLE + KEPT * (demand - MIDDLE) + shocks["demand"]
        return Outcome(surplus, profit, later, indicators={"tax": tax, "sold": sold, "pollution": pollution})


def exact_tax() -> Any:
    """(constant, slope in pollution, slope in demand) of the feedback Stackelberg equilibrium.

    Firms answer a tax with q = mean(a) = (demand - tax - COST) / (SLOPE + BEND), so the leader chooses q; with
    s = (1, pollution, demand) a year is worth q n.s - r q^2 / 2 - HARM pollution^2 / 2, and the rest is Riccati's.
    """
    beta, b, n = PollutingMarket.discount, np.array([0.0, 1.0, 0.0]), (1 + FUNDS) * np.array([-COST, 0.0, 1.0])
    a = np.array([[1.0, 0.0, 0.0], [0.0, 1 - DECAY, 0.0], [(1 - KEPT) * MIDDLE, 0.0, KEPT]])
    r, p = (1 + 2 * FUNDS) * (SLOPE + BEND), np.zeros((3, 3))
    for _ in range(1000):
        gain, curvature = n + beta * a.T @ p @ b, r - beta * b @ p @ b
        p = beta * a.T @ p @ a + np.outer(gain, gain) / curvature - np.diag([0.0, HARM, 0.0])
    return np.array([-COST, 0.0, 1.0]) - (SLOPE + BEND) * gain / curvature


if __name__ == "__main__":
    algorithm = StructuralSMFRLConfig().game("own_structural_game:PollutingMarket").build_algo()
    for _ in range(30):
        algorithm.train()
    states = np.array([[15.0, 8.0], [20.0, 7.0], [20.0, 8.0], [20.0, 9.0]])
    for state, tax in zip(states, algorithm.trained_policies().leader_policy().act(states), strict=True):
        print(f"pollution {state[0]:g}, demand {state[1]:g}: tax {tax[0]:.3f}, exact {exact_tax() @ [1, *state]:.3f}")
