"""What a household does best under schedules whose marginal rates fall somewhere: hours are searched for.

Caps on contributions and credits that are phased out bend the budget inwards, and a first-order condition may then say
what is worst. Utility is separable, so what is consumed out of cash on hand M does not depend on hours: the Euler
equation gives c(M), its integral the worth V(M) of cash, V' = u'(c) / (1 + tau_c), and hours are where V(cash(l)) less
their disutility is largest, looked for on a grid of all hours and then ever closer around the best of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from envs.economy.conditions import Conditions, Household, Matrix, Plan, Vector

COARSE, FINE, ROUNDS = 33, 9, 5  # points of hours at first, in each further round, and further rounds
LEAST_RISE = 1e-9  # relative, of cash between grid points, so that it can be inverted
LEAST_CASH = 1e-6  # of an hour's wage times all hours
FLAT = 1e-12  # slope of consumption in cash below which utility is taken to be straight


@dataclass(frozen=True)
class CashWorth:
    """Consumption out of cash on hand, and what that is worth: known at points of cash (S, A), which rise.

    Below the first point everything is consumed.
    """

    crra: float
    price: float  # 1 + tau_c
    cash: Matrix
    consumption: Matrix
    value: Matrix

    @classmethod
    def of(cls, household: Household, conditions: Conditions, consumption: Matrix) -> CashWorth:
        """From what those consume who keep the grid's assets, (S, A)."""
        price = 1 + conditions.consumption_tax
        cash = np.maximum.accumulate(price * consumption + household.assets, axis=1)
        cash = cash * (1 + LEAST_RISE * np.arange(cash.shape[1]))
        slope = np.diff(consumption, axis=1) / np.diff(cash, axis=1)
        enjoyed = utility_of_consumption(household.crra, consumption)
        straight = np.diff(cash, axis=1) * consumption[:, :-1] ** -household.crra / price
        with np.errstate(divide="ignore", invalid="ignore"):
            risen = np.where(np.abs(slope) > FLAT, np.diff(enjoyed, axis=1) / (price * slope), straight)
        value = np.concatenate([enjoyed[:, :1], enjoyed[:, :1] + np.cumsum(risen, axis=1)], axis=1)
        return cls(household.crra, price, cash, consumption, value)

    def consumed(self, state: int, cash: Matrix) -> tuple[Matrix, Matrix]:
        """Consumption out of cash in a state of ability, and its worth; straight on beyond the last point."""
        known, consumed = self.cash[state], self.consumption[state]
        k = np.clip(np.searchsorted(known, cash, side="right") - 1, 0, known.size - 2)
        slope = (consumed[k + 1] - consumed[k]) / (known[k + 1] - known[k])
        bound = cash < known[0]
        found = np.where(bound, cash / self.price, consumed[k] + slope * (cash - known[k]))
        enjoyed, base = utility_of_consumption(self.crra, found), utility_of_consumption(self.crra, consumed[k])
        straight = consumed[k] ** -self.crra * (cash - known[k]) / self.price
        with np.errstate(divide="ignore", invalid="ignore"):
            risen = np.where(np.abs(slope) > FLAT, (enjoyed - base) / (self.price * slope), straight)
        return found, np.where(bound, enjoyed, self.value[state][k] + risen)


def utility_of_consumption(crra: float, consumption: Matrix) -> Matrix:
    """U(c) up to a constant."""
    found: Matrix = np.log(consumption) if crra == 1 else consumption ** (1 - crra) / (1 - crra)
    return found


def saving(household: Household, conditions: Conditions, consumption: Matrix) -> Plan:
    """The plan in which `consumption` (S, A) is chosen by those who keep the grid's assets."""
    return _planned(household, conditions, CashWorth.of(household, conditions, consumption))


def keeping_nothing(household: Household, conditions: Conditions) -> Plan:
    """The plan of households who keep nothing."""
    return _planned(household, conditions, None)


def _planned(household: Household, conditions: Conditions, worth: CashWorth | None) -> Plan:
    rows = [_row(household, conditions, worth, state) for state in range(len(household.ability))]
    consumption, labour, income, following = (np.stack(part) for part in zip(*rows, strict=True))
    return Plan(consumption, labour, income, following)


def _row(
    household: Household, conditions: Conditions, worth: CashWorth | None, state: int
) -> tuple[Vector, Vector, Vector, Vector]:
    """Consumption, hours, income and assets kept in a state of ability, (A,) each."""
    assets, earning = household.assets[:, None], conditions.wage * household.hours * float(household.ability[state])
    least, price = LEAST_CASH * earning, 1 + conditions.consumption_tax

    def consumed(labour: Matrix) -> tuple[Matrix, Matrix, Matrix]:
        """Cash on hand, consumption out of it, and what both are worth less the hours' disutility."""
        cash = np.maximum(conditions.cash(earning * labour, np.broadcast_to(assets, labour.shape)), least)
        if worth is None:
            chosen = cash / price
            gained = utility_of_consumption(household.crra, chosen)
        else:
            chosen, gained = worth.consumed(state, cash)
        power = 1 + household.inverse_frisch
        return cash, chosen, gained - household.disutility * labour**power / power

    labour = _best(lambda tried: consumed(tried)[2], len(household.assets))
    cash, chosen, _ = consumed(labour)
    kept = np.zeros_like(cash) if worth is None else np.clip(cash - price * chosen, 0.0, household.assets[-1])
    income = np.asarray(conditions.taxable(earning * labour, assets), dtype=np.float64)
    return chosen[:, 0], labour[:, 0], income[:, 0], kept[:, 0]


def _best(worth_of: Callable[[Matrix], Matrix], points: int) -> Matrix:
    """The hours (A, 1) of the largest worth."""
    every = np.arange(points)
    tried = np.broadcast_to(np.linspace(0.0, 1.0, COARSE), (points, COARSE))
    width = 1.0 / (COARSE - 1)
    for _ in range(ROUNDS):
        values = worth_of(tried)
        best = tried[every, np.argmax(values, axis=1)][:, None]
        tried = np.clip(best + width * np.linspace(-1.0, 1.0, FINE), 0.0, 1.0)
        width *= 2.0 / (FINE - 1)
    values = worth_of(tried)
    place = np.clip(np.argmax(values, axis=1), 1, FINE - 2)
    low, middle, high = (values[every, place + k] for k in (-1, 0, 1))
    bend = low - 2 * middle + high
    with np.errstate(divide="ignore", invalid="ignore"):
        shift = np.where(bend < 0, np.clip((low - high) / (2 * bend), -1.0, 1.0), 0.0)
    step = tried[every, place + 1] - tried[every, place]
    found: Matrix = np.clip(tried[every, place] + shift * step, 0.0, 1.0)[:, None]
    return found
