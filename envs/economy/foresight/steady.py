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
    Closure,
    Known,
    ShareUnits,
    conditions_in,
    decided,
    live_a_year,
    mean_ability_ahead,
    observation,
    paying,
    scales,
    transfer_place,
)
from envs.economy.foresight.search import largest_steps
from envs.economy.foresight.setting import Government, Start, TransitionSetting
from envs.economy.histogram import settled
from envs.economy.household_problem import Plan, Vector, hand_to_mouth, step_back
from envs.economy.instruments import INSTRUMENTS as FIVE
from envs.economy.instruments import at_rest
from envs.game import InvalidSetting

ROUNDS, STEPS, FIRST_STEPS = 100, 40, 300
TOLERANCE = 1e-8
DAMPING, MEMORY = 0.3, 9
STEADY_PRICES, MOST_DEBT = 0.2, 0.5  # largest steps of a round: logarithms of prices and units; debt over GDP
DEBT = -1  # the unknown after those of a year's guess: debt over GDP
DEBT_YEARS = 20.0  # of deficits by which debt is moved in a round


@dataclass(frozen=True)
class Steady:
    """A state that reproduces itself: as the start of a transition, with the instruments (al,) that keep it so."""

    start: Start
    actions: Vector


def steady_state(
    setting: TransitionSetting, government: Government, debt_to_gdp: float | None = None, pays: Closure = "tau"
) -> Steady:
    """The state that reproduces itself under a government.

    debt_to_gdp: where it is given, debt is so much, and the instrument that `pays` is not what the government says.
    Raises InvalidSetting where none is found, as where taxes do not follow debt: debt then settles nowhere.
    """
    x, plan = _first(setting, government)
    scale, largest = scales(setting.parameters), np.append(largest_steps(setting.parameters, STEADY_PRICES), MOST_DEBT)
    mixing, steps = Mixing(DAMPING, MEMORY), FIRST_STEPS
    for _ in range(ROUNDS):
        start, residual, plan = _tried(setting, government, x, plan, steps, debt_to_gdp, pays)
        if not np.isfinite(residual).all():
            break
        if np.abs(residual).max() < TOLERANCE:
            return Steady(start, x[INSTRUMENTS][:-1] * scale)
        x = x + np.clip(mixing.next(x, residual) - x, -largest, largest)
        steps = STEPS
    raise InvalidSetting(
        f"no stationary state found: debt is {x[DEBT]:.2g} GDP and moves by {residual[DEBT] / DEBT_YEARS:.2g} a year;"
        " must be a policy under which taxes or spending follow debt"
    )


def _first(setting: TransitionSetting, government: Government) -> tuple[Vector, Plan]:
    """The preset's first year."""
    p = setting.parameters
    rate = p.capital_share / p.capital_to_gdp - p.depreciation
    ratio = (p.capital_share * p.tfp / (rate + p.depreciation)) ** (1 / (1 - p.capital_share))
    labour = p.maximal_hours * p.initial_labour_share
    gdp = float(setting.output(ratio * labour, labour))
    units = np.log([ratio, gdp * (1 - p.depreciation * p.capital_to_gdp), gdp * (p.capital_to_gdp + p.debt_to_gdp)])
    actions = [0.3, 0.18, 0.0, 0.0, p.usual_spending_share, *(at_rest(p) / scales(p)[len(FIVE) :])]
    x = np.array([*units, *actions, p.debt_to_gdp])
    return x, hand_to_mouth(setting.household, conditions_in(setting, government, x[:DEBT], 1.0, 0))


def _tried(
    setting: TransitionSetting,
    government: Government,
    x: Vector,
    plan: Plan,
    steps: int,
    debt_to_gdp: float | None,
    pays: Closure,
) -> tuple[Start, Vector, Plan]:
    """The long run under guessed conditions, and what they would have to be less what they are."""
    p, household = setting.parameters, setting.household
    conditions = conditions_in(setting, government, x[:DEBT], 1.0, 0)
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
    deficit = conditions.interest_rate * x[DEBT] + x[INSTRUMENTS][SPENDING] + (year.transfers - year.revenue) / gdp
    implied = np.empty_like(x)
    implied[RATIO] = np.log(max(assets - debt, 0.02 * assets) / labour)
    implied[INCOME_UNIT], implied[ASSET_UNIT] = np.log(year.mean_income), np.log(assets)
    said, scale = decided(setting, government, seen), scales(p)
    implied[DEBT] = x[DEBT] + DEBT_YEARS * deficit
    if debt_to_gdp is not None:
        units = ShareUnits(gdp, year.mean_income, transfer_place(setting))
        said = paying(pays, x[INSTRUMENTS][:DEBT] * scale, said, deficit * gdp, year, units)
        implied[DEBT] = debt_to_gdp
    implied[INSTRUMENTS][:DEBT] = said / scale
    return start, implied - x, plan
