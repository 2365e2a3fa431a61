"""A dynamic linear-quadratic Stackelberg mean-field game; `linear_quadratic_solution` solves it exactly.

N followers with states x_i, z = mean x_i, abar = mean a_i, discount factor gam:

    x_i' = A x_i + D z + B a_i + C g + sigma eps_i
    follower cost  [Q (x_i - H z)^2 + R a_i^2 + 2 M a_i abar] / 2
    leader cost    [Ql z^2 + Rl g^2 + Ml abar^2] / 2

In a year all see z, and each follower its own x_i; the leader plays g; the followers see g and play; the states move.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from envs.arithmetic import ArithmeticGame, Arrays, Mean, Outcome
from envs.game import InvalidSetting
from envs.scaling import FeatureScaling
from envs.solution import check_numbers

LARGEST_ACTION = 3.0
LARGEST_INITIAL_MEAN = 2.0


@dataclass(frozen=True)
class Parameters:
    """The coefficients above; the defaults are the reference instance."""

    A: float = 0.9
    D: float = 0.0
    B: float = 1.0
    C: float = 0.5
    Q: float = 1.0
    H: float = 0.5
    R: float = 0.5
    M: float = 0.4
    Ql: float = 1.0
    Rl: float = 0.9
    Ml: float = 0.7
    gam: float = 0.9
    sigma: float = 0.2

    def __post_init__(self) -> None:
        check_numbers(self)
        if not 0 < self.gam < 1:
            raise InvalidSetting(f"gam = {self.gam:g}: must lie between 0 and 1, both excluded")
        for name in ("R", "Rl"):
            if getattr(self, name) <= 0:
                raise InvalidSetting(
                    f"{name} = {getattr(self, name):g}: must be above 0, so that actions cost something"
                )
        if self.sigma < 0:
            raise InvalidSetting(f"sigma = {self.sigma:g}: must not be negative")


class LinearQuadratic(ArithmeticGame):
    """The game above; rewards are minus the costs.

    Leader: observes z, plays g in [-3, 3]. Follower: observes (x_i, z), plays a_i in [-3, 3].
    An episode starts from x_i ~ N(mu, 1) with mu ~ U(-2, 2) its own, so that the leader's gain can be read off.
    The game has no end: the horizon truncates it.
    """

    name: ClassVar[str] = "linear_quadratic"
    leader_observes: ClassVar[tuple[str, ...]] = ("z",)
    follower_observes: ClassVar[tuple[str, ...]] = ("x", "z")
    instruments: ClassVar[tuple[str, ...]] = ("g",)
    price_taking: ClassVar[bool] = False
    decisions: ClassVar[tuple[str, ...]] = ("a",)
    carried: ClassVar[str] = "x"

    def __init__(
        self,
        *,
        games: int = 1,
        followers: int = 100,
        horizon: int = 50,
        A: float = Parameters.A,
        D: float = Parameters.D,
        B: float = Parameters.B,
        C: float = Parameters.C,
        Q: float = Parameters.Q,
        H: float = Parameters.H,
        R: float = Parameters.R,
        M: float = Parameters.M,
        Ql: float = Parameters.Ql,
        Rl: float = Parameters.Rl,
        Ml: float = Parameters.Ml,
        gam: float = Parameters.gam,
        sigma: float = Parameters.sigma,
    ) -> None:
        super().__init__(games=games, followers=followers, horizon=horizon)
        self.parameters = Parameters(A, D, B, C, Q, H, R, M, Ql, Rl, Ml, gam, sigma)
        self.discount = self.parameters.gam
        self.leader_observation_space = Box(-np.inf, np.inf, (1,), np.float64)
        self.leader_action_space = Box(-LARGEST_ACTION, LARGEST_ACTION, (1,), np.float64)
        self.follower_observation_space = Box(-np.inf, np.inf, (2,), np.float64)
        self.follower_action_space = Box(-LARGEST_ACTION, LARGEST_ACTION, (1,), np.float64)
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
        """Costs and the next state, as above."""
        p, x, (a,), (g,) = self.parameters, state["x"], follower, leader
        z, abar = mean(x), mean(a)
        follower_cost = 0.5 * (p.Q * (x - p.H * z) ** 2 + p.R * a**2 + 2 * p.M * a * abar)
        leader_cost = 0.5 * (p.Ql * z**2 + p.Rl * g**2 + p.Ml * abar**2)
        following = p.A * x + p.D * z + p.B * a + p.C * g + p.sigma * shocks["eps"]
        indicators = {"mean_action": abar, "z": z, "leader_action": g}
        return Outcome(-leader_cost, -follower_cost, {"x": following}, indicators=indicators)
