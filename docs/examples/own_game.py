"""A game of your own: fishers who share a stock of fish, and a government that taxes their catch.

    python docs/examples/own_game.py

Everybody ignores that today's catch is missing tomorrow, so without a tax the stock is fished down. What the government
can reach is known: catches are largest with half of the stock left. See docs/extend.md.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from envs.game import Array, Observations, StackelbergMeanFieldGame, Transition
from envs.registry import GAMES
from envs.scaling import FeatureScaling

GAMES["fishery"] = "own_game:Fishery"  # from now on `make("fishery", ...)` builds it


class Fishery(StackelbergMeanFieldGame):
    """Stock s' = s + growth s (1 - s) - mean catch; catch_i = skill effort_i s; reward (1 - tax) catch - effort^2 / 4.

    Leader: observes s, sets a tax on catches in [0, 1], and wants the mean catch. Follower: observes s, chooses its
    effort in [0, 1]. The tax's revenue is shared by all alike. An episode ends when less than 1 % of the stock is left.
    """

    name: ClassVar[str] = "fishery"
    discount = 0.95
    leader_reward_scale = follower_reward_scale = 0.1

    def __init__(
        self, *, games: int = 1, followers: int = 50, horizon: int = 50, growth: float = 0.4, skill: float = 0.5
    ) -> None:
        super().__init__(games=games, followers=followers, horizon=horizon)
        self.growth, self.skill = growth, skill
        self.leader_observation_space = self.follower_observation_space = Box(0.0, 1.0, (1,), np.float64)
        self.leader_action_space = self.follower_action_space = Box(0.0, 1.0, (1,), np.float64)
        self.leader_scaling = self.follower_scaling = FeatureScaling.linear(width=(0.5,), shift=(0.5,))
        self.stock = np.ones(self.n_games)

    def _start(self, games: NDArray[np.int64]) -> None:
        self.stock[games] = self._start_random.uniform(0.5, 1.0, games.size)

    def _observe(self) -> Observations:
        leader = self.stock[:, None].copy()
        return Observations(leader, np.repeat(leader[:, None], self.n_followers, axis=1))

    def _transition(self, leader_action: Array, follower_action: Array) -> Transition:
        tax, effort = leader_action, follower_action[..., 0]
        catch = self.skill * effort * self.stock[:, None]
        mean_catch = catch.mean(-1)
        reward = (1 - tax) * catch + tax * mean_catch[:, None] - effort**2 / 4
        self.stock = np.clip(self.stock + self.growth * self.stock * (1 - self.stock) - mean_catch, 0.0, 1.0)
        indicators = {"stock": self.stock.copy(), "mean_catch": mean_catch, "tax": tax[:, 0]}
        return Transition(mean_catch, reward, self.stock < 0.01, indicators)


def main(iterations: int = 40) -> dict[str, float]:
    """Learns both sides; the mean of each indicator over 16 episodes of what was learned."""
    from rllib_smfg.processes.ray_session import ray_session
    from rllib_smfg.rllib.config import SMFRLConfig
    from rllib_smfg.rollout import evaluate

    with ray_session(0):
        algorithm = SMFRLConfig().game(name="fishery", games=8).debugging(seed=1).build_algo()
        for _ in range(iterations):
            algorithm.train()
        policies = algorithm.trained_policies()
        algorithm.stop()
    found = evaluate(policies.make_game(games=16), policies.leader_policy(), policies.follower_policy(), 1_000_000)
    return {name: float(values.mean()) for name, values in found.items()}


if __name__ == "__main__":
    print(main())
