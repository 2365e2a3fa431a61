"""Transitions with perfect foresight: households who know all prices and taxes to come, and markets that clear each year.

The economy `calibrated` without luck in the aggregate: a histogram of households (Young 2010) instead of N of them. From
a start and under a government, a path is guessed of capital over labour, of the units of tax schedules and of the
government's instruments; plans follow backwards by the endogenous grid method, the distribution forwards; what they come
to is the next guess, mixed with earlier ones (Anderson 1965), until households own all capital and all debt, K + B = A,
in every year, and taxes are what the government announces when it sees what it sees on that path.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from envs.economy.fixed_point import Mixing
from envs.economy.foresight.rounds import (
    ASSET_UNIT,
    INCOME_UNIT,
    INSTRUMENTS,
    RATIO,
    Closure,
    Path,
    backwards,
    conditions_of,
    forwards,
    live_a_year,
    observations,
)
from envs.economy.foresight.setting import Government, Setting, Start
from envs.economy.histogram import settled, tenths
from envs.economy.household_problem import Conditions, Matrix, Plan, Vector, hand_to_mouth
from envs.game import BoolArray, InvalidSetting

YEARS = 150
TOLERANCE = 1e-6
ROUNDS = 120
LAST_STEPS = 25  # by which the plan of the years after the path is improved each round
FOR_EVER = 700  # years that stand for all years after the path: discounted, the rest is nothing
DAMPING, MEMORY = 0.4, 10


@dataclass(frozen=True)
class Transition:
    """A path of T years, dollars per household, (T,) each unless said otherwise.

    capital, debt and assets are those of the start of a year. actions (T, 5): the instruments. clearing: (K + B - A) / A.
    goods: what output leaves after consumption, spending and investment, over output (T - 1,). value (S, A): expected
    discounted utility from the first year on, by where a household starts, public spending included. welfare: its mean
    as a reward a year, (1 - discount) sum discount^t reward.
    """

    setting: Setting
    start: Start
    actions: Matrix
    wage: Vector
    interest_rate: Vector
    capital: Vector
    debt: Vector
    assets: Vector
    gdp: Vector
    labour: Vector
    consumption: Vector
    revenue: Vector
    spending: Vector
    clearing: Vector
    goods: Vector
    value: Matrix
    welfare: float
    rounds: int
    conditions: list[Conditions] = field(repr=False)
    plans: list[Plan] = field(repr=False)

    def equivalent(self, baseline: Transition) -> float:
        """By what share all consumption on the path `baseline` would have to rise to be worth as much, on average.

        Raises InvalidSetting where the two do not start alike, or at a crra other than 1.
        """
        return _equivalent(self, baseline, self.start.share)

    def equivalent_by_wealth(self, baseline: Transition) -> list[float]:
        """The same for each tenth of the households by assets at the start, poorest first."""
        parts = tenths(self.setting.household.assets, self.start.share)
        return [_equivalent(self, baseline, part) for part in parts]


def transition(
    setting: Setting,
    start: Start,
    government: Government,
    *,
    years: int = YEARS,
    closure: Closure = "none",
    before: Government | None = None,
    announced: int = 0,
    lasts: int | None = None,
    tolerance: float = TOLERANCE,
) -> Transition:
    """The path from a start under a government whose whole future households know from the first year on.

    closure: `none`: the government's own rule says everything, and debt follows; `tau`, `spending`: that instrument is
    instead what pays spending and interest in every year, and debt stays. before: who governs in the first `announced`
    years, and again once the government has ruled for `lasts` years. After the path its last year lasts.
    Raises InvalidSetting where no such path is found, as where debt is never paid.
    """
    governments = _ruling(government, before, years, announced, lasts)
    guess = first_guess(setting, start, governments, years)
    last = hand_to_mouth(setting.household, conditions_of(setting, guess[-1:])[0])
    mixing, steps = Mixing(DAMPING, MEMORY), 200
    for number in range(1, ROUNDS + 1):
        path = conditions_of(setting, guess)
        plans, last = backwards(setting, path, last, steps)
        found = forwards(setting, start, governments, closure, guess, path, plans)
        residual = found.implied - guess
        if not np.isfinite(residual).all():
            break
        if np.abs(residual).max() < tolerance and number > 1:
            return _finished(setting, start, found, guess, path, plans, last, number)
        guess = _within(guess, mixing.next(guess.ravel(), residual.ravel()).reshape(guess.shape))
        steps = LAST_STEPS
    worst = int(np.argmax(np.abs(np.nan_to_num(found.clearing, nan=np.inf))))
    raise InvalidSetting(
        f"no transition found in {number} rounds: in year {worst} K + B differs from A by {found.clearing[worst]:.1e} of A,"
        f" debt is {found.debt[-1] / found.gdp[-1]:.1f} GDP at the end; must be a policy under which debt settles,"
        " or a closure"
    )


def first_guess(
    setting: Setting, start: Start, governments: list[tuple[Government, BoolArray]], years: int
) -> Matrix:
    """Prices and units stay as they are, and the government acts on what it sees first."""
    assets = float((start.share * setting.household.assets).sum())
    p = setting.parameters
    ratio = (p.capital_share * p.tfp / (start.interest_rate + p.depreciation)) ** (1 / (1 - p.capital_share))
    guess = np.empty((years, 8))
    guess[:, RATIO] = np.log(ratio)
    guess[:, INCOME_UNIT], guess[:, ASSET_UNIT] = np.log(start.mean_income), np.log(assets)
    household = setting.household
    idle = Plan(*(np.zeros_like(start.share) for _ in range(4)))
    year = live_a_year(setting, Conditions(start.wage, start.interest_rate), idle, start.share)
    ratios = (np.array([(assets - start.debt) / start.gdp]), np.array([start.debt / start.gdp]))
    seen = observations(setting, start, [year], *ratios, [])
    assert household.assets[0] == 0
    for government, ruling in governments:
        guess[ruling, INSTRUMENTS] = government.act(seen)[0]
    return guess


def _ruling(
    government: Government, before: Government | None, years: int, announced: int, lasts: int | None
) -> list[tuple[Government, BoolArray]]:
    """Each government with the years (T,) in which it rules."""
    if before is None and (announced or lasts is not None):
        raise InvalidSetting("announced, lasts: who governs before and afterwards must be given")
    if not 0 <= announced < years or (lasts is not None and lasts < 1):
        raise InvalidSetting(f"announced = {announced}, lasts = {lasts}: must be from 0 to years - 1, and at least 1")
    index = np.arange(years)
    ruling = (index >= announced) & (index < (years if lasts is None else announced + lasts))
    return [(government, ruling)] + ([] if before is None else [(before, ~ruling)])


def _within(guess: Matrix, proposed: Matrix) -> Matrix:
    """The proposed guess, with steps no longer than lets a household problem be solved."""
    limits = np.array([0.25, 0.25, 0.25, 0.1, 0.1, 0.02, 0.01, 0.05])
    stepped: Matrix = guess + np.clip(proposed - guess, -limits, limits)
    stepped[:, INSTRUMENTS] = np.clip(stepped[:, INSTRUMENTS], -0.5, 0.95)
    return stepped


def _finished(
    setting: Setting,
    start: Start,
    found: Path,
    guess: Matrix,
    path: list[Conditions],
    plans: list[Plan],
    last: Plan,
    rounds: int,
) -> Transition:
    value = _value(setting, found, path, last)
    unit, discount = setting.parameters.utility_unit, setting.household.discount
    consumed = np.array([year.total_consumption for year in found.years])
    invested = found.capital[1:] - (1 - setting.parameters.depreciation) * found.capital[:-1]
    goods = found.gdp[:-1] - consumed[:-1] - found.spending[:-1] - invested
    return Transition(
        setting=setting,
        start=start,
        actions=guess[:, INSTRUMENTS],
        wage=np.array([conditions.wage for conditions in path]),
        interest_rate=np.array([conditions.interest_rate for conditions in path]),
        capital=found.capital,
        debt=found.debt,
        assets=found.assets,
        gdp=found.gdp,
        labour=np.array([year.effective_labour for year in found.years]),
        consumption=consumed,
        revenue=found.revenue,
        spending=found.spending,
        clearing=found.clearing,
        goods=goods / found.gdp[:-1],
        value=value,
        welfare=1 + (1 - discount) * float((start.share * value).sum()) / unit,
        rounds=rounds,
        conditions=path,
        plans=plans,
    )


def _value(setting: Setting, found: Path, path: list[Conditions], last: Plan) -> Matrix:
    """Expected discounted utility from the first year on, (S, A); the last year's conditions last."""
    household, tastes = setting.household, setting.tastes
    toil_us = tastes.toil(np.array(setting.parameters.initial_labour_share))
    after = live_a_year(setting, path[-1], last, found.last_share)
    public = setting.parameters.public_spending_weight * np.log(found.spending / us_spending(setting))
    utility = tastes.enjoyed(after.consumption) - tastes.toil(after.labour) + toil_us + public[-1]
    value = np.zeros_like(utility)
    for _ in range(FOR_EVER):
        value = utility + household.discount * after.moves.expected(household, value)
    for year, good in zip(reversed(found.years), reversed(public), strict=True):
        utility = tastes.enjoyed(year.consumption) - tastes.toil(year.labour) + toil_us + good
        value = utility + household.discount * year.moves.expected(household, value)
    return value


def us_spending(setting: Setting) -> float:
    """Public spending per household in the United States."""
    p = setting.parameters
    return p.usual_spending_share * p.us_gdp / p.us_population


def _equivalent(reform: Transition, baseline: Transition, share: Matrix) -> float:
    if reform.setting.parameters.crra != 1:
        raise InvalidSetting("crra: consumption equivalents of transitions are exact at crra = 1 only")
    if not np.array_equal(reform.start.share, baseline.start.share):
        raise InvalidSetting("the two transitions start from different distributions: nothing can be compared")
    gained = float((share * (reform.value - baseline.value)).sum() / share.sum())
    return float(np.expm1((1 - reform.setting.household.discount) * gained))
