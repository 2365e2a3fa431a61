"""Brock and Mirman's growth model as a Stackelberg mean-field game: heterogeneous savers, a government that taxes them.

Per head Y = A K^al with K = mean k_i, full depreciation, r = al Y / K, w = (1 - al) Y. The leader taxes all income at
tau and spends G = tau Y on a public good; household i saves the share s_i of what is left:

    k_i' = s_i (1 - tau) (w + r k_i),        c_i = (1 - s_i) (1 - tau) (w + r k_i)
    follower reward  ln c_i + ph ln G,       leader reward  the mean of the followers',       discount factor be

Solved in the mean-field limit, where households take prices as given (Brock and Mirman 1972 for the savings). With N
households one of them moves prices by its share 1/N; the solution ignores that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from envs.arithmetic import ArithmeticGame, Arrays, Mean, Outcome, namespace
from envs.game import Array, InvalidSetting
from envs.scaling import FeatureScaling, ShareBox
from envs.solution import Solution, check_numbers

# The saving rates do not react to tau, so a leader that holds them fixed finds the same optimum.
GAME_CONCEPTS = ("stackelberg", "partial")
SMALLEST_RATE, LARGEST_RATE = 0.001, 0.999  # so that the logarithms stay finite
INITIAL_CAPITAL_RANGE = 3.0  # initial K is within this factor of the steady state
INITIAL_SPREAD = 1.0  # standard deviation of ln k_i at the start: k_i / K covers [0.2, 5]


@dataclass(frozen=True)
class Parameters:
    """`al`: capital's share; `be`: discount factor; `ph`: weight of the public good; `A`: productivity."""

    al: float = 0.36
    be: float = 0.9
    ph: float = 0.3
    A: float = 1.0

    def __post_init__(self) -> None:
        check_numbers(self)
        for name in ("al", "be"):
            if not 0 < getattr(self, name) < 1:
                raise InvalidSetting(f"{name} = {getattr(self, name):g}: must lie between 0 and 1, both excluded")
        for name in ("ph", "A"):
            if getattr(self, name) <= 0:
                raise InvalidSetting(f"{name} = {getattr(self, name):g}: must be above 0")

    @property
    def optimal_tax(self) -> float:
        """tau* = ph (1 - al be) / (1 + ph), for every K."""
        return self.ph * (1 - self.al * self.be) / (1 + self.ph)

    @property
    def steady_capital(self) -> float:
        """The K at which K' = al be (1 - tau*) A K^al stays put."""
        return float((self.al * self.be * (1 - self.optimal_tax) * self.A) ** (1 / (1 - self.al)))

    @property
    def steady_income(self) -> float:
        """Income after tax per household there, of which the share al be is saved."""
        return self.steady_capital / (self.al * self.be)


class BrockMirman(ArithmeticGame):
    """The game above.

    Leader: observes K, sets tau in [0.001, 0.999]. Follower: observes (k_i, K), sets s_i in [0.001, 0.999].
    An episode starts from a K within a factor 3 of the steady state and log-normal shares k_i / K. The game has no
    end: the horizon truncates it.
    """

    name: ClassVar[str] = "brock_mirman"
    leader_observes: ClassVar[tuple[str, ...]] = ("mean_capital",)
    follower_observes: ClassVar[tuple[str, ...]] = ("capital", "mean_capital")
    instruments: ClassVar[tuple[str, ...]] = ("tax_rate",)
    decisions: ClassVar[tuple[str, ...]] = ("saving_rate",)
    carried: ClassVar[str] = "capital"

    def __init__(
        self,
        *,
        games: int = 1,
        followers: int = 100,
        horizon: int = 100,
        al: float = Parameters.al,
        be: float = Parameters.be,
        ph: float = Parameters.ph,
        A: float = Parameters.A,
    ) -> None:
        super().__init__(games=games, followers=followers, horizon=horizon)
        self.parameters = Parameters(al, be, ph, A)
        self.discount = self.parameters.be
        unit = 0.05 * self.parameters.steady_capital
        centre = float(np.log1p(1 / 0.05))
        self.leader_observation_space = Box(0.0, np.inf, (1,), np.float64)
        self.leader_action_space = ShareBox(SMALLEST_RATE, LARGEST_RATE, (1,), np.float64)
        self.follower_observation_space = Box(0.0, np.inf, (2,), np.float64)
        self.follower_action_space = ShareBox(SMALLEST_RATE, LARGEST_RATE, (1,), np.float64)
        self.leader_scaling = FeatureScaling.log(unit=(unit,), shift=(centre,), width=(1.0,))
        self.follower_scaling = FeatureScaling.log(unit=(unit,) * 2, shift=(centre,) * 2, width=(1.0,) * 2)
        self.leader_outlook = Spending(self.parameters)
        self.follower_outlook = Saving(self.parameters, self.follower_scaling)
        self.state = {"capital": np.full((self.n_games, self.n_followers), self.parameters.steady_capital)}

    def first_state(self, random: np.random.Generator, games: int) -> Arrays:
        """K within a factor 3 of the steady state, log-normal shares of it."""
        reach = np.log(INITIAL_CAPITAL_RANGE)
        K = self.parameters.steady_capital * np.exp(random.uniform(-reach, reach, (games, 1)))
        shares = np.exp(INITIAL_SPREAD * random.standard_normal((games, self.n_followers)))
        return {"capital": K * shares / shares.mean(axis=1, keepdims=True)}

    def shocks(self, random: np.random.Generator, year: NDArray[np.int64]) -> Arrays:
        """Nothing is drawn."""
        return {}

    def observe(self, state: Arrays, mean: Mean) -> tuple[Sequence[Any], Sequence[Any]]:
        """K; (k_i, K)."""
        K = mean(state["capital"])
        return (K,), (state["capital"], K)

    def advance(
        self, state: Arrays, leader: Sequence[Any], follower: Sequence[Any], shocks: Arrays, mean: Mean
    ) -> Outcome:
        """Utilities of the year, and what is saved."""
        p, k, xp, (tau,), (s,) = self.parameters, state["capital"], namespace(follower[0]), leader, follower
        K = mean(k)
        Y = p.A * K**p.al
        income = (1 - tau) * ((1 - p.al) * Y + p.al * Y / K * k)
        utility = xp.log((1 - s) * income) + p.ph * xp.log(tau * Y)
        saved = s * income
        indicators = {} if xp is not np else self._indicators(K, Y, tau, s, income, k)
        return Outcome(mean(utility), utility, {"capital": saved}, indicators=indicators)

    @staticmethod
    def _indicators(K: Array, Y: Array, tau: Array, s: Array, income: Array, k: Array) -> dict[str, Array]:
        mean_income = income.mean(axis=1, keepdims=True)
        return {
            "mean_action": s.mean(axis=1, keepdims=True),
            "output": Y,
            "capital": K,
            "capital_gini": gini(k)[:, None],
            "saving_rate": (s * income).mean(axis=1, keepdims=True) / mean_income,
            "tax_rate": tau,
        }


@dataclass(frozen=True)
class Saving:
    """The household's outlook: its reward, its capital next year, and the mean income after tax, which all divide.

    Capital is told in years of that mean income: with logarithms what it is worth would have to be right to a
    thousandth of itself for the poor, whose capital hardly counts beside their wages.
    """

    parameters: Parameters
    scaling: FeatureScaling
    carried: int = 2
    needs_leader: bool = True
    seen_again: Sequence[int] = (0,)

    def __call__(
        self, xp: ModuleType, observation: Sequence[Any], action: Sequence[Any], leader_action: Sequence[Any]
    ) -> tuple[Any, Sequence[Any]]:
        """The reward; ln(1 + k_i' / mean income after tax), and ln of that mean, around the steady state."""
        p, (k, K), s, tau = self.parameters, observation, action[0], leader_action[0]
        Y = p.A * K**p.al
        left = (1 - tau) * ((1 - p.al) * Y + p.al * Y / K * k)
        mean = (1 - tau) * Y
        carried = (xp.log1p(s * left / mean) / (p.al * p.be), xp.log(mean / p.steady_income))
        return xp.log((1 - s) * left) + p.ph * xp.log(tau * Y), carried

    def found(self, xp: ModuleType, carried: Sequence[Any]) -> Sequence[Any]:
        """Its capital k_i'."""
        p = self.parameters
        mean = p.steady_income * xp.exp(carried[1])
        return (self.scaling.feature(0, xp.expm1(carried[0] * (p.al * p.be)) * mean, xp),)


@dataclass(frozen=True)
class Spending:
    """The leader's outlook: what it knows of households' utility, and the mean income it leaves them."""

    parameters: Parameters
    carried: int = 1
    needs_leader: bool = False
    seen_again: Sequence[int] = ()

    def __call__(
        self, xp: ModuleType, observation: Sequence[Any], action: Sequence[Any], leader_action: Sequence[Any]
    ) -> tuple[Any, Sequence[Any]]:
        """Utility ln((1 - tau) Y) + ph ln(tau Y), and the log of mean income after tax, around the steady state."""
        p, K, tau = self.parameters, observation[0], action[0]
        Y = p.A * K**p.al
        left = (1 - tau) * Y
        return xp.log(left) + p.ph * xp.log(tau * Y), (xp.log(left / p.steady_income),)

    def found(self, xp: ModuleType, carried: Sequence[Any]) -> Sequence[Any]:
        """Nothing: what capital becomes of it is up to households."""
        return ()


def gini(amounts: Array) -> Array:
    """Gini coefficients (B,) of non-negative amounts (B, N): sum_i (2 i - N - 1) x_(i) / (N sum x)."""
    n = amounts.shape[-1]
    ranks = 2 * np.arange(1, n + 1) - n - 1
    coefficient: Array = np.sort(amounts, axis=-1) @ ranks / (n * amounts.sum(axis=-1))
    return coefficient


def saving_rate(p: Parameters, q: Array) -> Array:
    """s = be al q / (1 - al + al q) of a household that owns q = k_i / K times the mean capital."""
    rate: Array = p.be * p.al * q / (1 - p.al + p.al * q)
    return rate


def solution(p: Parameters, followers: float, concept: str) -> Solution:
    """tau_star, aggregate_saving, saving rates at q = k_i / K of 0.2, 1 and 5, and the myopic leader's tax.

    `followers` changes nothing: households take prices as given. Shares k_i / K stay constant along the solution.
    """
    tau_star = p.optimal_tax

    def leader_rule(observation: Array) -> Array:
        return np.full_like(observation, tau_star)

    def follower_rule(observation: Array, leader_action: Array) -> Array:
        return saving_rate(p, observation[..., :1] / observation[..., 1:])

    values = {"tau_star": tau_star, "aggregate_saving": p.al * p.be, "tau_myopic": p.ph / (1 + p.ph)}
    values |= {f"s_q{q:g}": float(saving_rate(p, np.array(q))) for q in (0.2, 1.0, 5.0)}
    return Solution("brock_mirman", followers, concept, values, leader_rule, follower_rule)
