"""Households who plan for whatever schedule stands there: plans are solved as they are needed, and kept."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from envs.economy import instruments
from envs.economy.actions import policy_in_units
from envs.economy.best_response import cash_on_hand, choose
from envs.economy.calibration import gdp_per_household, household_of
from envs.economy.game import Economy
from envs.economy.household_problem import Conditions, Plan, hand_to_mouth, step_back
from envs.economy.levied import levied
from envs.economy.stationary import long_run
from envs.economy.taxation import FiscalPolicy
from envs.game import Array, InvalidSetting, StackelbergMeanFieldGame
from policies.planning_household import FOLLOWER_SEES
from policies.policy import FollowerPolicy, LeaderPolicy
from policies.tax_rule import TaxRule

STATES, POINTS, TOLERANCE, ROUNDS = 7, 90, 1e-4, 400
USUAL_RATE, LASTING = 0.042, 0.5  # half of what r differs from its usual value is taken to last
RATES = (0.010, 0.075)  # what is taken to last, at least and at most
RATE_STEP = 0.01
# between plans that are solved, for instruments that move; what is spent matters to no household's plan
STEPS = {
    "income_tax_rate": 0.04,
    "income_tax_progressivity": 0.04,
    "wealth_tax_rate": 0.005,
    "wealth_tax_progressivity": 0.0025,
    "transfer": 0.04,
    "consumption_tax_rate": 0.05,
    "wealth_tax_exemption": 2e7,
    "labour_income_tax_rate": 0.05,
    "capital_income_tax_rate": 0.1,
}
LABOUR_ROUNDS = 3  # in which the usual mean income is found
Node = tuple[int, tuple[float, ...]]
Vector = NDArray[np.float64]


@dataclass(frozen=True)
class SolvedPlan:
    """A plan, and the conditions it was solved for."""

    conditions: Conditions
    plan: Plan


class SolvedPlanner(FollowerPolicy):
    """As `PlanningHousehold`, for every instrument and schedule a government may use: nothing was fitted beforehand.

    The plan is best if this year's interest rate (half of what it is above or below its usual value lasts), the wage
    that goes with it, and all instruments in force last. Plans are solved by the endogenous grid method at interest
    rates `RATE_STEP` apart and, for instruments that move, at values `STEPS` apart, with the schedules in force;
    choices in between are mixed. Schedules are in units of the mean income that households would have in the long run
    at the usual rate under the first year's instruments.
    Raises InvalidSetting for a game other than the economy `calibrated`, and, when it is met, for a government whose
    schedule depends on what it saw.
    """

    def __init__(self, game: StackelbergMeanFieldGame) -> None:
        if not isinstance(game, Economy) or game.parameters.laws.follower_sees != FOLLOWER_SEES:
            raise InvalidSetting("households 'planning' know the economy 'calibrated': game.preset must be so")
        self._parameters, self._box = game.parameters, game.follower_action_space
        self._household = household_of(game.parameters, STATES, POINTS)
        self._names = instruments.names(game.parameters)
        self._leader: LeaderPolicy | None = None
        self._start_anew()

    def meet(self, leader: LeaderPolicy) -> None:
        """Takes note of a government that taxes by a schedule of its own."""
        if isinstance(leader, TaxRule) and leader.remembers:
            raise InvalidSetting(
                f"{leader.title}: its schedule depends on earlier years; households who plan cannot take it to last:"
                " must be other households (learned, {name: planning, taxes: [...]})"
            )
        if leader is not self._leader:
            self._leader = leader
            self._start_anew()

    def act(self, observation: Array, leader_action: Array) -> Array:
        """Actions (B, N, 2)."""
        leader_action = np.asarray(leader_action, dtype=np.float64)
        self._see(leader_action)
        wage, rate = (observation[:, 0, k].astype(np.float64) for k in (2, 3))
        lasting = np.clip(USUAL_RATE + LASTING * (rate - USUAL_RATE), *RATES)
        chosen = np.zeros((*observation.shape[:2], 2))
        mixed: dict[Node, Vector] = {}
        for k in range(len(observation)):
            for node, share in self._around(float(lasting[k]), leader_action[k]).items():
                mixed.setdefault(node, np.zeros(len(observation)))[k] = share
        for node, weight in mixed.items():
            games = weight > 0
            found = self._choices(self._solved(node), observation[games], wage[games])
            chosen[games] += weight[games, None, None] * found
        clipped: Array = np.clip(chosen, self._box.low, self._box.high)
        return clipped

    def _start_anew(self) -> None:
        self._plans: dict[Node, SolvedPlan] = {}
        self._first: Vector | None = None
        self._moves = np.zeros(len(self._names), dtype=bool)
        self._labour: float | None = None
        self._last: Plan | None = None

    def _see(self, leader_action: Array) -> None:
        """Which instruments move: those that were ever other than in the first year."""
        if self._first is None:
            self._first = leader_action[0].copy()
        matters = np.array([name in STEPS for name in self._names])
        self._moves |= matters & (leader_action != self._first).any(axis=0)

    def _around(self, rate: float, action: Vector) -> dict[Node, float]:
        """The plans to mix for an interest rate and instruments, with weights that sum to 1."""
        assert self._first is not None
        sides = [_sides(rate, RATE_STEP)]
        for name, moves, value, first in zip(self._names, self._moves, action, self._first, strict=True):
            sides.append(_sides(float(value), STEPS[name]) if moves else [(float(first), 1.0)])
        found = {}
        for corner in product(*sides):
            weight = float(np.prod([part for _, part in corner]))
            if weight > 0:
                found[(round(corner[0][0] / RATE_STEP), tuple(value for value, _ in corner[1:]))] = weight
        return found

    def _solved(self, node: Node) -> SolvedPlan:
        if node not in self._plans:
            conditions = self._conditions(node[0] * RATE_STEP, np.array(node[1]))
            self._last = self._plan(conditions, self._last)
            self._plans[node] = SolvedPlan(conditions, self._last)
        return self._plans[node]

    def _plan(self, conditions: Conditions, near: Plan | None) -> Plan:
        """The plan for conditions that last, or for `ROUNDS` years of them where saving would be worth while always."""
        plan = near or hand_to_mouth(self._household, conditions)
        for _ in range(ROUNDS):
            following = step_back(self._household, conditions, plan, conditions)
            change = float(np.max(np.abs(following.consumption / plan.consumption - 1)))
            plan = following
            if change < TOLERANCE:
                break
        return plan

    def _conditions(self, rate: float, action: Vector) -> Conditions:
        """Prices that go with an interest rate, and schedules in units of the mean income and assets there."""
        p = self._parameters
        if self._labour is None:
            self._labour = p.initial_labour_share * p.maximal_hours
            for _ in range(LABOUR_ROUNDS):
                self._last = self._plan(self._at(USUAL_RATE, action, self._labour), self._last)
                settled = long_run(self._household, self._last)
                self._labour = settled.labour * p.maximal_hours
        return self._at(rate, action, self._labour)

    def _at(self, rate: float, action: Vector, labour: float) -> Conditions:
        p = self._parameters
        per_labour = (p.tfp * p.capital_share / (rate + p.depreciation)) ** (1 / (1 - p.capital_share))
        wage = (1 - p.capital_share) * p.tfp * per_labour**p.capital_share
        gdp, capital = wage * labour / (1 - p.capital_share), p.capital_share / (rate + p.depreciation)
        income = gdp * (1 - p.depreciation * capital + rate * p.debt_to_gdp)
        units = np.array([[income]]), np.array([[gdp * (capital + p.debt_to_gdp)]])
        policy: FiscalPolicy = policy_in_units(p, action[None, :], *units, self._household.assets)
        if isinstance(self._leader, TaxRule):
            policy = self._leader.levied(policy, np.zeros(1, dtype=np.int64))
        return levied(policy, p.consumption_tax, 0, wage, rate)

    def _choices(self, solved: SolvedPlan, observation: Array, wage: Vector) -> Array:
        """Saving rate and share of time worked, (b, N, 2); assets count in what hours they buy."""
        conditions = solved.conditions
        ability, assets = (observation[..., k].astype(np.float64) for k in (0, 1))
        assets = assets * (conditions.wage / wage)[:, None]
        consumption, labour = choose(self._household, solved.plan, ability.ravel(), assets.ravel())
        labour = np.clip(labour, 0.0, 1.0)
        cash = cash_on_hand(self._household, conditions, ability.ravel(), assets.ravel(), labour)
        least = 1e-6 * gdp_per_household(self._parameters)
        saved = 1 - (1 + conditions.consumption_tax) * consumption / np.maximum(cash, least)
        return np.stack([saved, labour], axis=-1).reshape(*observation.shape[:2], 2)


def _sides(value: float, step: float) -> list[tuple[float, float]]:
    """The multiples of a step around a value, and how near it is to each."""
    below = np.floor(value / step + 1e-9)
    above = value / step - below
    return [(float(below * step), float(1 - above)), (float((below + 1) * step), float(max(above, 0.0)))]
