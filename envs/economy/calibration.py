"""The calibrated economy in its long run: households who plan for ever under the US tax system, and what they hold.

The tax system is that of Heathcote, Storesletten and Violante (2017): progressivity xi = 0.181 for the United States,
and the level tau that pays for public spending and for the interest on debt. Prices are those of the first year.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from envs.economy.ability import mean_ability
from envs.economy.household_problem import Conditions, Household, Plan, hsv, solve_household
from envs.economy.indicators import weighted_gini
from envs.economy.markov import rouwenhorst, stationary
from envs.economy.parameters import EconomyParameters
from envs.economy.stationary import LongRun, asset_grid, long_run, quantile_share

US_PROGRESSIVITY = 0.181
STATES, POINTS = 9, 140
MOST_ASSETS = 400.0  # in years of GDP per household
ROUNDS, CLOSE = 12, 2e-4


@dataclass(frozen=True)
class Benchmark:
    """The long run under the US tax system: conditions, plan and distribution, and moments that have data.

    `level` is tau of the schedule, in units of mean income. Ratios are to GDP; shares and ginis are of households.
    """

    household: Household
    conditions: Conditions
    plan: Plan
    long_run: LongRun
    level: float
    moments: dict[str, float]


def household_of(parameters: EconomyParameters, states: int = STATES, points: int = POINTS) -> Household:
    """The preset's household: Rouwenhorst's chain for normal abilities, and superstars beside it; mean ability 1."""
    p = parameters
    logs, normal = rouwenhorst(states, p.ability_persistence, p.ability_sd)
    shares = stationary(normal)
    ability = np.exp(logs) / (shares @ np.exp(logs))
    transition = np.zeros((states + 1, states + 1))
    transition[:-1, :-1] = normal * (1 - p.superstar_entry)
    transition[:-1, -1] = p.superstar_entry
    transition[-1, :-1] = (1 - p.superstar_stay) * shares
    transition[-1, -1] = p.superstar_stay
    return Household(
        discount=p.discount,
        crra=p.crra,
        # utility of the problem is of dollars, that of the game of consumption over its unit
        disutility=p.labour_disutility * p.log_consumption_unit ** (1 - p.crra),
        inverse_frisch=p.inverse_frisch,
        hours=p.maximal_hours,
        ability=np.append(ability, p.superstar_multiple) / mean_ability(p),
        transition=transition,
        assets=asset_grid(MOST_ASSETS * gdp_per_household(p), points),
    )


def gdp_per_household(parameters: EconomyParameters) -> float:
    """US GDP per household, dollars a year."""
    return parameters.us_gdp / parameters.us_population


def first_prices(parameters: EconomyParameters) -> tuple[float, float]:
    """Wage (dollars per hour of ability 1) and interest rate of the preset's first year."""
    p = parameters
    wage = (1 - p.capital_share) * gdp_per_household(p) / (p.maximal_hours * p.initial_labour_share)
    return wage, p.capital_share / p.capital_to_gdp - p.depreciation


def benchmark(parameters: EconomyParameters, level: float = 0.3) -> Benchmark:
    """Finds, at the prices of the first year, the tax level that balances the budget, and the long run under it."""
    p, household = parameters, household_of(parameters)
    plan: Plan | None = None
    wage, rate = first_prices(p)
    mean_income = gdp_per_household(p) * (1 - p.depreciation * p.capital_to_gdp + rate * p.debt_to_gdp)
    for _ in range(ROUNDS):
        conditions = hsv(wage, rate, level, US_PROGRESSIVITY, mean_income, p.consumption_tax)
        plan = solve_household(household, conditions, plan, tolerance=1e-6)
        settled = long_run(household, plan)
        gdp = wage * p.maximal_hours * settled.labour / (1 - p.capital_share)
        income = float((settled.share * plan.income).sum())
        owed = float((settled.share * (plan.income - conditions.income_tax.kept(plan.income))).sum())
        consumed = float((settled.share * plan.consumption).sum())
        needed = (p.usual_spending_share + rate * p.debt_to_gdp) * gdp - p.consumption_tax * consumed
        gap = (needed - owed) / income
        if abs(gap) < CLOSE and abs(income / mean_income - 1) < CLOSE:
            break
        level, mean_income = level + (1 - US_PROGRESSIVITY) * gap, income
    assert plan is not None
    return Benchmark(household, conditions, plan, settled, level, _moments(household, plan, settled, gdp))


def _moments(household: Household, plan: Plan, settled: LongRun, gdp: float) -> dict[str, float]:
    share = settled.share
    owned = np.broadcast_to(household.assets, share.shape)
    return {
        "gdp": gdp,
        "wealth_to_gdp": settled.assets / gdp,
        "wealth_gini": weighted_gini(owned.ravel(), share.ravel()),
        "income_gini": weighted_gini(plan.income.ravel(), share.ravel()),
        "top_10_wealth_share": quantile_share(owned, share, 0.1),
        "top_1_wealth_share": quantile_share(owned, share, 0.01),
        "bottom_50_wealth_share": 1 - quantile_share(owned, share, 0.5),
        "working_share": settled.working_share,
        "labour": settled.labour,
    }
