"""Policies that play the exact solution's own rules, or a multiple of them."""

from __future__ import annotations

from envs.game import Array
from envs.solution import Solution
from policies import FollowerPolicy, LeaderPolicy


class ExactLeader(LeaderPolicy):
    def __init__(self, exact: Solution, scale: float = 1.0) -> None:
        self.exact, self.scale = exact, scale

    def act(self, observation: Array) -> Array:
        return self.scale * self.exact.leader_rule(observation)


class ExactFollower(FollowerPolicy):
    def __init__(self, exact: Solution, scale: float = 1.0) -> None:
        self.exact, self.scale = exact, scale

    def act(self, observation: Array, leader_action: Array) -> Array:
        return self.scale * self.exact.follower_rule(observation, leader_action)
