"""Aiyagari's (1994) economy as a mean-field game: households save against what they may earn, and so set the rate.

The preset `calibrated` without taxes, superstars and choice of working time, at Aiyagari's parameters; the preset's own
`advance` moves the years. Household i knows its ability e_i and assets a_i, and last year's wage W and interest rate r,
and chooses which share x_i of its cash on hand to consume:

    c_i = x_i (W e_i + (1 + r) a_i),    a_i' = W e_i + (1 + r) a_i - c_i,    K' = sum a_i'
    reward ((c_i / c_0)^(1 - mu) - 1) / (1 - mu),    log e' = rho log e + sigma (1 - rho^2)^(1/2) eps + constant

The government has nothing to decide: its action changes nothing. Solved by `envs.economy.aiyagari`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from envs.arithmetic import ArithmeticGame, Arrays, Mean, Outcome
from envs.economy import aiyagari, households
from envs.economy.ability import AbilityDraws, next_stationary_ability
from envs.economy.aiyagari import Parameters
from envs.economy.arrays import total_by
from envs.economy.indicators import gini
from envs.economy.observation import seen
from envs.economy.outcome import outcome
from envs.economy.outlook import isoelastic
from envs.economy.parameters import EconomyParameters, Task
from envs.economy.presets import CALIBRATED
from envs.economy.rewards import mean_utility
from envs.economy.shocks import first_tfp, next_tfp, productivity_luck, productivity_spread
from envs.economy.state import Choices, EconomyState, Shock
from envs.economy.taxation import FiscalPolicy, NoTax
from envs.economy.transition import advance
from envs.game import Array, Transition
from envs.scaling import FeatureScaling, ShareBox
from envs.solution import Solution, check_numbers

# No leader acts, so all ways to differentiate it come to the same.
GAME_CONCEPTS = ("stackelberg", "partial")
LEAST_SHARE, LARGEST_SHARE = 0.03, 0.999  # of cash on hand, that is consumed
INITIAL_CAPITAL_RANGE = (0.8, 1.6)  # of the capital at which r = 1 / beta - 1, where nobody fears anything
MEAN_UTILITY = Task(mean_utility, scale=0.1)
INITIAL_SPREAD = 0.7  # standard deviation of log assets at the start


class Aiyagari(ArithmeticGame):
    """The game above.

    Leader: observes (W, r), acts in [0, 1] to no effect; its reward is the mean household's. Follower: observes
    (e_i, a_i, W, r), acts with x_i. Where productivity moves (`productivity_sd` above 0) both observe it last, as in
    the economy; then the exact solution is not this game's. The game has no end: the horizon truncates it.
    """

    name: ClassVar[str] = "aiyagari"
    instruments: ClassVar[tuple[str, ...]] = ("nothing",)
    decisions: ClassVar[tuple[str, ...]] = ("consumption_share",)
    governed: ClassVar[bool] = False
    carried: ClassVar[str] = "assets"

    # beside what `first_state` names it holds what indicators need
    state: EconomyState  # type: ignore[assignment]

    def __init__(
        self,
        *,
        games: int = 1,
        followers: int = 1000,
        horizon: int = 200,
        mu: float = Parameters.mu,
        rho: float = Parameters.rho,
        sigma: float = Parameters.sigma,
        alpha: float = Parameters.alpha,
        delta: float = Parameters.delta,
        beta: float = Parameters.beta,
        productivity_persistence: float = EconomyParameters.productivity_persistence,
        productivity_sd: float = EconomyParameters.productivity_sd,
    ) -> None:
        super().__init__(games=games, followers=followers, horizon=horizon)
        self.parameters = Parameters(mu, rho, sigma, alpha, delta, beta)
        check_numbers(self.parameters)
        self.economy = replace(
            economy_of(self.parameters),
            productivity_persistence=productivity_persistence,
            productivity_sd=productivity_sd,
        )
        aggregates = ("wage", "interest_rate", *self.economy.everybody_sees)
        self.leader_observes = aggregates  # type: ignore[misc]
        self.follower_observes = ("ability", "assets", *aggregates)  # type: ignore[misc]
        self.discount = beta
        self.leader_reward_scale = self.follower_reward_scale = 0.1
        self.leader_observation_space = Box(-1.0, np.inf, (len(self.leader_observes),), np.float64)
        self.leader_action_space = Box(0.0, 1.0, (1,), np.float64)
        self.follower_observation_space = Box(-1.0, np.inf, (len(self.follower_observes),), np.float64)
        self.follower_action_space = ShareBox(LEAST_SHARE, LARGEST_SHARE, (1,), np.float64)
        capital = self.golden_capital
        wage, more = self.parameters.wage(1 / beta - 1), len(aggregates) - 2
        # where productivity moves, it does so around 1
        centres, widths = (wage, 0.04) + (1.0,) * more, (0.1 * wage, 0.02) + (productivity_spread(self.economy),) * more
        self.leader_scaling = FeatureScaling.linear(widths, centres)
        self.follower_scaling = FeatureScaling(
            (True, True) + (False,) * len(aggregates),
            (0.1, 0.3 * capital) + (1.0,) * len(aggregates),
            (2.4, 1.4, *centres),
            (0.35, 0.7, *widths),
        )
        self.follower_outlook = CashOnHand(
            self.parameters, self.economy.log_consumption_unit, self.follower_reward_scale, self.follower_scaling
        )
        self.state = self._first_state(self._start_random, self.n_games)

    @property
    def golden_capital(self) -> float:
        """Capital per household where r = 1 / beta - 1: what they would hold if they could insure everything."""
        return self.parameters.capital_per_labour(1 / self.parameters.beta - 1)

    # --- the year as arithmetic: what a learner differentiates -------------------------------------------------
    def first_state(self, random: np.random.Generator, games: int) -> dict[str, Any]:
        """Capital around that of r = 1 / beta - 1, abilities and assets drawn; no sorted copies."""
        return self._first_state(random, games).arrays()

    def shocks(self, random: np.random.Generator, year: NDArray[np.int64]) -> dict[str, Any]:
        """The luck of abilities: `normal`, and `uniform`, which nobody needs where there are no superstars, (B, N).

        Where productivity moves, its luck, too: standard normal, (B, 1).
        """
        draws = AbilityDraws.sample(random, year.size, self.n_followers)
        luck = productivity_luck(self.economy, random, year.size)
        return dict(vars(draws)) if luck is None else {**vars(draws), "productivity_luck": luck}

    def observe(self, state: Arrays, mean: Mean) -> tuple[Sequence[Any], Sequence[Any]]:
        """(W, r); (e_i, a_i, W, r); productivity last, where it moves."""
        record, sum_over = EconomyState.of(state), total_by(mean)
        leader = [seen(self.economy, record, name, sum_over) for name in self.leader_observes]
        return leader, [record.ability, record.assets, *leader]

    def advance(
        self, state: Arrays, leader: Sequence[Any], follower: Sequence[Any], shocks: Arrays, mean: Mean
    ) -> Outcome:
        """One year, as in `step` but for the indicators."""
        record, sum_over, (share,) = EconomyState.of(state), total_by(mean), follower
        nobody = record.debt * 0
        policy, choices = FiscalPolicy(NoTax(), NoTax(), nobody), Choices(1 - share, share * 0 + 1)
        draws = AbilityDraws(shocks["normal"], shocks["uniform"])
        drawn = next_stationary_ability(self.economy, record.ability, record.superstar, draws, sum_over)
        shock = Shock(record.ability, record.superstar, nobody + 1, nobody + 1)
        year = outcome(self.economy, MEAN_UTILITY, record, policy, choices, shock, drawn, sum_over)
        tfp = next_tfp(self.economy, year.state["tfp"], shocks.get("productivity_luck"))
        return replace(year, state={**year.state, "tfp": tfp})

    # --- stepping it in numpy ------------------------------------------------------------------------------------
    def _start(self, games: NDArray[np.int64]) -> None:
        fresh = self._first_state(self._start_random, len(games))
        self.state = fresh if len(games) == self.n_games else self.state.with_games(games, fresh)

    def _first_state(self, random: np.random.Generator, games: int) -> EconomyState:
        shape, p = (games, self.n_followers), self.parameters
        ability = np.exp(p.sigma * random.standard_normal(shape) - p.sigma**2 / 2)
        low, high = np.log(INITIAL_CAPITAL_RANGE)
        capital = self.golden_capital * np.exp(random.uniform(low, high, (games, 1)))
        assets = np.exp(INITIAL_SPREAD * random.standard_normal(shape))
        assets *= capital / assets.mean(axis=1, keepdims=True)
        rate = p.alpha * capital ** (p.alpha - 1) - p.delta
        wage = (1 - p.alpha) * capital**p.alpha
        income = wage * ability + rate * assets
        return EconomyState(
            ability=ability,
            superstar=np.zeros(shape, dtype=bool),
            assets=assets,
            income=income,
            ascending_assets=np.sort(assets),
            ascending_income=np.sort(income),
            capital=self.n_followers * capital,
            debt=np.zeros((games, 1)),
            gdp=self.n_followers * capital**p.alpha,
            wage=wage,
            interest_rate=rate,
            tfp=first_tfp(self.economy, np.ones((games, 1)), productivity_luck(self.economy, random, games)),
            maximal_hours=np.ones((games, 1)),
        )

    def _transition(self, leader_action: Array, follower_action: Array) -> Transition:
        state, p = self.state, self.economy
        share, nothing = follower_action[..., 0], np.ones((self.n_games, 1))
        shock = Shock(state.ability, state.superstar, nothing, nothing)
        policy = FiscalPolicy(NoTax(), NoTax(), np.zeros((self.n_games, 1)))
        flows, following = advance(p, state, policy, Choices(1 - share, np.ones_like(share)), shock)
        draws = AbilityDraws.sample(self._shock_random, self.n_games, self.n_followers)
        ability, superstar = next_stationary_ability(p, state.ability, state.superstar, draws)
        tfp = next_tfp(p, following.tfp, productivity_luck(p, self._shock_random, self.n_games))
        self.state = replace(following, ability=ability, superstar=superstar, tfp=tfp)
        indicators = {
            "mean_action": follower_action[..., 0].mean(axis=1),
            "interest_rate": flows.interest_rate[:, 0],
            "capital": flows.capital[:, 0] / self.n_followers,
            "consumption": flows.consumption.mean(axis=1),
            "at_the_limit": (share >= LARGEST_SHARE).mean(axis=1),
            "wealth_gini": gini(flows.next_assets)[:, 0],
        }
        return Transition(flows.reward.mean(axis=1), flows.reward, flows.terminated, indicators)


@dataclass(frozen=True)
class CashOnHand:
    """The household's outlook: utility of what it consumes and the assets it keeps, at last year's prices."""

    parameters: Parameters
    usual_consumption: float
    reward_scale: float
    scaling: FeatureScaling
    needs_leader: bool = False
    seen_again: Sequence[int] = (1,)

    @property
    def carried(self) -> int:
        """What is observed."""
        return len(self.scaling.unit)

    def __call__(
        self, xp: ModuleType, observation: Sequence[Any], action: Sequence[Any], leader_action: Sequence[Any]
    ) -> tuple[Any, Sequence[Any]]:
        """Utility, and what is observed with the assets that are kept, as the household's features have them."""
        p, s = self.parameters, self.scaling
        ability, assets, wage, rate, *more = observation
        cash, share = wage * ability + (1 + rate) * assets, action[0]
        consumption, kept = share * cash, (1 - share) * cash
        utility = isoelastic(xp, xp.log(consumption / self.usual_consumption), p.mu)
        carried = [s.feature(k, x, xp) for k, x in enumerate((ability, kept, wage, rate, *more))]
        return utility / self.reward_scale, carried

    def found(self, xp: ModuleType, carried: Sequence[Any]) -> Sequence[Any]:
        """Its assets."""
        return (carried[1],)


def economy_of(parameters: Parameters) -> EconomyParameters:
    """The preset `calibrated` without government, superstars and choice of working time, at Aiyagari's parameters."""
    p = parameters
    rate = 1 / p.beta - 1
    return replace(
        CALIBRATED,
        laws=replace(CALIBRATED.laws, utility=households.isoelastic_utility),
        capital_share=p.alpha,
        depreciation=p.delta,
        interest_rate=rate,
        tfp=1.0,
        crra=p.mu,
        log_consumption_unit=p.wage(rate) + rate * p.capital_per_labour(rate),
        utility_unit=1.0,
        maximal_hours=1.0,
        discount=p.beta,
        consumption_tax=0.0,
        ability_persistence=p.rho,
        ability_sd=float(p.sigma * np.sqrt(1 - p.rho**2)),
        superstar_entry=0.0,
        debt_limit=np.inf,
        least_capital=0.0,
    )


def solution(p: Parameters, followers: float, concept: str) -> Solution:
    """The interest rate, wage, saving rate, capital, and the share of households at the borrowing limit.

    `followers` changes nothing: households take prices as given. The rule is that of the long run, whatever the prices.
    """
    found = aiyagari.usual_equilibrium(p)

    def leader_rule(observation: Array) -> Array:
        return np.full_like(observation[..., :1], 0.5)

    def follower_rule(observation: Array, leader_action: Array) -> Array:
        ability, assets = observation[..., 0], observation[..., 1]
        cash = found.wage * ability + (1 + found.interest_rate) * assets
        return np.minimum(found.consumption(cash, ability) / cash, LARGEST_SHARE)[..., None]

    values = {name: getattr(found, name) for name in ("interest_rate", "wage", "saving_rate", "capital")}
    values["at_the_limit"] = float(found.long_run.share[found.plan.next_assets <= 0].sum())
    return Solution("aiyagari", followers, concept, values | asdict(p), leader_rule, follower_rule)
