"""A year of an economy as a learner needs it: rewards, the next state and the end, without what is only measured."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from envs.arithmetic import Outcome
from envs.economy.arrays import Total, at_least, detached, fill, lowest, namespace, positive, somewhere
from envs.economy.indicators import gini
from envs.economy.parameters import Abilities, EconomyParameters, Task
from envs.economy.state import Choices, EconomyState, Flows, Shock
from envs.economy.taxation import FiscalPolicy
from envs.economy.year import EconomyYear, ends, failed_utility, next_state, play_year

# where coming near a limit begins to cost: at this share of the largest debt, at this multiple of the least capital
STRAINED_DEBT, STRAINED_CAPITAL = 0.625, 20.0
# what it costs at the limit, in typical rewards of a year
STRAIN = 10.0

FLOWS = tuple(field.name for field in fields(Flows))


def outcome(
    parameters: EconomyParameters,
    task: Task,
    state: EconomyState,
    policy: FiscalPolicy,
    choices: Choices,
    shock: Shock,
    drawn: Abilities,
    total: Total,
) -> Outcome:
    """Plays one year, after which households have the abilities that were drawn."""
    with np.errstate(all="ignore"):
        year = play_year(parameters, state, policy, choices, shock, total)
        return _outcome(parameters, task, state, policy, choices, shock, drawn, total, year)


def _outcome(
    parameters: EconomyParameters,
    task: Task,
    state: EconomyState,
    policy: FiscalPolicy,
    choices: Choices,
    shock: Shock,
    drawn: Abilities,
    total: Total,
    year: EconomyYear,
) -> Outcome:
    xp, households = namespace(year.reward), year.reward.shape[-1]
    ginis = _ginis(parameters, task, policy, year, total)
    failed = _failed(policy, year, total, ginis)
    least = failed_utility(parameters)
    reward = fill(year.reward, failed, least)
    flows = _flows(
        year,
        previous_gdp=state.gdp,
        reward=reward,
        welfare=fill(total(year.reward), failed, households * least),
        wealth_gini=None if ginis is None else fill(ginis[0], failed, parameters.failed_gini),
        income_gini=None if ginis is None else fill(ginis[1], failed, parameters.failed_gini),
    )
    leader_reward = task.reward(parameters, flows, total)
    unrewarded = ~xp.isfinite(leader_reward)
    ended = ends(parameters, year, lowest(year.budgets.next_assets), ginis)
    following = {name: fill(x, failed, 0) for name, x in next_state(state, shock, year).arrays().items()}
    following["superstar"] = following["superstar"] > 0
    return Outcome(
        leader_reward=fill(leader_reward, unrewarded, 0.0),
        follower_reward=reward,
        state=parameters.laws.state_after(EconomyState.of(following), drawn).arrays(),
        ended=somewhere(ended | failed | unrewarded),
        strain=_strain(parameters, year) * (STRAIN * task.typical_reward(households)),
    )


def _flows(year: EconomyYear, **others: Any) -> Flows:
    """The flows that rewards are made of; None what is only reported."""
    known: dict[str, Any] = vars(year.prices) | vars(year.budgets) | vars(year.books) | others
    known |= {"next_capital": year.next_capital, "assets": year.assets, "hours": year.hours}
    # rewards look at no others
    made: dict[str, Any] = {name: known.get(name) for name in FLOWS}
    return Flows(**made)


def _ginis(
    parameters: EconomyParameters, task: Task, policy: FiscalPolicy, year: EconomyYear, total: Total
) -> tuple[Any, Any] | None:
    """Ginis of wealth and of income after tax, (B, 1) each; None where neither the task nor the end asks for them."""
    limited = bool(np.isfinite(parameters.gini_limit))
    if not (limited or task.measures_inequality):
        return None
    wealth = parameters.laws.reported_wealth(policy.asset_tax, year.assets, year.budgets.next_assets)
    income, shift = year.budgets.post_income, parameters.gini_shift
    if not task.measures_inequality:
        wealth, income = detached(wealth), detached(income)
    return gini(wealth, shift, total), gini(income, shift, total)


def _failed(policy: FiscalPolicy, year: EconomyYear, total: Total, ginis: tuple[Any, Any] | None) -> Any:
    """Games (B, 1) in which something is not a number, or would not be one if torch took its logarithm."""
    xp, books = namespace(year.reward), year.prices.gdp + year.next_capital + year.books.next_debt
    books = books + total(year.reward)
    for measured in ginis or ():
        books = books + measured
    failed = ~xp.isfinite(books) | (year.books.capital <= 0) | (lowest(year.budgets.consumption) <= 0)
    for schedule, amounts in ((policy.income_tax, year.budgets.income), (policy.asset_tax, year.assets)):
        least = getattr(schedule, "least", None)
        if least is not None:
            failed = failed | (lowest(amounts) < least)
    return somewhere(failed)


def _strain(parameters: EconomyParameters, year: EconomyYear) -> Any:
    """How near debt and capital come to their limits, (B, 1): 0 at a distance, growing with its square, 1 at one."""
    p, gdp = parameters, positive(year.prices.gdp)
    strain = 0 * gdp
    if np.isfinite(p.debt_limit):
        start = STRAINED_DEBT * p.debt_limit
        strain = strain + at_least((year.books.next_debt / gdp - start) / (p.debt_limit - start), 0.0) ** 2
    if p.least_capital > 0:
        start = STRAINED_CAPITAL * p.least_capital
        strain = strain + at_least((start - year.next_capital / gdp) / (start - p.least_capital), 0.0) ** 2
    return strain
