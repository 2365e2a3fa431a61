"""What a government levies in a year, as the terms of a household's problem."""

from __future__ import annotations

from dataclasses import is_dataclass, replace

import numpy as np

from envs.economy.conditions import NO_TAX, Conditions, keeping
from envs.economy.taxation import AboveExemption, Brackets, FiscalPolicy, NoTax, ScaledHSV, Schedule
from envs.game import Array


def levied(policy: FiscalPolicy, usual_consumption_tax: float, k: int, wage: float, interest_rate: float) -> Conditions:
    """What a household of game k takes as given in a year: prices in dollars and shares, and every instrument.

    usual_consumption_tax: that of the economy, which holds where the government has none of its own.
    """
    return Conditions(
        wage=wage,
        interest_rate=interest_rate,
        income_tax=keeping(_in_game(policy.income_tax, k)),
        asset_tax=keeping(_in_game(policy.asset_tax, k)),
        consumption_tax=_number(policy.consumption_tax, k, usual_consumption_tax),
        transfer=_number(policy.transfer, k, 0.0),
        labour_tax=_number(policy.flat_on_earnings, k, 0.0),
        capital_tax=_number(policy.flat_on_interest, k, 0.0),
        earnings_tax=None if policy.labour_tax is None else keeping(_in_game(policy.labour_tax, k)),
    )


def _in_game(schedule: Schedule, k: int) -> Schedule:
    """Game k's schedule, in numbers; one of a kind not known here is the same in all games."""
    if isinstance(schedule, NoTax):
        return NO_TAX
    if isinstance(schedule, ScaledHSV):
        return ScaledHSV(*(_number(x, k, 0.0) for x in (schedule.tau, schedule.xi, schedule.scale)))
    if isinstance(schedule, AboveExemption):
        return AboveExemption(_in_game(schedule.schedule, k), _number(schedule.exemption, k, 0.0))
    if isinstance(schedule, Brackets):
        rates = np.asarray(schedule.rates)
        own = rates if rates.ndim == 1 else rates[k]
        return Brackets(schedule.cutoffs, own, schedule.deduction, schedule.credit)
    inner = getattr(schedule, "schedule", None)
    if inner is not None and is_dataclass(schedule) and not isinstance(schedule, type):
        # what stands around another schedule, as a top rate does
        around: Schedule = replace(schedule, schedule=_in_game(inner, k))
        return around
    return schedule


def _number(x: Array | float | None, k: int, otherwise: float) -> float:
    """Game k's number of one for all games, or of (B, 1); another where there is none."""
    if x is None:
        return otherwise
    values = np.asarray(x, dtype=np.float64).reshape(-1)
    return float(values[k] if values.size > 1 else values[0])
