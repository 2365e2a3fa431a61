"""Transitions with perfect foresight: households who know all prices and taxes to come, and markets that clear.

The economy `calibrated` without luck in the aggregate: a histogram of households (Young 2010) instead of N of them.
From a start and under a government, a path is guessed of capital over labour, of the units of tax schedules and of the
government's instruments; plans follow backwards by the endogenous grid method, the distribution forwards; what they
come to is the next guess, mixed with earlier ones (Anderson 1965), until households own all capital and all debt, K + B
= A, in every year, and taxes are what the government announces when it sees what it sees on that path.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from envs.economy.foresight.rounds import (
    ASSET_UNIT,
    INCOME_UNIT,
    INSTRUMENTS,
    RATIO,
    Closure,
    HouseholdYear,
    Known,
    RoundPath,
    TransitionCase,
    backwards,
    conditions_along,
    decided,
    forwards,
    live_a_year,
    observation,
    scales,
)
from envs.economy.foresight.search import GuessSearch
from envs.economy.foresight.setting import Government, Start, TransitionSetting
from envs.economy.histogram import tenths
from envs.economy.household_problem import Conditions, Matrix, Plan, Vector, hand_to_mouth
from envs.economy.households import us_spending
from envs.game import BoolArray, InvalidSetting

YEARS = 150
TOLERANCE = 1e-6
SEARCHED = 2e-5  # the least tolerance where hours are searched for, which finds them to a few digits only
ROUNDS = 120
FIRST_STEPS = 200
LAST_STEPS = 25  # by which the plan of the years after the path is improved each round
FOR_EVER = 700  # years that stand for all years after the path: discounted, the rest is nothing
SETTLED = 0.02  # of GDP a year, by which debt may still move at the end


@dataclass(frozen=True)
class TransitionPath:
    """A path of T years, dollars per household, (T,) each unless said otherwise.

    capital, debt and assets: at the start of a year. actions (T, al): the instruments. revenue: all taxes,
    transfers apart. clearing: (K + B - A) / A. goods: what output leaves after consumption, spending and investment,
    over output (T - 1,). value (S, A): expected discounted utility from the first year on, by where a household
    starts, public spending included. welfare: its mean as a reward a year, (1 - discount) sum discount^t reward.
    lived: what households did. values: as value, from every year on.
    """

    setting: TransitionSetting
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
    transfers: Vector
    clearing: Vector
    goods: Vector
    value: Matrix
    welfare: float
    rounds: int
    guess: Matrix = field(repr=False)
    conditions: list[Conditions] = field(repr=False)
    plans: list[Plan] = field(repr=False)
    lived: list[HouseholdYear] = field(repr=False)
    values: PathValues = field(repr=False)

    def equivalent(self, baseline: TransitionPath) -> float:
        """By what share all consumption on the path `baseline` would have to rise to be worth as much, on average.

        Raises InvalidSetting where the two do not start alike.
        """
        return _equivalent(self, baseline, self.start.share)

    def equivalent_by_wealth(self, baseline: TransitionPath) -> list[float]:
        """The same for each tenth of the households by assets at the start, poorest first."""
        parts = tenths(self.setting.household.assets, self.start.share)
        return [_equivalent(self, baseline, part) for part in parts]


def transition(
    setting: TransitionSetting,
    start: Start,
    government: Government,
    *,
    years: int = YEARS,
    closure: Closure = "none",
    before: Government | None = None,
    announced: int = 0,
    lasts: int | None = None,
    tolerance: float = TOLERANCE,
    near: TransitionPath | None = None,
    productivity: Vector | None = None,
    purchases: float | None = None,
) -> TransitionPath:
    """The path from a start under a government whose whole future households know from the first year on.

    closure: `none`: the government's own rule says everything, and debt follows; `tau`, `spending`, `transfer`: that
    instrument is instead what pays for the others and for interest in every year, and debt stays. before: who governs
    in the first `announced` years, and again once the government has ruled for `lasts` years. After the path its last
    year lasts.
    near: a path of as many years to start looking from. productivity: factors on TFP that are known to come, (T,).
    purchases: what the government buys in every year, dollars per household, whatever it says; None: as it says.
    Raises InvalidSetting where no such path is found, as where debt is never paid.
    """
    factors = np.ones(years) if productivity is None else productivity
    case = TransitionCase(
        setting, start, _ruling(government, before, years, announced, lasts), closure, factors, purchases
    )
    search = GuessSearch(first_guess(case, years) if near is None else near.guess, setting.parameters)
    guessed = conditions_along(case, search.guess)
    last = first = hand_to_mouth(setting.household, guessed[-1])
    if not all(each.convex for each in guessed):
        tolerance = max(tolerance, SEARCHED)
    steps = FIRST_STEPS
    for number in range(1, ROUNDS + 1):
        path = conditions_along(case, search.guess)
        with np.errstate(all="ignore"):  # what is no number is seen below
            plans, last = backwards(setting, path, last, steps)
            found = forwards(case, search.guess, path, plans)
        residual = found.implied - search.guess
        gap = np.abs(found.accounts.clearing).max()
        off = np.abs(residual).max()
        if number > 1 and off < tolerance and (gap < tolerance or off < tolerance / 100):
            _stands(found, gap > tolerance)
            return _finished(case, SolvedGuess(search.guess, path, plans, last, found, number))
        lost = search.next(residual)
        if search.stuck:
            break
        last, steps = (first, FIRST_STEPS) if lost else (last, LAST_STEPS)
    raise InvalidSetting(
        f"no transition found in {number} rounds: at best prices or taxes were off by {search.least:.1e};"
        " must be a policy under which debt settles, or a closure"
    )


def _stands(found: RoundPath, eaten: bool) -> None:
    """Raises InvalidSetting where debt eats up all capital, or still moves in the last year, which is taken to last."""
    owed = found.accounts.debt / found.accounts.gdp
    if eaten:
        raise InvalidSetting(
            f"no transition found: debt of up to {owed.max():.1f} GDP leaves no capital; must be a policy under which"
            " debt settles, or a closure"
        )
    if abs(owed[-1] - owed[-2]) > SETTLED:
        raise InvalidSetting(
            f"debt is {owed[-1]:.2f} GDP in the last year and still moves by {owed[-1] - owed[-2]:+.2f} a year; must be"
            " more years, a policy under which debt settles, or a closure"
        )


@dataclass(frozen=True)
class SolvedGuess:
    """A guess that is borne out: what it means, and what it leads to."""

    guess: Matrix
    conditions: list[Conditions]
    plans: list[Plan]
    last: Plan
    path: RoundPath
    rounds: int


def first_guess(case: TransitionCase, years: int) -> Matrix:
    """Prices and units stay as they are, and the government acts on what it sees first."""
    setting, start, p = case.setting, case.start, case.setting.parameters
    assets = float((start.share * setting.household.assets).sum())
    scale = scales(p)
    guess = np.empty((years, 3 + scale.size))
    guess[:, RATIO] = np.log(
        (p.capital_share * p.tfp / (start.interest_rate + p.depreciation)) ** (1 / (1 - p.capital_share))
    )
    guess[:, INCOME_UNIT], guess[:, ASSET_UNIT] = np.log(start.mean_income), np.log(assets)
    seen = observation(setting, Known.at(start), start.share, assets - start.debt, start.debt)
    for government, ruling in case.governments:
        guess[ruling, INSTRUMENTS] = decided(setting, government, seen) / scale
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


def _finished(case: TransitionCase, solved: SolvedGuess) -> TransitionPath:
    setting, accounts, years = case.setting, solved.path.accounts, solved.path.years
    values = _values(setting, solved)
    value = values.total[0]
    unit, discount = setting.parameters.utility_unit, setting.household.discount
    consumed = np.array([year.total_consumption for year in years])
    invested = accounts.capital[1:] - (1 - setting.parameters.depreciation) * accounts.capital[:-1]
    goods = (accounts.gdp - consumed - accounts.spending)[:-1] - invested
    return TransitionPath(
        setting=setting,
        start=case.start,
        actions=solved.guess[:, INSTRUMENTS] * scales(setting.parameters),
        wage=np.array([conditions.wage for conditions in solved.conditions]),
        interest_rate=np.array([conditions.interest_rate for conditions in solved.conditions]),
        **vars(accounts),
        labour=np.array([year.effective_labour for year in years]),
        consumption=consumed,
        goods=goods / accounts.gdp[:-1],
        value=value,
        welfare=1 + (1 - discount) * float((case.start.share * value).sum()) / unit,
        rounds=solved.rounds,
        guess=solved.guess,
        conditions=solved.conditions,
        plans=solved.plans,
        lived=solved.path.years,
        values=values,
    )


@dataclass(frozen=True)
class PathValues:
    """Expected discounted utility from each year on by where households then stand, T of (S, A); the last year lasts.

    total: public spending and hours included. enjoyed: of consumption alone.
    """

    total: list[Matrix]
    enjoyed: list[Matrix]


def _values(setting: TransitionSetting, solved: SolvedGuess) -> PathValues:
    household, tastes, path = setting.household, setting.tastes, solved.path
    usual = tastes.toil(np.array(setting.parameters.initial_labour_share))
    public = setting.parameters.public_spending_weight * np.log(
        path.accounts.spending / us_spending(setting.parameters)
    )
    after = live_a_year(setting, solved.conditions[-1], solved.last, path.last_share)

    def back(year: HouseholdYear, good: float, total: Matrix, enjoyed: Matrix) -> tuple[Matrix, Matrix]:
        joy = tastes.enjoyed(year.consumption)
        rest = usual + good - tastes.toil(year.labour)
        ahead, joys = (household.discount * year.moves.expected(household, x) for x in (total, enjoyed))
        return joy + rest + ahead, joy + joys

    total = enjoyed = np.zeros_like(after.consumption)
    for _ in range(FOR_EVER):
        total, enjoyed = back(after, public[-1], total, enjoyed)
    found = []
    for year, good in zip(reversed(path.years), reversed(public), strict=True):
        total, enjoyed = back(year, good, total, enjoyed)
        found.append((total, enjoyed))
    return PathValues([each for each, _ in reversed(found)], [each for _, each in reversed(found)])


def equivalent_of_utility(setting: TransitionSetting, gained: float, enjoyed: float) -> float:
    """By what share consumption in all years to come would have to rise to be worth `gained` of discounted utility.

    enjoyed: discounted utility of the consumption that would rise.
    """
    years = 1 / (1 - setting.household.discount)
    return float(setting.tastes.equivalent(np.array([gained]), np.array([enjoyed]), years)[0])


def _equivalent(reform: TransitionPath, baseline: TransitionPath, share: Matrix) -> float:
    if not np.array_equal(reform.start.share, baseline.start.share):
        raise InvalidSetting("the two transitions start from different distributions: nothing can be compared")
    gained, enjoyed = (
        float((share * value).sum() / share.sum())
        for value in (reform.value - baseline.value, baseline.values.enjoyed[0])
    )
    return equivalent_of_utility(reform.setting, gained, enjoyed)
