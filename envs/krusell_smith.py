"""Krusell and Smith's (1998) economy as a mean-field game: households save against unemployment, through the cycle.

Household i knows its assets a_i, whether it is employed (e_i), the capital per household K, and whether there is a
boom; all prices follow from K and that. It chooses which share x_i of its cash on hand to consume:

    m_i = (1 + r) a_i + w (1 - tax) h e_i + w b (1 - e_i),    c_i = x_i m_i,    a_i' = m_i - c_i >= 0
    reward ln (c_i / c_0),    K' = mean a_i'

The laws of booms, recessions and employment are in `envs.economy.krusell_smith`. Labour is that of the phase: of the
households themselves wherever their number times the unemployment rates is whole (50, 100, 1,000). The government has
nothing to decide: its action changes nothing. Solved, up to households who forecast K' by a log-linear rule, by
`envs.economy.krusell_smith_solution`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, ClassVar

import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from envs.arithmetic import ArithmeticGame, Arrays, Mean, Outcome, namespace
from envs.economy import krusell_smith_solution
from envs.economy.indicators import gini
from envs.economy.krusell_smith import BOOM, RECESSION, Parameters
from envs.game import Array
from envs.scaling import FeatureScaling, ShareBox
from envs.solution import Solution

# No leader acts, so all ways to differentiate it come to the same.
GAME_CONCEPTS = ("stackelberg", "partial")
LEAST_SHARE, LARGEST_SHARE = 0.01, 0.999  # of cash on hand, that is consumed
INITIAL_CAPITAL_RANGE = 0.1  # initial K is within this share of the golden rule's
INITIAL_SPREAD = 0.6  # standard deviation of log assets at the start


class KrusellSmith(ArithmeticGame):
    """The game above.

    Leader: observes (K, boom), acts in [0, 1] to no effect; its reward is the mean household's. Follower: observes
    (a_i, e_i, K, boom), acts with x_i. The game has no end: the horizon, in quarters, truncates it.
    """

    name: ClassVar[str] = "krusell_smith"
    leader_observes: ClassVar[tuple[str, ...]] = ("mean_capital", "boom")
    follower_observes: ClassVar[tuple[str, ...]] = ("assets", "employed", "mean_capital", "boom")
    instruments: ClassVar[tuple[str, ...]] = ("nothing",)
    decisions: ClassVar[tuple[str, ...]] = ("consumption_share",)
    governed: ClassVar[bool] = False
    carried: ClassVar[str] = "assets"

    def __init__(
        self,
        *,
        games: int = 1,
        followers: int = 1000,
        horizon: int = 400,
        beta: float = Parameters.beta,
        alpha: float = Parameters.alpha,
        delta: float = Parameters.delta,
        swing: float = Parameters.swing,
        phase: float = Parameters.phase,
        boom_unemployment: float = Parameters.boom_unemployment,
        recession_unemployment: float = Parameters.recession_unemployment,
        boom_search: float = Parameters.boom_search,
        recession_search: float = Parameters.recession_search,
        benefit: float = Parameters.benefit,
    ) -> None:
        super().__init__(games=games, followers=followers, horizon=horizon)
        unemployment = (boom_unemployment, recession_unemployment)
        search = (boom_search, recession_search)
        self.parameters = Parameters(beta, alpha, delta, swing, phase, *unemployment, *search, benefit)
        self.discount = beta
        self.leader_reward_scale = self.follower_reward_scale = 0.1
        self.leader_observation_space = Box(0.0, np.inf, (2,), np.float64)
        self.leader_action_space = Box(0.0, 1.0, (1,), np.float64)
        self.follower_observation_space = Box(0.0, np.inf, (4,), np.float64)
        self.follower_action_space = ShareBox(LEAST_SHARE, LARGEST_SHARE, (1,), np.float64)
        capital = self.parameters.golden_capital
        # ln(1 + a / unit) of the usual assets is around 1.4; booms and employment are 0 or 1
        aggregates = ((capital, 0.5), (0.05 * capital, 0.5))
        self.leader_scaling = FeatureScaling.linear(aggregates[1], aggregates[0])
        self.follower_scaling = FeatureScaling(
            (True, False, False, False),
            (0.3 * capital, 1.0, 1.0, 1.0),
            (1.4, 0.5, *aggregates[0]),
            (0.5, 0.5, *aggregates[1]),
        )
        self.state = self.first_state(np.random.default_rng(0), self.n_games)

    @property
    def usual_consumption(self) -> float:
        """c_0: what there is to consume at the golden rule, were z and labour always at their means."""
        p = self.parameters
        capital, labour = p.golden_capital, float(p.labour.mean())
        return float(capital**p.alpha * labour ** (1 - p.alpha) - p.delta * capital)

    def first_state(self, random: np.random.Generator, games: int) -> Arrays:
        """K within a tenth of the golden rule's, log-normal assets, either phase, and its unemployed."""
        p, shape = self.parameters, (games, self.n_followers)
        capital = p.golden_capital * (1 + random.uniform(-INITIAL_CAPITAL_RANGE, INITIAL_CAPITAL_RANGE, (games, 1)))
        assets = np.exp(INITIAL_SPREAD * random.standard_normal(shape))
        boom = (random.random((games, 1)) < 0.5).astype(np.float64)
        unemployed = self._drawn(
            np.broadcast_to(self._of_phase(p.unemployment, boom), shape), random.random((games, 1))
        )
        return {
            "assets": capital * assets / assets.mean(axis=1, keepdims=True),
            "employed": 1 - unemployed,
            "boom": boom,
        }

    def shocks(self, random: np.random.Generator, year: NDArray[np.int64]) -> Arrays:
        """Luck of the next phase, and of who is unemployed then: uniform, (B, 1) each."""
        return {"phase": random.random((year.size, 1)), "lot": random.random((year.size, 1))}

    def observe(self, state: Arrays, mean: Mean) -> tuple[Sequence[Any], Sequence[Any]]:
        """(K, boom); (a_i, e_i, K, boom)."""
        aggregates = (mean(state["assets"]), state["boom"])
        return aggregates, (state["assets"], state["employed"], *aggregates)

    def advance(
        self, state: Arrays, leader: Sequence[Any], follower: Sequence[Any], shocks: Arrays, mean: Mean
    ) -> Outcome:
        """Utilities of the quarter, what is saved, and the next quarter's phase and employment."""
        p, assets, employed, boom, (share,) = (
            self.parameters,
            state["assets"],
            state["employed"],
            state["boom"],
            follower,
        )
        xp = namespace(share)
        K, labour = mean(assets), self._of_phase(p.labour, boom)
        gross, wage = p.prices(K, self._of_phase(p.tfp, boom), labour)
        cash = gross * assets + p.earned(employed, wage, labour)
        utility = xp.log(share * cash / self.usual_consumption)
        saved = (1 - share) * cash
        following = {"assets": saved, **self._luck(state, shocks)}
        indicators = {} if xp is not np else self._indicators(state, share, cash, saved, gross)
        return Outcome(mean(utility), utility, following, indicators=indicators)

    def _luck(self, state: Arrays, shocks: Arrays) -> dict[str, Any]:
        """The next quarter's boom (B, 1) and employed (B, N), 0 or 1 each."""
        p, boom, employed = self.parameters, state["boom"], state["employed"]
        stays = shocks["phase"] < p.phases[0, 0]
        then = boom * stays + (1 - boom) * ~stays
        by_phases = p.becomes_unemployed
        chance = 0 * employed
        for now in (RECESSION, BOOM):
            for later in (RECESSION, BOOM):
                if_unemployed, if_employed = by_phases[now, later].tolist()
                of_these = self._is(now, boom) * self._is(later, then)
                chance = chance + of_these * (if_unemployed + (if_employed - if_unemployed) * employed)
        return {"boom": then, "employed": 1 - self._drawn(chance, shocks["lot"])}

    @staticmethod
    def _is(phase: int, boom: Any) -> Any:
        return boom if phase == BOOM else 1 - boom

    @staticmethod
    def _of_phase(values: Array, boom: Any) -> Any:
        """Numbers (2,) by phase as those of each game, (B, 1)."""
        if_recession, if_boom = values.tolist()
        return if_recession + (if_boom - if_recession) * boom

    @staticmethod
    def _drawn(chance: Any, lot: Any) -> Any:
        """Who of the households with these chances (B, N) is drawn, 0 or 1, by one number (B, 1) from [0, 1).

        Systematic sampling: each is drawn with its own chance, and as many as the chances add up to, so that an economy
        of few households has the unemployment of many.
        """
        xp = namespace(chance)
        upto = xp.floor(xp.cumsum(chance, -1) + lot)
        before = xp.concatenate([0 * upto[..., :1], upto[..., :-1]], -1)
        return upto - before

    @staticmethod
    def _indicators(state: Arrays, share: Array, cash: Array, saved: Array, gross: Array) -> dict[str, Array]:
        means = {
            "mean_action": share,
            "capital": state["assets"],
            "consumption": share * cash,
            "unemployment": 1 - state["employed"],
            "at_the_limit": share >= LARGEST_SHARE,
        }
        found = {name: np.mean(x, axis=1, keepdims=True) for name, x in means.items()}
        return {**found, "interest_rate": gross - 1, "boom": state["boom"], "wealth_gini": gini(saved)}


def solution(p: Parameters, followers: float, concept: str) -> Solution:
    """Mean capital, and the log-linear rule by which capital moves in booms and recessions, with the R2 of either.

    `followers` changes nothing: households take prices as given.
    """
    found = krusell_smith_solution.usual_forecast_equilibrium(p)

    def leader_rule(observation: Array) -> Array:
        return np.full_like(observation[..., :1], 0.5)

    def follower_rule(observation: Array, leader_action: Array) -> Array:
        shares = np.empty((*observation.shape[:-1], 1))
        for game, seen in enumerate(observation.astype(np.float64)):
            shares[game, :, 0] = found.consumed_share(seen)
        return np.clip(shares, LEAST_SHARE, LARGEST_SHARE)

    forecast, values = found.forecast, {"capital": found.mean_capital}
    for phase, word in ((RECESSION, "recession"), (BOOM, "boom")):
        values[f"intercept_{word}"] = float(forecast.intercept[phase])
        values[f"slope_{word}"] = float(forecast.slope[phase])
        values[f"r_squared_{word}"] = float(forecast.r_squared[phase])
    return Solution("krusell_smith", followers, concept, values | asdict(p), leader_rule, follower_rule)
