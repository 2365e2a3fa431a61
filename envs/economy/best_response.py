"""What one household does best along a path of prices and taxes that it knows, and what that comes to.

Along a given path every price, tax and transfer of every year is known, and what a household of weight zero does moves
none of them. Its best response is then a problem of one household: plans are found backwards by the endogenous grid
method, a year a step, and lived forwards on the abilities that were drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from envs.economy.household_problem import Conditions, Household, Matrix, Plan, Vector, hand_to_mouth, step_back

AFTERWARDS = 150  # years for which the last year's conditions are taken to last
RARE = 0.5  # of the ability of superstars: whoever has more is one


@dataclass(frozen=True)
class Tastes:
    """A household's utility in the units of its game's reward, u / unit + what it cannot change.

    u = ((c / c_0)^(1 - theta) - 1) / (1 - theta) - psi l^(1 + gamma) / (1 + gamma), ln(c / c_0) at theta = 1.
    """

    crra: float
    usual_consumption: float  # c_0, dollars
    disutility: float
    inverse_frisch: float
    unit: float = 1.0

    def enjoyed(self, consumption: Matrix) -> Matrix:
        """Utility of consumption in dollars, same shape."""
        logs = np.log(consumption / self.usual_consumption)
        enjoyed: Matrix = logs if self.crra == 1 else np.expm1((1 - self.crra) * logs) / (1 - self.crra)
        return enjoyed

    def toil(self, labour: Matrix) -> Matrix:
        """Disutility of a share of time worked, same shape."""
        toil: Matrix = self.disutility / (1 + self.inverse_frisch) * labour ** (1 + self.inverse_frisch)
        return toil

    def equivalent(self, gained: Vector, enjoyed: Vector, years: float) -> Vector:
        """By what share consumption in all years would have to rise to be worth `gained` more, (N,).

        gained: of discounted utility. enjoyed: discounted utility of the consumption that would rise. years: the
        discounted number of years.
        """
        if self.crra == 1:
            return np.expm1(gained / years)
        rest = 1 - self.crra
        powers = enjoyed + years / rest  # the discounted sum of (c / c_0)^(1 - theta) / (1 - theta)
        return (1 + gained / powers) ** (1 / rest) - 1


@dataclass(frozen=True)
class ActionLimits:
    """The smallest and the largest saving rate and share of time worked that a game allows."""

    saving_rate: tuple[float, float]
    labour: tuple[float, float]


@dataclass(frozen=True)
class Afterwards:
    """What follows the last year of a path: the plan of the next year, and what it is worth, (S, A) each.

    enjoyed, toil: discounted utility of consumption and disutility of labour. years: how many discounted years.
    """

    plan: Plan
    enjoyed: Matrix
    toil: Matrix
    years: float


@dataclass(frozen=True)
class Life:
    """What households live through along a path, (T, N) each, and the assets they are left with, (N,)."""

    consumption: Matrix
    labour: Matrix
    assets: Vector


def afterwards(household: Household, tastes: Tastes, conditions: Conditions, years: int = AFTERWARDS) -> Afterwards:
    """The plan of households for whom conditions stay as they are for so many years, after which nothing counts."""
    plan = hand_to_mouth(household, conditions)
    enjoyed, toil = tastes.enjoyed(plan.consumption), tastes.toil(plan.labour)
    for _ in range(years - 1):
        plan = step_back(household, conditions, plan, conditions)
        place = _columns(household.assets, plan.next_assets)
        enjoyed, toil = (
            now + household.discount * _expected(household, later, place)
            for now, later in ((tastes.enjoyed(plan.consumption), enjoyed), (tastes.toil(plan.labour), toil))
        )
    return Afterwards(plan, enjoyed, toil, (1 - household.discount**years) / (1 - household.discount))


def nothing_afterwards(household: Household, conditions: Conditions) -> Plan:
    """The plan of a year after which nothing counts, as the game ends."""
    return hand_to_mouth(household, conditions)


def plans_along(household: Household, path: Sequence[Conditions], last: Plan, under: Conditions | None) -> list[Plan]:
    """The best plan of each year of a path, known from its first year on.

    last: the plan of the year after the path, made `under` these conditions; or, where these are None, that of its last
    year itself.
    """
    years = list(path)
    plans = []
    plan = last
    if under is None:
        plans.append(last)
        under = years.pop()
    for conditions in reversed(years):
        plan = step_back(household, under, plan, conditions)
        plans.append(plan)
        under = conditions
    return plans[::-1]


def live(
    household: Household,
    path: Sequence[Conditions],
    plans: Sequence[Plan],
    ability: Matrix,
    assets: Vector,
    limits: ActionLimits,
) -> Life:
    """Households who follow plans (T) through a path, from these assets (N,) on and with these abilities (T, N)."""
    consumption, labour = np.empty_like(ability), np.empty_like(ability)
    for year, (conditions, plan) in enumerate(zip(path, plans, strict=True)):
        desired, hours = choose(household, plan, ability[year], assets)
        labour[year] = np.clip(hours, *limits.labour)
        cash = cash_on_hand(household, conditions, ability[year], assets, labour[year])
        saved = np.clip(1 - (1 + conditions.consumption_tax) * desired / cash, *limits.saving_rate)
        consumption[year] = (1 - saved) * cash / (1 + conditions.consumption_tax)
        assets = saved * cash
    return Life(consumption, labour, assets)


def cash_on_hand(
    household: Household, conditions: Conditions, ability: Vector, assets: Vector, labour: Vector
) -> Vector:
    """What households (N,) have to spend and to keep after taxes, in dollars."""
    earnings = conditions.wage * household.hours * ability * labour
    return np.asarray(conditions.cash(earnings, assets), dtype=np.float64)


def choose(household: Household, plan: Plan, ability: Vector, assets: Vector) -> tuple[Vector, Vector]:
    """Consumption (dollars) and share of time worked of households (N,) with any ability and assets.

    Straight in assets; in the logarithm of ability, of consumption and of hours between the states of the chain.
    """
    place = StatePlace.of(household, ability, assets)
    return np.exp(place.across(np.log(place.along(plan.consumption)))), place.across(place.along(plan.labour))


@dataclass(frozen=True)
class StatePlace:
    """Where households (N,) stand between states of ability and points of the asset grid."""

    row: NDArray[np.int64]
    above: Vector
    column: NDArray[np.int64]
    beyond: Vector

    @classmethod
    def of(cls, household: Household, ability: Vector, assets: Vector) -> StatePlace:
        """Superstars, far more able than all others, stand at the last state where the chain has one for them."""
        logs = np.log(household.ability)
        normal = normal_states(household)
        x = np.log(ability)
        row = np.clip(np.searchsorted(logs[:normal], x, side="right") - 1, 0, normal - 2)
        above = (x - logs[row]) / (logs[row + 1] - logs[row])
        if normal < len(logs):
            star = ability > RARE * household.ability[-1]
            row, above = np.where(star, normal - 1, row), np.where(star, 1.0, above)
        column, beyond = _columns(household.assets, assets)
        return cls(row, above, column, beyond)

    def along(self, values: Matrix) -> Matrix:
        """Values (S, A) at these assets in the states below and above, (2, N); straight on beyond the grid."""
        rows = np.stack([self.row, self.row + 1])
        low, high = values[rows, self.column], values[rows, self.column + 1]
        found: Matrix = low + (high - low) * self.beyond
        return found

    def across(self, values: Matrix) -> Vector:
        """Values (2, N) of the states below and above at these abilities, (N,)."""
        found: Vector = values[0] + (values[1] - values[0]) * self.above
        return found


def normal_states(household: Household) -> int:
    """How many states of the chain are not that of superstars, which stands alone beyond all others."""
    steps = np.diff(np.log(household.ability))
    return len(steps) if len(steps) > 1 and steps[-1] > 1.5 * steps[-2] else len(steps) + 1


def worth(household: Household, after: Afterwards, ability: Vector, assets: Vector) -> Matrix:
    """What follows a path is worth to households (N,): utility of consumption and disutility of labour, (2, N)."""
    place = StatePlace.of(household, ability, assets)
    return np.stack([place.across(place.along(values)) for values in (after.enjoyed, after.toil)])


def _columns(grid: Vector, assets: Matrix) -> tuple[NDArray[np.int64], Matrix]:
    """The grid point below each of these assets and how far towards the next they lie, beyond 1 after the last."""
    column = np.clip(np.searchsorted(grid, assets, side="right") - 1, 0, len(grid) - 2)
    return column, (assets - grid[column]) / (grid[column + 1] - grid[column])


def _expected(household: Household, values: Matrix, place: tuple[NDArray[np.int64], Matrix]) -> Matrix:
    """E of next year's values (S, A) at places on the grid (S, A), by ability today."""
    ahead = household.transition @ values
    column, beyond = place
    states = np.arange(len(ahead))[:, None]
    low, high = ahead[states, column], ahead[states, column + 1]
    expected: Matrix = low + (high - low) * beyond
    return expected
