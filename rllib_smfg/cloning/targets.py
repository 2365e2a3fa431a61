"""What households of the survey are taken to decide: saving rate and share of the maximal working time.

The survey records neither hours nor total consumption; docs/data.md names every assumption and its source.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from envs.economy.parameters import EconomyParameters
from envs.economy.taxation import us_federal_2022
from envs.game import Array
from rllib_smfg.cloning.households import Households

# BLS, Consumer Expenditures 2022 (USDL-23-1943): food is 12.8 % of expenditures, insurance and pensions 12.0 %.
# The latter is saving here: food is this share of consumption.
FOOD_SHARE = 0.128 / (1 - 0.120)
# OECD, average annual hours actually worked per worker, United States 2021 (the year of the survey's incomes).
WORKERS_HOURS = 1791.0
# Hours of all who work in a household, mean of all households: what the economy `calibrated` is calibrated to
# (docs/calibration.md: OECD hours per worker, CPS employment, 2022).
HOUSEHOLDS_HOURS = 2183.0

Targets = Callable[[EconomyParameters, Households], Array]


def survey_targets(parameters: EconomyParameters, households: Households) -> Array:
    """Actions (R, 2): s = 1 - (food / FOOD_SHARE) / base, and the hours of `labour_share`.

    The base is what the economy's own law applies the saving rate to, after the US federal income tax of 2022.
    """
    income_tax = us_federal_2022(credit=0.0, ceiling=np.inf).tax(households.income)
    base = parameters.laws.consumption_base(households.income - income_tax, households.assets)
    return np.stack([1 - _ratio(households.food / FOOD_SHARE, base), labour_share(parameters, households)], -1)


def as_published(parameters: EconomyParameters, households: Households) -> Array:
    """Actions (R, 2) by the construction of the authors' extract: s = 1 - payments on loans / (income + assets).

    Its column CONSUMPTION is 12 TPAY, and CONS_P the ratio above. How its authors obtained hours is not known to us:
    they are those of `labour_share`.
    """
    saving_rate = 1 - _ratio(households.loan_payments, households.income + households.assets)
    return np.stack([saving_rate, labour_share(parameters, households)], -1)


def survey_and_all_hours(parameters: EconomyParameters, households: Households) -> Array:
    """`survey_targets` with the hours of everybody in the household: as many as in the United States on average.

    Households in the labour force share them alike; the survey tells of the reference person only.
    """
    actions = survey_targets(parameters, households)
    share = HOUSEHOLDS_HOURS / max(households.works.mean(), 1e-9) / parameters.maximal_hours
    actions[:, 1] = np.where(households.works, share, 0.0)
    return actions


def labour_share(parameters: EconomyParameters, households: Households) -> Array:
    """Shares (R,) of the maximal working time: the average worker's hours in the labour force, none outside it."""
    maximal_hours = parameters.maximal_hours
    return np.where(households.works, WORKERS_HOURS / maximal_hours, 0.0)


def _ratio(spent: Array, base: Array) -> Array:
    """spent / base; nothing spent out of nothing is 0, something is everything there is."""
    ratio: Array = np.divide(spent, base, out=(spent > 0).astype(np.float64), where=base > 0)
    return ratio


TARGETS: dict[str, Targets] = {
    "survey": survey_targets,
    "survey_all_hours": survey_and_all_hours,
    "as_published": as_published,
}
