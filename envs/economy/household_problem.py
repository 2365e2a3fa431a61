"""What one household does best at given prices and taxes for ever: the endogenous grid method.

    max E sum beta^t [ u(c) - psi l^(1 + gamma) / (1 + gamma) ],   u = c^(1 - theta) / (1 - theta), ln c at theta = 1
    (1 + tau_c) c + a' = y - T(y) + a - T_a(a) + Z,   y = W e H l + r a,   a' >= 0,   0 <= l <= 1

with T and T_a any schedules with a marginal rate (`Kept`), and Z a transfer to everybody; W and r net of flat taxes on
earnings and interest, if there are any. Ability e follows a Markov chain of S states; assets lie on a grid of A. The
first-order conditions hold with R(y) = 1 - T'(y) and R_a(a) = 1 - T_a'(a), what is kept of a dollar more:

    psi l^gamma = u'(c) R(y) W e H / (1 + tau_c)                    hours, where l < 1
    u'(c) = beta E[ u'(c') (R_a(a') + r R(y')) ]                    saving, where a' > 0

Carroll (2006); with labour supply Barillas and Fernandez-Villaverde (2007): for a given a', the Euler equation says c,
hours and income follow, and the budget says from which assets that was chosen. Where marginal rates jump, households
bunch: what is kept at the margin then lies between what either side of the jump keeps, and their hours say where.
Where marginal rates fall, or earnings are taxed by a schedule of their own, hours are searched for (`hours_search`).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from envs.economy import hours_search
from envs.economy.conditions import BISECTIONS
from envs.economy.conditions import NO_TAX as NO_TAX
from envs.economy.conditions import Conditions as Conditions
from envs.economy.conditions import Household as Household
from envs.economy.conditions import Kept as Kept
from envs.economy.conditions import Matrix as Matrix
from envs.economy.conditions import Plan as Plan
from envs.economy.conditions import Vector as Vector
from envs.economy.conditions import hsv as hsv
from envs.economy.conditions import keeping as keeping
from envs.economy.taxation import ScaledHSV
from envs.game import InvalidSetting

CLOSE = 1e-11  # a step in a logarithm after which Newton's method has found it


def solve_household(
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
        f"interest_rate = {conditions.net_interest_rate:.4g}: no household plan found in {rounds} rounds;"
        f" must be below 1 / discount - 1 = {1 / household.discount - 1:.4g}"
    )


def expected_marginal_utility(household: Household, conditions: Conditions, plan: Plan) -> Matrix:
    """beta E[ u'(c') (R_a(a') + r R(y')) ] after each ability today (S,) and assets tomorrow (A,), (S, A)."""
    gain = conditions.net_interest_rate * conditions.kept_of_income_at_the_margin(household, plan)
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


def step_back(household: Household, following: Conditions, plan: Plan, conditions: Conditions) -> Plan:
    """What is best in a year under `conditions` if from the next year on, `following`, `plan` is followed.

    One round of the endogenous grid method: with it a plan along any path of prices is found backwards.
    """
    consumption = expected_marginal_utility(household, following, plan) ** (-1 / household.crra)
    return _from_consumption(household, conditions, consumption, plan.income, None)


def _improved(household: Household, conditions: Conditions, plan: Plan, poor: Plan) -> Plan:
    """One round: what is best today if `plan` is followed from tomorrow on; `poor` is what is best keeping nothing."""
    consumption = expected_marginal_utility(household, conditions, plan) ** (-1 / household.crra)
    return _from_consumption(household, conditions, consumption, plan.income, poor)


def _from_consumption(
    household: Household, conditions: Conditions, consumption: Matrix, guess: Matrix, poor: Plan | None
) -> Plan:
    """The plan in which `consumption` (S, A) is chosen by those who keep the grid's assets.

    guess: incomes to start from. poor: the plan of who keeps nothing, or None to solve for it where it is needed.
    """
    if not conditions.convex:
        return hours_search.saving(household, conditions, consumption)
    grid = household.assets
    spent = (1 + conditions.consumption_tax) * consumption + grid
    income, labour = _income(household, conditions, consumption, spent, guess)
    # from which assets `grid` is what is kept
    owned = conditions.owned_before_tax(spent - conditions.transfer - conditions.income_tax.kept(income))
    bound = grid[None, :] < owned[:, :1]
    following = np.where(bound, 0.0, across(grid, owned, np.broadcast_to(grid, owned.shape)))
    plan = Plan(
        across(grid, owned, consumption),
        across(grid, owned, labour),
        across(grid, owned, income),
        np.clip(following, 0.0, grid[-1]),
    )
    poorest = int(bound.any(axis=0).sum())  # the limit binds the poorest of each ability
    poor = poor or hand_to_mouth(replace(household, assets=grid[:poorest]), conditions)
    for found, limited in (
        (plan.consumption, poor.consumption),
        (plan.labour, poor.labour),
        (plan.income, poor.income),
    ):
        found[:, :poorest] = np.where(bound[:, :poorest], limited[:, :poorest], found[:, :poorest])
    return plan


def _labour(household: Household, conditions: Conditions, consumption: Matrix, income: Matrix) -> Matrix:
    """The share of time worked from the first-order condition, at most 1, (S, A)."""
    pay = conditions.net_wage * household.hours * household.ability[:, None] / (1 + conditions.consumption_tax)
    with np.errstate(divide="ignore"):
        kept = conditions.income_tax.kept_at_the_margin(income)
        worth = consumption**-household.crra * kept * pay / household.disutility
        share: Matrix = np.minimum(worth ** (1 / household.inverse_frisch), 1.0)
    return share


def _income(
    household: Household, conditions: Conditions, consumption: Matrix, spent: Matrix, guess: Matrix
) -> tuple[Matrix, Matrix]:
    """Income and hours (S, A) at which `consumption` is chosen and (1 + tau_c) c + a' = `spent`.

    y = W e H l(y) + r a with a - T_a(a) = spent - Z - kept(y): the difference of both sides rises in y, so bisection
    finds it; without kinks Newton's method in ln y finds it sooner, from `guess`.
    """
    earning = conditions.net_wage * household.hours * household.ability[:, None]
    low = np.full(spent.shape, 1e-9 * float(earning.min()))
    high = 2 * (earning + np.abs(conditions.net_interest_rate) * (spent + np.abs(conditions.transfer))) + low
    if conditions.smooth:
        income = _newton(household, conditions, consumption, spent, (low, high), guess)
        return income, _labour(household, conditions, consumption, income)
    for _ in range(BISECTIONS):
        income = np.sqrt(low * high)
        labour = _labour(household, conditions, consumption, income)
        assets = conditions.owned_before_tax(spent - conditions.transfer - conditions.income_tax.kept(income))
        short = income < earning * labour + conditions.net_interest_rate * assets
        low, high = np.where(short, income, low), np.where(short, high, income)
    # at a kink hours are not what either side's marginal rate says, but what earns up to the kink
    return income, np.clip((income - conditions.net_interest_rate * assets) / earning, 0.0, 1.0)


def _newton(
    household: Household,
    conditions: Conditions,
    consumption: Matrix,
    spent: Matrix,
    bracket: tuple[Matrix, Matrix],
    guess: Matrix,
) -> Matrix:
    """The income of `_income` under scaled HSV schedules: the zero of y - W e H l(y) - r a(y) in x = ln y."""
    tax, on_assets = conditions.income_tax, conditions.asset_tax
    assert isinstance(tax, ScaledHSV)
    assert isinstance(on_assets, ScaledHSV)
    earning = conditions.net_wage * household.hours * household.ability[:, None]
    rate, slope = conditions.net_interest_rate, float(tax.xi) / household.inverse_frisch
    least, most = (float(np.log(edge)) for edge in (bracket[0].min(), bracket[1].max()))
    low, high = np.full(spent.shape, least), np.full(spent.shape, most)
    x = np.clip(np.log(np.maximum(guess, bracket[0])), low, high)
    with np.errstate(divide="ignore"):
        pay = earning / (1 + conditions.consumption_tax)
        worth = consumption**-household.crra * (1 - tax.tau) * pay / household.disutility
        full = np.log(worth) / household.inverse_frisch + slope * np.log(tax.scale)
    for _ in range(BISECTIONS):
        income = np.exp(x)
        labour = np.exp(np.minimum(full - slope * x, 0.0))
        kept = tax.kept(income)
        left = spent - conditions.transfer - kept
        assets = conditions.owned_before_tax(left)
        value = income - earning * labour - rate * assets
        # d kept / dx = (1 - xi) kept; d a / d left = a / (left (1 - xi_a))
        falls = assets / (left * (1 - on_assets.xi)) * (1 - tax.xi) * kept
        rises = income + slope * earning * np.where(labour < 1, labour, 0.0) + rate * falls
        following, low, high = _safe_step(x, value, rises, low, high)
        step = np.max(np.abs(following - x))
        x = following
        if step < CLOSE:
            break
    found: Matrix = np.exp(x)
    return found


def _safe_step(x: Matrix, value: Matrix, slope: Matrix, low: Matrix, high: Matrix) -> tuple[Matrix, Matrix, Matrix]:
    """Newton's step to the zero of a rising function, or half the bracket where it would leave it; the new bracket.

    The bracket's edges are as uncertain as the last digits of `value`.
    """
    low, high = np.where(value < 0, x, low), np.where(value < 0, high, x)
    following = x - value / slope
    inside = (following > low - CLOSE) & (following < high + CLOSE)
    return np.where(inside, following, (low + high) / 2), low, high


def hand_to_mouth(household: Household, conditions: Conditions) -> Plan:
    """What is best, (S, A), for households who keep nothing: l from the first-order condition at c = all there is.

    ln l less its logarithm from that condition rises in ln l; the slope that Newton's method needs is that without
    kinks, and bisection does without.
    """
    if not conditions.convex:
        return hours_search.keeping_nothing(household, conditions)
    earning = conditions.net_wage * household.hours * household.ability[:, None]
    wealth, gamma, tax = household.assets[None, :], household.inverse_frisch, conditions.income_tax
    shape = len(household.ability), wealth.size
    low, high = np.full(shape, np.log(1e-6)), np.zeros(shape)
    x = (low + high) / 4
    for _ in range(BISECTIONS):
        labour = np.exp(x)
        income = _positive(earning * labour + conditions.net_interest_rate * wealth, earning)
        left = conditions.income_tax.kept(income) + conditions.asset_tax.kept(wealth) + conditions.transfer
        consumption = _positive(left, earning) / (1 + conditions.consumption_tax)
        wanted = _labour(household, conditions, consumption, income)
        value = x - np.log(np.maximum(wanted, 1e-12))
        if isinstance(tax, ScaledHSV) and conditions.smooth:
            margin = tax.kept_at_the_margin(income) / (1 + conditions.consumption_tax)
            felt = household.crra * margin / consumption + tax.xi / income
            slope = 1 + np.where(wanted < 1, earning * labour / gamma * felt, 0.0)
            following, low, high = _safe_step(x, value, slope, low, high)
        else:
            low, high = np.where(value < 0, x, low), np.where(value < 0, high, x)
            following = (low + high) / 2
        step = float(np.max(np.abs(following - x), initial=0.0))
        x = following
        if step < CLOSE:
            break
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
