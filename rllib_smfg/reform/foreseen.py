"""Answers of households who know the whole path of prices and taxes, without luck in the aggregate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from envs.economy.foresight import TOLERANCE, TransitionPath, TransitionSetting, equivalent_of_utility
from envs.economy.histogram import tenths, tenths_by
from envs.economy.household_problem import Matrix, Vector
from envs.economy.indicators import weighted_gini
from envs.economy.parameters import EconomyParameters
from envs.economy.stationary import quantile_share
from envs.game import InvalidSetting
from policies.perfect_foresight import usual_path
from policies.tax_rule import TaxRule
from rllib_smfg.exploitability.exact import Interval
from rllib_smfg.reform.answer import PER_CENT, REVENUE, SINCE, TOP_1, TOP_10, Answer, Gains, SeriesPath
from rllib_smfg.reform.question import Question, ReformPolicy

STATES, POINTS = 7, 110


def foreseen(question: Question, policy: ReformPolicy) -> Answer:
    """How households with perfect foresight answer a policy, from the survey's distribution on."""
    reform, against = (path(question, each, policy) for each in (policy, question.against))
    band = "no interval: there is no luck in the aggregate"
    return Answer("perfect_foresight", band, gains_along_paths(reform, against), _path(reform), _path(against))


def path(
    question: Question,
    governing: ReformPolicy,
    policy: ReformPolicy,
    parameters: EconomyParameters | None = None,
    grid: tuple[int, int] = (STATES, POINTS),
    tolerance: float = TOLERANCE,
) -> TransitionPath:
    """The transition under a government, in the economy that `policy` is compared in.

    parameters: of another economy. tolerance: of prices and taxes. Raises InvalidSetting where there is no such path.
    """
    game = question.game(policy, 1, 10)
    leader = governing.leader(game)
    if isinstance(leader, TaxRule) and leader.remembers:
        raise InvalidSetting(f"{leader.title}: its schedule depends on years that have not been lived")
    setting = TransitionSetting.of(game.parameters if parameters is None else parameters, *grid)
    return usual_path(setting, leader, question.years, tolerance)


def gains_along_paths(reform: TransitionPath, against: TransitionPath) -> Gains:
    """In per cent of consumption under `against`; single numbers."""
    share = against.start.share
    gained, enjoyed = reform.value - against.value, against.values.enjoyed[0]

    def of(part: Matrix) -> Interval:
        weights = part / part.sum()
        gain = equivalent_of_utility(against.setting, float((weights * gained).sum()), float((weights * enjoyed).sum()))
        return _single(PER_CENT * gain)

    incomes = against.lived[0].income
    return Gains(
        mean=of(share),
        by_wealth=[of(part) for part in tenths(against.setting.household.assets, share)],
        by_income=[of(part) for part in tenths_by(incomes, share)],
        since={year: _single(PER_CENT * _since(reform, against, year)) for year in SINCE},
        gaining=_single(PER_CENT * float((share * (gained > 0)).sum())),
    )


def _since(reform: TransitionPath, against: TransitionPath, year: int) -> float:
    """What living from a year on is worth to the mean household of then, over living then without the reform."""
    means = [float((each.lived[year].share * each.values.total[year]).sum()) for each in (reform, against)]
    enjoyed = float((against.lived[year].share * against.values.enjoyed[year]).sum())
    return equivalent_of_utility(against.setting, means[0] - means[1], enjoyed)


def _single(value: float) -> Interval:
    return Interval(value, None, None)


def _path(found: TransitionPath) -> SeriesPath:
    """`SERIES` of a transition, (1, T) each."""
    grid = found.setting.household.assets
    hours = found.setting.household.hours
    series: dict[str, Sequence[float] | Vector] = {
        "output": found.gdp,
        "consumption": found.consumption,
        "capital": found.capital,
        "hours": [hours * float((year.share * year.labour).sum()) for year in found.lived],
        "wage": found.wage,
        "interest_rate": found.interest_rate,
        "debt": found.debt / found.gdp,
        "spending": found.spending / found.gdp,
        **{name: np.array([year.taxes[name] for year in found.lived]) / found.gdp for name in REVENUE},
        "wealth_gini": [_gini(grid, year.share) for year in found.lived],
        "income_gini": [_gini(year.kept, year.share) for year in found.lived],
        "top_10_wealth": [_top(grid, year.share, TOP_10) for year in found.lived],
        "top_1_wealth": [_top(grid, year.share, TOP_1) for year in found.lived],
    }
    return SeriesPath({name: np.asarray(values, dtype=np.float64)[None, :] for name, values in series.items()})


def _gini(values: Matrix, share: Matrix) -> float:
    spread = np.broadcast_to(values, share.shape)
    return weighted_gini(spread.ravel(), share.ravel())


def _top(assets: Vector, share: Matrix, richest: float) -> float:
    return quantile_share(np.broadcast_to(assets, share.shape), share, richest)
