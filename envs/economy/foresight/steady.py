"""States that reproduce themselves under a government: where transitions may start, and where they end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from envs.economy.fixed_point import Mixing
from envs.economy.foresight.rounds import (
    ASSET_UNIT,
    INCOME_UNIT,
    INSTRUMENTS,
    RATIO,
    SPENDING,
    TAU,
    TRANSFER,
    Closure,
    Known,
    Year,
    conditions_of,
    decided,
    live_a_year,
    mean_ability_ahead,
    observation,
)
from envs.economy.foresight.setting import Government, Setting, Start
from envs.economy.histogram import settled
from envs.economy.household_problem import Plan, Vector, hand_to_mouth, step_back
from envs.game import InvalidSetting

ROUNDS, STEPS, FIRST_STEPS = 100, 40, 300
TOLERANCE = 1e-8
DAMPING, MEMORY = 0.3, 9
DEBT = 9  # the unknown after those of a year's guess: debt over GDP
DEBT_YEARS = 20.0  # of deficits by which debt is moved in a round
# largest steps of a round: logarithms of capital over labour and of the units of taxes; instruments; debt over GDP
LARGEST = np.array([0.2, 0.2, 0.2, 0.1, 0.1, 0.02, 0.01, 0.05, 0.1, 0.5])


@dataclass(frozen=True)
class Steady:
    """A state that reproduces itself: as the start of a transition, with the instruments (6,) that keep it so."""

    start: Start
    actions: Vector


def steady_state(
    setting: Setting, government: Government, debt_to_gdp: float | None = None, pays: Closure = "tau"
) -> Steady:
    """The state that reproduces itself under a government.

    debt_to_gdp: where it is given, debt is so much, and the instrument that `pays` is not what the government says.
    Raises InvalidSetting where none is found, as where taxes do not follow debt: debt then settles nowhere.
    """
    x, plan = _first(setting)
    mixing, steps = Mixing(DAMPING, MEMORY), FIRST_STEPS
    for _ in range(ROUNDS):
        start, residual, plan = _tried(setting, government, x, plan, steps, debt_to_gdp, pays)
        if not np.isfinite(residual).all():
            break
        if np.abs(residual).max() < TOLERANCE:
            return Steady(start, x[INSTRUMENTS])
        x = x + np.clip(mixing.next(x, residual) - x, -LARGEST, LARGEST)
        steps = STEPS
    raise InvalidSetting(
        f"no stationary state found: debt is {x[DEBT]:.2g} GDP and moves by {residual[DEBT] / DEBT_YEARS:.2g} a year;"
        " must be a policy under which taxes or spending follow debt"
    )


def _first(setting: Setting) -> tuple[Vector, Plan]:
    """The preset's first year."""
    p = setting.parameters
    rate = p.capital_share / p.capital_to_gdp - p.depreciation
    ratio = (p.capital_share * p.tfp / (rate + p.depreciation)) ** (1 / (1 - p.capital_share))
    labour = p.maximal_hours * p.initial_labour_share
    gdp = float(setting.output(ratio * labour, labour))
    units = np.log([ratio, gdp * (1 - p.depreciation * p.capital_to_gdp), gdp * (p.capital_to_gdp + p.debt_to_gdp)])
    actions = [0.3, 0.18, 0.0, 0.0, p.usual_spending_share, 0.0]
    x = np.array([*units, *actions, p.debt_to_gdp])
    return x, hand_to_mouth(setting.household, conditions_of(setting, x[None, :DEBT], np.ones(1))[0])


def _tried(
    setting: Setting,
    government: Government,
    x: Vector,
    plan: Plan,
    steps: int,
    debt_to_gdp: float | None,
    pays: Closure,
) -> tuple[Start, Vector, Plan]:
    """The long run under guessed conditions, and what they would have to be less what they are."""
    p, household = setting.parameters, setting.household
    (conditions,) = conditions_of(setting, x[None, :DEBT], np.ones(1))
    for _ in range(steps):
        plan = step_back(household, conditions, plan, conditions)
    share = settled(household, plan)
    year = live_a_year(setting, conditions, plan, share)
    labour, assets = year.effective_labour, float((share * household.assets).sum())
    gdp = float(setting.output(np.exp(x[RATIO]) * labour, labour))
    debt = x[DEBT] * gdp
    start = Start(
        share=share,
        debt=debt,
        gdp=gdp,
        wage=conditions.wage,
        interest_rate=conditions.interest_rate,
        last_share=share,
        last_income=year.income,
        ability_since=mean_ability_ahead(setting, share),
    )
    seen = observation(setting, Known.at(start), share, assets - debt, debt)
    paid = year.revenue(p.consumption_tax) - conditions.transfer
    deficit = conditions.interest_rate * x[DEBT] + x[INSTRUMENTS][SPENDING] - paid / gdp
    implied = np.empty_like(x)
    implied[RATIO] = np.log(max(assets - debt, 0.02 * assets) / labour)
    implied[INCOME_UNIT], implied[ASSET_UNIT] = np.log(year.mean_income), np.log(assets)
    implied[INSTRUMENTS] = decided(setting, government, seen)
    implied[DEBT] = x[DEBT] + DEBT_YEARS * deficit
    if debt_to_gdp is not None:
        implied[INSTRUMENTS] = _paying(pays, x[INSTRUMENTS], implied[INSTRUMENTS], deficit * gdp, year, gdp)
        implied[DEBT] = debt_to_gdp
    return start, implied - x, plan


def _paying(pays: Closure, guessed: Vector, said: Vector, short: float, year: Year, gdp: float) -> Vector:
    """The instruments (6,), with the one that pays moved from its guess by what is short."""
    if pays == "spending":
        said[SPENDING] = guessed[SPENDING] - short / gdp
    elif pays == "transfer":
        said[TRANSFER] = guessed[TRANSFER] - short / year.mean_income
    else:  # what is kept of income is in proportion to 1 - tau
        said[TAU] = 1 - (1 - guessed[TAU]) * (1 - short / year.kept_of_income)
    return said
