"""A linear-quadratic stage game whose equilibrium has a closed form: the quickest test of a learner.

N followers with exogenous states x_i' = rho x_i + sigma eps_i, z = mean x_i, and abar = mean a_i:

    follower cost  R a_i^2 / 2 - a_i (theta x_i + beta abar + delta g)
    leader cost    (abar + kappa g - T)^2 / 2 + rl g^2 / 2

Actions do not move the state, so every discount factor has the same optimum.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from envs.arithmetic import ArithmeticGame, Arrays, Mean, Outcome
from envs.game import Array, InvalidSetting
from envs.scaling import FeatureScaling
from envs.solution import CONCEPTS, Solution, check_numbers

GAME_CONCEPTS = tuple(CONCEPTS)
LARGEST_LEADER_ACTION = 3.0
LARGEST_FOLLOWER_ACTION = 5.0  # wide enough that the linear rule is not clipped at x = z +- 3 and g off path
LARGEST_INITIAL_MEAN = 2.0


@dataclass(frozen=True)
class Parameters:
    """The coefficients above; the defaults are the reference instance."""

    R: float = 1.0
    theta: float = 1.0
    beta: float = 0.3
    delta: float = -1.0
    kappa: float = 0.25
    T: float = 0.0
    rl: float = 0.5
    rho: float = 0.95
    sigma: float = 0.3

    def __post_init__(self) -> None:
        check_numbers(self)
        lowest = max(0.0, 2 * self.beta)
        if not lowest < self.R:
            raise InvalidSetting(f"R = {self.R:g}: must be above max(0, 2 beta) = {lowest:g}, or no equilibrium exists")
        if abs(self.rho) > 1 or self.sigma < 0:
            raise InvalidSetting(f"rho = {self.rho:g}, sigma = {self.sigma:g}: need |rho| <= 1 and sigma >= 0")


class StageGame(ArithmeticGame):
    """The stage game above, repeated while x wanders; rewards are minus the costs.

    Leader: observes z, plays g in [-3, 3]. Follower: observes (x_i, z), plays a_i in [-5, 5].
    An episode starts from x_i ~ N(mu, 1) with mu ~ U(-2, 2) its own, so that z varies enough to read g*(z); it is
    short because z forgets mu.
    """

    name: ClassVar[str] = "stage_game"
    leader_observes: ClassVar[tuple[str, ...]] = ("z",)
    follower_observes: ClassVar[tuple[str, ...]] = ("x", "z")
    instruments: ClassVar[tuple[str, ...]] = ("g",)
    price_taking: ClassVar[bool] = False
    decisions: ClassVar[tuple[str, ...]] = ("a",)
    discount = 0.0

    def __init__(
        self,
        *,
        games: int = 1,
        followers: int = 100,
        horizon: int = 10,
        R: float = Parameters.R,
        theta: float = Parameters.theta,
        beta: float = Parameters.beta,
        delta: float = Parameters.delta,
        kappa: float = Parameters.kappa,
        T: float = Parameters.T,
        rl: float = Parameters.rl,
        rho: float = Parameters.rho,
        sigma: float = Parameters.sigma,
    ) -> None:
        super().__init__(games=games, followers=followers, horizon=horizon)
        self.parameters = Parameters(R, theta, beta, delta, kappa, T, rl, rho, sigma)
        self.leader_observation_space = Box(-np.inf, np.inf, (1,), np.float64)
        self.leader_action_space = Box(-LARGEST_LEADER_ACTION, LARGEST_LEADER_ACTION, (1,), np.float64)
        self.follower_observation_space = Box(-np.inf, np.inf, (2,), np.float64)
        self.follower_action_space = Box(-LARGEST_FOLLOWER_ACTION, LARGEST_FOLLOWER_ACTION, (1,), np.float64)
        self.leader_scaling = FeatureScaling.linear(width=(1.0,))
        self.follower_scaling = FeatureScaling.linear(width=(1.5, 1.0))
        self.state = {"x": np.zeros((self.n_games, self.n_followers))}

    def first_state(self, random: np.random.Generator, games: int) -> Arrays:
        """x_i ~ N(mu, 1), mu ~ U(-2, 2)."""
        mean = random.uniform(-LARGEST_INITIAL_MEAN, LARGEST_INITIAL_MEAN, (games, 1))
        return {"x": mean + random.standard_normal((games, self.n_followers))}

    def shocks(self, random: np.random.Generator, year: NDArray[np.int64]) -> Arrays:
        """eps_i."""
        return {"eps": random.standard_normal((len(year), self.n_followers))}

    def observe(self, state: Arrays, mean: Mean) -> tuple[Sequence[Any], Sequence[Any]]:
        """z; (x_i, z)."""
        z = mean(state["x"])
        return (z,), (state["x"], z)

    def advance(
        self, state: Arrays, leader: Sequence[Any], follower: Sequence[Any], shocks: Arrays, mean: Mean
    ) -> Outcome:
        """Costs of the year; x wanders by itself."""
        p, x, (a,), (g,) = self.parameters, state["x"], follower, leader
        abar = mean(a)
        indicators = {"mean_action": abar, "z": mean(x), "leader_action": g}
        following = {"x": p.rho * x + p.sigma * shocks["eps"]}
        return Outcome(-leader_cost(p, g, abar), -follower_cost(p, x, a, g, abar), following, indicators=indicators)


def follower_cost(p: Parameters, x: Array, a: Array, g: Array, abar: Array) -> Array:
    """R a^2 / 2 - a (theta x + beta abar + delta g), elementwise."""
    cost: Array = 0.5 * p.R * a**2 - a * (p.theta * x + p.beta * abar + p.delta * g)
    return cost


def leader_cost(p: Parameters, g: Array, abar: Array) -> Array:
    """(abar + kappa g - T)^2 / 2 + rl g^2 / 2, elementwise."""
    return 0.5 * (abar + p.kappa * g - p.T) ** 2 + 0.5 * p.rl * g**2


def solution(p: Parameters, followers: float, concept: str) -> Solution:
    """The closed form, exact for every N (a follower's own share 1/N of abar included).

    Values: g_star and abar at z = 1; g*(z) = g_intercept + g_slope z; abar = phi (theta z + delta g).
    Raises InvalidSetting where the leader's problem has no finite optimum.
    """
    n = 0.0 if math.isinf(followers) else 1 / followers
    # first-order condition of one follower: own_curvature a = theta x + pull abar + delta g
    own_curvature, pull = (p.R, 2 * p.beta) if concept.endswith("team") else (p.R - p.beta * n, p.beta)
    phi = 1 / (own_curvature - pull)
    m = phi * p.delta + p.kappa  # d (abar + kappa g) / dg
    if concept.startswith("partial"):
        weight, curvature = p.kappa, p.rl + p.kappa * m
        solvable, condition = curvature != 0, "rl + kappa m must not be 0"
    else:
        weight, curvature = m, p.rl + m**2
        solvable, condition = curvature > 0, "rl + m^2 must be above 0"
    if not solvable:
        raise InvalidSetting(
            f"rl = {p.rl:g} with m = phi delta + kappa = {m:g}: {condition}, or the leader has no optimum"
        )
    slope, intercept = -weight * phi * p.theta / curvature, weight * p.T / curvature
    g_star = intercept + slope

    def leader_rule(observation: Array) -> Array:
        return intercept + slope * observation

    def follower_rule(observation: Array, leader_action: Array) -> Array:
        x, z, g = observation[..., :1], observation[..., 1:], leader_action[:, None, :]
        abar = phi * (p.theta * z + p.delta * g)
        action: Array = (p.theta * x + pull * abar + p.delta * g) / own_curvature
        return action

    values = {"g_star": g_star, "g_slope": slope, "g_intercept": intercept, "phi": phi}
    values["abar"] = phi * (p.theta + p.delta * g_star)
    return Solution("stage_game", followers, concept, values, leader_rule, follower_rule)
