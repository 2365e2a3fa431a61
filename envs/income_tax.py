"""A linear income tax with lump-sum rebate and iso-elastic labour: solved exactly for every number of households.

Household i of fixed ability e_i works h_i, earns z_i = e_i h_i and consumes c_i = (1 - t) z_i + t mean(z):

    follower reward  u_i = c_i - h_i^(1 + 1/epsilon) / (1 + 1/epsilon)
    leader reward    W = mean(om_i u_i),   mean(om) = 1, om falling in ability

Nothing moves from year to year. The optimum is the linear tax of Sheshinski (1972), t / (1 - t) = (1 - gbar) / epsilon
in the mean-field limit, corrected for the 1/N of its own tax that each household gets back.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray
from scipy.special import ndtri

from envs.arithmetic import ArithmeticGame, Arrays, Mean, Outcome
from envs.game import Array, InvalidSetting
from envs.scaling import FeatureScaling
from envs.solution import CONCEPTS, Solution, check_numbers

GAME_CONCEPTS = tuple(CONCEPTS)
LARGEST_TAX = 0.99
LOG_ABILITY_SPREAD = 0.5  # standard deviation of ln e


@dataclass(frozen=True)
class Parameters:
    """`epsilon`: elasticity of labour with respect to the net wage."""

    epsilon: float = 0.5

    def __post_init__(self) -> None:
        check_numbers(self)
        if self.epsilon <= 0:
            raise InvalidSetting(f"epsilon = {self.epsilon:g}: must be above 0")


class IncomeTax(ArithmeticGame):
    """The game above with abilities exp(0.5 Phi^-1((i - 1/2) / N)) and welfare weights in proportion to 1/e.

    Leader: observes the mean ability (a constant), sets t in [0, 0.99]. Follower: observes e_i, chooses h_i from 0 to
    1.5 times what the ablest would work untaxed.
    """

    name: ClassVar[str] = "income_tax"
    leader_observes: ClassVar[tuple[str, ...]] = ("mean_ability",)
    follower_observes: ClassVar[tuple[str, ...]] = ("ability",)
    instruments: ClassVar[tuple[str, ...]] = ("tax_rate",)
    price_taking: ClassVar[bool] = False
    decisions: ClassVar[tuple[str, ...]] = ("hours",)
    discount = 0.0

    def __init__(
        self, *, games: int = 1, followers: int = 100, horizon: int = 10, epsilon: float = Parameters.epsilon
    ) -> None:
        super().__init__(games=games, followers=followers, horizon=horizon)
        self.parameters = Parameters(epsilon)
        self.abilities, self.weights = population(self.n_followers)
        most_hours = 1.5 * self.abilities.max() ** epsilon
        self.leader_observation_space = Box(0.0, np.inf, (1,), np.float64)
        self.leader_action_space = Box(0.0, LARGEST_TAX, (1,), np.float64)
        self.follower_observation_space = Box(0.0, np.inf, (1,), np.float64)
        self.follower_action_space = Box(0.0, most_hours, (1,), np.float64)
        self.leader_scaling = FeatureScaling.linear(width=(1.0,))
        self.follower_scaling = FeatureScaling.log(unit=(0.1,), shift=(2.4,), width=(0.6,))

    def first_state(self, random: np.random.Generator, games: int) -> Arrays:
        """The same abilities and welfare weights in every game."""
        return {"ability": np.tile(self.abilities, (games, 1)), "weight": np.tile(self.weights, (games, 1))}

    def shocks(self, random: np.random.Generator, year: NDArray[np.int64]) -> Arrays:
        """Nothing is drawn."""
        return {}

    def observe(self, state: Arrays, mean: Mean) -> tuple[Sequence[Any], Sequence[Any]]:
        """The mean ability; e_i."""
        return (mean(state["ability"]),), (state["ability"],)

    def advance(
        self, state: Arrays, leader: Sequence[Any], follower: Sequence[Any], shocks: Arrays, mean: Mean
    ) -> Outcome:
        """Utilities of the year, the tax rebated."""
        (t,), (h,) = leader, follower
        income = state["ability"] * h
        mean_income = mean(income)
        utility = (1 - t) * income + t * mean_income - disutility(h, self.parameters.epsilon)
        welfare = mean(state["weight"] * utility)
        indicators = {
            "mean_action": mean(h),
            "welfare": welfare,
            "revenue": t * mean_income,
            "output": mean_income,
            "tax_rate": t,
        }
        return Outcome(welfare, utility, state, indicators=indicators)


def population(followers: int) -> tuple[Array, Array]:
    """Abilities (N,), a quantile grid of the log-normal law of median 1, and welfare weights (N,) of mean 1."""
    abilities = np.exp(LOG_ABILITY_SPREAD * ndtri((np.arange(followers) + 0.5) / followers))
    weights = 1 / abilities
    return abilities, weights / weights.mean()


def disutility(h: Array, epsilon: float) -> Array:
    """h^(1 + 1/epsilon) / (1 + 1/epsilon), elementwise."""
    cost: Array = h ** (1 + 1 / epsilon) / (1 + 1 / epsilon)
    return cost


def optimal_tax(epsilon: float, gbar: float, k: float) -> float:
    """t* = (1 - gbar) / k^2 / [(1 + epsilon) (1 - gbar) / k + gbar epsilon], the maximum of `welfare`.

    `gbar` = sum(om e^(1 + epsilon)) / sum(e^(1 + epsilon)) is the income-weighted mean welfare weight; k = 1 - 1/N is
    the share of its own tax that a household loses (1 in the mean-field limit).
    """
    return (1 - gbar) / k**2 / ((1 + epsilon) * (1 - gbar) / k + gbar * epsilon)


def welfare(t: float, net: float, epsilon: float, gbar: float, mean_power: float) -> float:
    """W under the tax t when all work (net e)^epsilon; `mean_power` = mean(e^(1 + epsilon))."""
    consumption = math.pow(net, epsilon) * ((1 - t) * gbar + t)
    return mean_power * (consumption - math.pow(net, 1 + epsilon) * gbar * epsilon / (1 + epsilon))


def solution(p: Parameters, followers: float, concept: str) -> Solution:
    """t_star, W_star, gbar, and `corner`: whether t_star is the end of its box rather than an interior optimum.

    Game: h = ((1 - k t) e)^epsilon. Team (of equal members): h = e^epsilon, whatever t, since the rebates sum to the
    tax. A leader that sees no reaction, because it holds h fixed or because a team shows none, has dW/dt =
    mean(z) (1 - gbar) > 0 and goes to the corner. Raises InvalidSetting for a single follower.
    """
    if followers == 1:
        raise InvalidSetting("followers = 1: a lone household gets its whole tax back, so any t is optimal; at least 2")
    epsilon = p.epsilon
    gbar, mean_power = _moments(epsilon, followers)
    k = 1.0 if math.isinf(followers) else 1 - 1 / followers
    reacting = 0.0 if concept.endswith("team") else k
    interior = optimal_tax(epsilon, gbar, k) if concept == "stackelberg" else math.inf
    t_star = min(interior, LARGEST_TAX)

    def leader_rule(observation: Array) -> Array:
        return np.full_like(observation, t_star)

    def follower_rule(observation: Array, leader_action: Array) -> Array:
        hours: Array = ((1 - reacting * leader_action[:, None, :]) * observation) ** epsilon
        return hours

    values = {
        "t_star": t_star,
        "W_star": welfare(t_star, 1 - reacting * t_star, epsilon, gbar, mean_power),
        "gbar": gbar,
        "corner": interior > LARGEST_TAX,
    }
    return Solution("income_tax", followers, concept, values, leader_rule, follower_rule)


def _moments(epsilon: float, followers: float) -> tuple[float, float]:
    """(gbar, mean(e^(1 + epsilon))) of the population, or of its log-normal limit."""
    if math.isinf(followers):
        variance = LOG_ABILITY_SPREAD**2
        return math.exp(-variance * (1 + epsilon)), math.exp(variance * (1 + epsilon) ** 2 / 2)
    abilities, weights = population(int(followers))
    power = abilities ** (1 + epsilon)
    return float((weights * power).sum() / power.sum()), float(power.mean())
