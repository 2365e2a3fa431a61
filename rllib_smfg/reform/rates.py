"""What a government takes of earnings: average and marginal rates against income, all instruments together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from envs.economy.conditions import Conditions
from envs.economy.household_problem import Vector
from rllib_smfg.reform.foreseen import path
from rllib_smfg.reform.question import Question, ReformPolicy

EARNINGS = np.geomspace(5e3, 2e6, 60)  # dollars a year
STEP = 0.01  # relative: what a little more of earnings owes


@dataclass(frozen=True)
class Rates:
    """Shares of earnings (dollars a year) of a household without assets: owed less the transfer, and at the margin."""

    earnings: Vector
    average: Vector
    marginal: Vector


def rates(conditions: Conditions, earnings: Vector = EARNINGS) -> Rates:
    """Of a year's conditions; a tax on consumption is not among them."""
    nothing, more = np.zeros_like(earnings), earnings * (1 + STEP)
    left, then = (np.asarray(conditions.cash(each, nothing), dtype=np.float64) for each in (earnings, more))
    return Rates(earnings, 1 - left / earnings, 1 - (then - left) / (more - earnings))


def rates_of(question: Question, policy: ReformPolicy) -> dict[str, Rates]:
    """With a policy in the first and in the last year of the path that households foresee, and without it."""
    with_it, without = (path(question, each, policy).conditions for each in (policy, question.against))
    return {
        "with it, year 1": rates(with_it[0]),
        f"with it, year {len(with_it)}": rates(with_it[-1]),
        "without, year 1": rates(without[0]),
    }
