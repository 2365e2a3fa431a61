"""The optimal progressivity of the HSV tax without saving: the project's own tax function, solved exactly.

Household i of fixed ability e_i works h_i, earns y_i = e_i h_i and keeps c_i = lam y_i^(1 - xi). The leader picks the
progressivity xi; lam balances the budget, lam = (1 - gs) mean(y) / mean(y^(1 - xi)), with the share gs of output spent:

    follower reward  ln c_i - h_i^(1 + s) / (1 + s),        leader reward  the mean of the followers'

The no-saving, utilitarian case of Heathcote, Storesletten and Violante (2017). Households take lam as given; with N of
them one moves it by its share of about 1/N, which the solution ignores.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtri

from envs.arithmetic import ArithmeticGame, Arrays, Mean, Outcome, namespace
from envs.game import Array, InvalidSetting
from envs.scaling import FeatureScaling
from envs.solution import Solution, check_numbers

GAME_CONCEPTS = ("stackelberg",)
LARGEST_PROGRESSIVITY = 0.95
FEWEST_HOURS, MOST_HOURS = 0.01, 1.5  # h = (1 - xi)^(1/(1 + s)) is at most 1; logarithms stay finite


@dataclass(frozen=True)
class Parameters:
    """`v`: variance of log ability; `s`: inverse elasticity of labour; `gs`: public spending as a share of output."""

    v: float = 0.3
    s: float = 2.0
    gs: float = 0.2

    def __post_init__(self) -> None:
        check_numbers(self)
        for name in ("v", "s"):
            if getattr(self, name) <= 0:
                raise InvalidSetting(f"{name} = {getattr(self, name):g}: must be above 0")
        if not 0 <= self.gs < 1:
            raise InvalidSetting(f"gs = {self.gs:g}: must lie between 0 and 1, 1 excluded")


class StaticHSV(ArithmeticGame):
    """The game above, with the quantile grid ln e_i = -v/2 + sqrt(v) Phi^-1((i - 1/2) / N) for abilities.

    The grid makes finite N well defined: nothing is drawn, and the optimum is that of these N abilities.
    Leader: observes the mean ability (a constant), sets xi in [0, 0.95]. Follower: observes e_i, works h_i in
    [0.01, 1.5].
    """

    name: ClassVar[str] = "static_hsv"
    leader_observes: ClassVar[tuple[str, ...]] = ("mean_ability",)
    follower_observes: ClassVar[tuple[str, ...]] = ("ability",)
    instruments: ClassVar[tuple[str, ...]] = ("progressivity",)
    decisions: ClassVar[tuple[str, ...]] = ("hours",)
    discount = 0.0

    def __init__(
        self,
        *,
        games: int = 1,
        followers: int = 100,
        horizon: int = 10,
        v: float = Parameters.v,
        s: float = Parameters.s,
        gs: float = Parameters.gs,
    ) -> None:
        super().__init__(games=games, followers=followers, horizon=horizon)
        self.parameters = Parameters(v, s, gs)
        self.abilities = np.exp(log_abilities(v, self.n_followers))
        self.leader_observation_space = Box(0.0, np.inf, (1,), np.float64)
        self.leader_action_space = Box(0.0, LARGEST_PROGRESSIVITY, (1,), np.float64)
        self.follower_observation_space = Box(0.0, np.inf, (1,), np.float64)
        self.follower_action_space = Box(FEWEST_HOURS, MOST_HOURS, (1,), np.float64)
        self.leader_scaling = FeatureScaling.linear(width=(1.0,))
        self.follower_scaling = FeatureScaling.log(unit=(0.1,), shift=(2.4,), width=(0.6,))

    def first_state(self, random: np.random.Generator, games: int) -> Arrays:
        """The same abilities in every game."""
        return {"ability": np.tile(self.abilities, (games, 1))}

    def shocks(self, random: np.random.Generator, year: NDArray[np.int64]) -> Arrays:
        """Nothing is drawn."""
        return {}

    def observe(self, state: Arrays, mean: Mean) -> tuple[Sequence[Any], Sequence[Any]]:
        """The mean ability; e_i."""
        return (mean(state["ability"]),), (state["ability"],)

    def advance(
        self, state: Arrays, leader: Sequence[Any], follower: Sequence[Any], shocks: Arrays, mean: Mean
    ) -> Outcome:
        """Utilities of the year, with lam from the government's budget."""
        p, xp, (xi,), (h,) = self.parameters, namespace(follower[0]), leader, follower
        x, y = 1 - xi, state["ability"] * h
        output = mean(y)
        lam = (1 - p.gs) * output / mean(y**x)
        utility = xp.log(lam * y**x) - h ** (1 + p.s) / (1 + p.s)
        welfare = mean(utility)
        indicators = {"mean_action": mean(h), "welfare": welfare, "output": output, "lam": lam, "progressivity": xi}
        return Outcome(welfare, utility, state, indicators=indicators)


def log_abilities(v: float, followers: int) -> Array:
    """ln e (N,): a quantile grid of N(-v/2, v)."""
    return -v / 2 + math.sqrt(v) * ndtri((np.arange(followers) + 0.5) / followers)


def welfare(p: Parameters, x: float, log_e: Array) -> float:
    """Mean utility of abilities with logarithms `log_e` (N,) under 1 - xi = x, when all work x^(1/(1 + s)).

    ln(1 - gs) + ln(mean e / mean e^x) + ln x / (1 + s) + x mean ln e - x / (1 + s)
    """
    spread = math.log(np.exp(log_e).mean() / np.exp(x * log_e).mean())
    return math.log(1 - p.gs) + spread + math.log(x) / (1 + p.s) + x * float(log_e.mean()) - x / (1 + p.s)


def solution(p: Parameters, followers: float, concept: str) -> Solution:
    """xi_star, the hours everybody works there, and W_star; `corner`: whether xi_star is the end of its box."""
    smallest = 1 - LARGEST_PROGRESSIVITY
    if math.isinf(followers):
        x = 2 / (1 + math.sqrt(1 + 4 * (1 + p.s) * p.v))  # solves (1 + s) v x^2 + x - 1 = 0
        corner, x = x < smallest, max(x, smallest)
        W_star = math.log(1 - p.gs) - p.v * x**2 / 2 + (math.log(x) - x) / (1 + p.s)
    else:
        log_e = log_abilities(p.v, int(followers))
        corner = _slope(smallest, p, log_e) < 0
        x = smallest if corner else min(1.0, brentq(_slope, smallest, 2.0, args=(p, log_e), xtol=1e-14))
        W_star = welfare(p, x, log_e)

    def leader_rule(observation: Array) -> Array:
        return np.full_like(observation, 1 - x)

    def follower_rule(observation: Array, leader_action: Array) -> Array:
        hours = (1 - leader_action[:, None, :]) ** (1 / (1 + p.s))
        return np.broadcast_to(hours, observation.shape).copy()

    values = {"xi_star": 1 - x, "hours": x ** (1 / (1 + p.s)), "W_star": W_star, "corner": corner}
    return Solution("static_hsv", followers, concept, values, leader_rule, follower_rule)


def _slope(x: float, p: Parameters, log_e: Array) -> float:
    """The derivative of `welfare` in x; it falls in x, and is 0 somewhere up to x = 1."""
    power = np.exp(x * log_e)
    return float((1 / x - 1) / (1 + p.s) + log_e.mean() - (power * log_e).sum() / power.sum())
