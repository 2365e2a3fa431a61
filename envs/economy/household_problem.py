"""What one household does best at given prices and taxes for ever: the endogenous grid method.

    max E sum beta^t [ u(c) - psi l^(1 + gamma) / (1 + gamma) ],   u = c^(1 - theta) / (1 - theta), ln c at theta = 1
    (1 + tau_c) c + a' = y - T(y) + a - T_a(a),   y = W e H l + r a,   a' >= 0,   0 <= l <= 1

with T and T_a scaled HSV schedules of `taxation`. Ability e follows a Markov chain of S states; assets lie on a grid
of A. The first-order conditions hold with R(y) = 1 - T'(y) and R_a(a) = 1 - T_a'(a), what is kept of a dollar more:

    psi l^gamma = u'(c) R(y) W e H / (1 + tau_c)                    hours, where l < 1
    u'(c) = beta E[ u'(c') (R_a(a') + r R(y')) ]                    saving, where a' > 0

Carroll (2006); with labour supply Barillas and Fernandez-Villaverde (2007): for a given a', the Euler equation says c,
hours and income follow, and the budget says from which assets that was chosen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from envs.economy.taxation import ScaledHSV
from envs.game import Array, InvalidSetting

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

BISECTIONS = 50
LEAST_ASSETS = 1e-6  # of mean assets


@dataclass(frozen=True)
class Household:
    """Preferences, the chain of abilities, and the asset grid, which rises from 0.

    ability (S,); transition (S, S); assets (A,). disutility psi = 0: everybody works all the time.
    """

    discount: float
    crra: float
    disutility: float
    inverse_frisch: float
    hours: float  # H
    ability: Vector
    transition: Matrix
    assets: Vector


@dataclass(frozen=True)
class Conditions:
    """What a household takes as given: W, r, the HSV schedules (tau, xi, scale) on income and on assets, and tau_c."""

    wage: float
    interest_rate: float
    tau: float = 0.0
    xi: float = 0.0
    scale: float = 1.0
    consumption_tax: float = 0.0
    asset_tau: float = 0.0
    asset_xi: float = 0.0
    asset_scale: float = 1.0

    @property
    def income_tax(self) -> ScaledHSV:
        """T."""
        return ScaledHSV(self.tau, self.xi, self.scale)

    @property
    def asset_tax(self) -> ScaledHSV:
        """T_a."""
        return ScaledHSV(self.asset_tau, self.asset_xi, self.asset_scale)

    def owned_before_tax(self, kept: Matrix) -> Matrix:
        """The inverse of `asset_tax.kept`, mirrored below 0, where nobody is."""
        share = (1 - self.asset_tau) / (1 - self.asset_xi)
        relative = np.abs(kept) / (share * self.asset_scale)
        owned: Matrix = np.sign(kept) * self.asset_scale * relative ** (1 / (1 - self.asset_xi))
        return owned

    def kept_of_assets_at_the_margin(self, assets: Matrix) -> Array:
        """R_a(a), at the least asset that counts where a = 0 (the schedule's slope has no limit there)."""
        return self.asset_tax.kept_at_the_margin(np.maximum(assets, LEAST_ASSETS * self.asset_scale))


@dataclass(frozen=True)
class Plan:
    """What is best in each state, (S, A): consumption, share of time worked, income and next year's assets."""

    consumption: Matrix
    labour: Matrix
    income: Matrix
    next_assets: Matrix


def solve(
    household: Household,
    conditions: Conditions,
    first: Plan | None = None,
    tolerance: float = 1e-8,
    rounds: int = 3000,
) -> Plan:
    """The plan, by iteration from `first` until consumption moves by less than a share `tolerance`.

    Raises InvalidSetting where that takes more than so many rounds (no plan exists where beta (1 + r) > 1).
    """
    poor = hand_to_mouth(household, conditions)
    plan = first or poor
    for _ in range(rounds):
        following = _improved(household, conditions, plan, poor)
        change = np.max(np.abs(following.consumption / plan.consumption - 1))
        plan = following
        if change < tolerance:
            return plan
    raise InvalidSetting(
        f"interest_rate = {conditions.interest_rate:.4g}: no household plan found in {rounds} rounds;"
        f" must be below 1 / discount - 1 = {1 / household.discount - 1:.4g}"
    )


def expected_marginal_utility(household: Household, conditions: Conditions, plan: Plan) -> Matrix:
    """beta E[ u'(c') (R_a(a') + r R(y')) ] after each ability today (S,) and assets tomorrow (A,), (S, A)."""
    gain = conditions.interest_rate * conditions.income_tax.kept_at_the_margin(plan.income)
    gain += conditions.kept_of_assets_at_the_margin(household.assets)
    return household.discount * household.transition @ (plan.consumption**-household.crra * gain)


def euler_errors(household: Household, conditions: Conditions, plan: Plan, points: int = 500) -> tuple[Matrix, Matrix]:
    """By what share consumption differs from what the Euler equation asks for, between grid points, (S, points) each.

    The second array says where the borrowing limit does not bind; elsewhere the equation need not hold.
    """
    grid = household.assets
    assets = np.linspace(0, 1, points) ** 2 * grid[-1] * 0.5
    consumption, following = (_on(grid, values, assets) for values in (plan.consumption, plan.next_assets))
    expected = expected_marginal_utility(household, conditions, plan)
    wanted = np.stack([np.interp(row, grid, e) for row, e in zip(following, expected, strict=True)])
    return np.abs(wanted ** (-1 / household.crra) / consumption - 1), following > 1e-8 * grid[-1]


def _improved(household: Household, conditions: Conditions, plan: Plan, poor: Plan) -> Plan:
    """One round: what is best today if `plan` is followed from tomorrow on; `poor` is what is best keeping nothing."""
    grid = household.assets
    consumption = expected_marginal_utility(household, conditions, plan) ** (-1 / household.crra)
    spent = (1 + conditions.consumption_tax) * consumption + grid
    income, labour = _income(household, conditions, consumption, spent)
    # from which assets `grid` is what is kept
    owned = conditions.owned_before_tax(spent - conditions.income_tax.kept(income))
    bound = grid[None, :] < owned[:, :1]
    following = np.where(bound, 0.0, across(grid, owned, np.broadcast_to(grid, owned.shape)))
    return Plan(
        np.where(bound, poor.consumption, across(grid, owned, consumption)),
        np.where(bound, poor.labour, across(grid, owned, labour)),
        np.where(bound, poor.income, across(grid, owned, income)),
        np.clip(following, 0.0, grid[-1]),
    )


def _labour(household: Household, conditions: Conditions, consumption: Matrix, income: Matrix) -> Matrix:
    """The share of time worked from the first-order condition, at most 1, (S, A)."""
    pay = conditions.wage * household.hours * household.ability[:, None] / (1 + conditions.consumption_tax)
    with np.errstate(divide="ignore"):
        kept = conditions.income_tax.kept_at_the_margin(income)
        worth = consumption**-household.crra * kept * pay / household.disutility
        share: Matrix = np.minimum(worth ** (1 / household.inverse_frisch), 1.0)
    return share


def _income(household: Household, conditions: Conditions, consumption: Matrix, spent: Matrix) -> tuple[Matrix, Matrix]:
    """Income and hours (S, A) at which `consumption` is chosen and (1 + tau_c) c + a' = `spent`.

    y = W e H l(y) + r a with a - T_a(a) = spent - kept(y): the difference of both sides rises in y, so bisection
    finds it.
    """
    earning = conditions.wage * household.hours * household.ability[:, None]
    low = np.full(spent.shape, 1e-9 * float(earning.min()))
    high = 2 * (earning + np.abs(conditions.interest_rate) * spent) + low
    for _ in range(BISECTIONS):
        income = np.sqrt(low * high)
        labour = _labour(household, conditions, consumption, income)
        assets = conditions.owned_before_tax(spent - conditions.income_tax.kept(income))
        short = income < earning * labour + conditions.interest_rate * assets
        low, high = np.where(short, income, low), np.where(short, high, income)
    return income, labour


def hand_to_mouth(household: Household, conditions: Conditions) -> Plan:
    """What is best, (S, A), for households who keep nothing: l from the first-order condition at c = all there is."""
    earning = conditions.wage * household.hours * household.ability[:, None]
    wealth = household.assets[None, :]
    low, high = np.full((len(household.ability), wealth.size), 1e-6), np.ones((len(household.ability), wealth.size))
    for _ in range(BISECTIONS):
        labour = (low + high) / 2
        income = _positive(earning * labour + conditions.interest_rate * wealth, earning)
        left = conditions.income_tax.kept(income) + conditions.asset_tax.kept(wealth)
        consumption = _positive(left, earning) / (1 + conditions.consumption_tax)
        short = labour < _labour(household, conditions, consumption, income)
        low, high = np.where(short, labour, low), np.where(short, high, labour)
    return Plan(consumption, labour, income, np.zeros_like(labour))


def _positive(amount: Matrix, unit: Matrix) -> Matrix:
    """Losses on assets at a negative interest rate may exceed what is earned: no income is then left."""
    return np.maximum(amount, 1e-9 * unit)


def across(grid: Vector, owned: Matrix, values: Matrix) -> Matrix:
    """Values known at assets `owned` (S, A), which rise, at the grid's assets instead; straight on beyond the last."""
    rows = []
    for x, y in zip(owned, values, strict=True):
        slope = (y[-1] - y[-2]) / (x[-1] - x[-2])
        rows.append(np.where(grid > x[-1], y[-1] + slope * (grid - x[-1]), np.interp(grid, x, y)))
    return np.stack(rows)


def _on(grid: Vector, values: Matrix, assets: Vector) -> Matrix:
    """Values (S, A) on the grid at other assets (P,), (S, P)."""
    return np.stack([np.interp(assets, grid, row) for row in values])
