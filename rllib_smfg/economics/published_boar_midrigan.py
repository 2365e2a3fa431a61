"""Boar and Midrigan's (2022) economy: its stationary state, and the best once-for-all taxes beside a transfer.

From their stationary state a government sets the income tax, the wealth tax and both progressivities for ever; a
transfer to everybody pays out what is left in every year; debt stays (footnote 13 of the paper). What public purchases
do is not said there, so both readings are computed: they stay in goods, or they stay a share of GDP. The second decides
the level of the income tax, as a higher one then lowers what the government buys.
Their schedules are in units of their goods, those here in units of mean income and mean wealth: y^-xi is what lies
between the two.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, minimize

from envs.economy.foresight import TransitionPath, TransitionSetting, steady_state, transition
from envs.economy.foresight.steady import Steady
from envs.economy.presets import BOAR_MIDRIGAN, LONGEST_HOURS
from envs.game import Array, InvalidSetting

Vector = NDArray[np.float64]
Purchases = Literal["goods", "share"]
SOURCE = "Boar and Midrigan 2022, JME 131"
TAU, XI, TRANSFER_TO_GDP, DEBT_TO_GDP, WEALTH_TO_INCOME = 0.263, 0.049, 0.167, 1.0, 6.6  # before the reform
BEST = {"tau": 0.56, "xi": 0.065, "tau_a": -0.002, "xi_a": 0.0017}
LITTLE = 0.1  # of what the flat tax gains, that progressivity may add and still be little
STATES, POINTS, YEARS = 9, 200, 150
LOW, HIGH = np.array([0.0, 0.0, 0.0, 0.0]), np.array([0.85, 0.39, 0.039, 0.0098])
WIDTHS = np.array([0.05, 0.05, 0.004, 0.002])
START = np.array([0.5, 0.05, 0.002, 0.001])
TRIALS = {1: 12, 2: 25, 4: 60}  # transitions of a search over so many instruments
NO_PATH = 0.9  # of welfare before the reform: what a rule counts that has no transition


class Constant:
    """A government that always does the same."""

    def __init__(self, action: Vector) -> None:
        self._action = action

    def act(self, observation: Array) -> Array:
        """Actions (T, 6)."""
        return np.tile(self._action, (len(observation), 1))


@dataclass(frozen=True)
class BoarMidriganState:
    """Their stationary state, and units of mean income and mean wealth in their goods."""

    setting: TransitionSetting
    steady: Steady
    income: float
    wealth: float
    purchases: Purchases = "goods"

    @classmethod
    def before(cls, states: int = STATES, points: int = POINTS) -> BoarMidriganState:
        """Before the reform: spending is what taxes leave."""
        parameters = replace(BOAR_MIDRIGAN, further_instruments=(("transfer", 1.0),))
        setting = TransitionSetting.of(parameters, states, points)
        p = parameters
        net = 1 - p.depreciation * p.capital_to_gdp + p.interest_rate * DEBT_TO_GDP  # mean income over GDP
        gdp = p.capital_to_gdp ** (p.capital_share / (1 - p.capital_share)) * p.initial_labour_share * LONGEST_HOURS
        income, wealth = net * gdp, (p.capital_to_gdp + DEBT_TO_GDP) * gdp
        action = np.array([here(TAU, XI, income), XI, 0.0, 0.0, p.usual_spending_share, TRANSFER_TO_GDP / net])
        steady = steady_state(setting, Constant(action), debt_to_gdp=DEBT_TO_GDP, pays="spending")
        return cls(setting, steady, income, wealth)

    def reform(self, taxes: Vector, years: int = YEARS, near: TransitionPath | None = None) -> TransitionPath:
        """The transition to taxes (4,), in our units."""
        spent, given = self.steady.actions[4:]
        return transition(
            self.setting,
            self.steady.start,
            Constant(np.array([*taxes, spent, given])),
            years=years,
            closure="transfer",
            near=near,
            purchases=float(spent) * self.steady.start.gdp if self.purchases == "goods" else None,
        )

    @property
    def wealth_to_income(self) -> float:
        """Means of both, in the stationary state."""
        start = self.steady.start
        return float((start.share * self.setting.household.assets).sum()) / start.mean_income


def here(tau: float, xi: float, unit: float) -> float:
    """The level of one of their schedules in our units: the marginal rate at the mean."""
    return float(1 - (1 - tau) * unit**-xi)


def there(tau: float, xi: float, unit: float) -> float:
    """The inverse of `here`."""
    return float(1 - (1 - tau) * unit**xi)


def best(economy: BoarMidriganState, free: list[int], start: Vector, years: int = YEARS) -> tuple[Vector, float]:
    """The best taxes (4,) with these free and the others 0, and what they gain as a share of consumption."""
    before = economy.reform(economy.steady.actions[:4], years)
    near, tried = before, []

    def lost(x: Vector) -> float:
        nonlocal near
        taxes = np.zeros(4)
        taxes[free] = np.clip(x * WIDTHS[free], LOW[free], HIGH[free])
        try:
            near = economy.reform(taxes, years, near)
        except InvalidSetting:
            near = before
            return -1e2 * NO_PATH * before.welfare
        tried.append((near.welfare, taxes, near.equivalent(before)))
        return -1e2 * near.welfare

    bounds = Bounds(LOW[free] / WIDTHS[free], HIGH[free] / WIDTHS[free])
    options: Any = {"maxfev": TRIALS[len(free)], "initial_tr_radius": 0.5, "final_tr_radius": 0.02}
    minimize(lost, start[free] / WIDTHS[free], method="COBYQA", bounds=bounds, options=options)
    _, taxes, gain = max(tried, key=lambda each: each[0])
    return taxes, gain


def boar_midrigan() -> Iterator[tuple[str, str, float, float, float, str]]:
    """Their figures, as `rllib_smfg.economics.published.Figure` has them."""
    economy = BoarMidriganState.before()
    yield SOURCE, "mean wealth over mean income", WEALTH_TO_INCOME, economy.wealth_to_income, 0.2, ""
    flat_taxes, flat = best(economy, [0], START)
    _, with_xi = best(economy, [0, 1], np.array([flat_taxes[0], *START[1:]]))
    taxes, whole = best(economy, [0, 1, 2, 3], START)
    yield from _optimum(economy, taxes, "purchases stay in goods", "with purchases a share of GDP it is within")
    yield SOURCE, "what xi adds, of the flat tax's gain (little: at most a tenth)", 0.0, with_xi / flat - 1, LITTLE, ""
    yield SOURCE, "what all add, of the flat tax's gain", 0.0, whole / flat - 1, LITTLE, ""
    shared = replace(economy, purchases="share")
    yield from _optimum(shared, best(shared, [0, 1, 2, 3], START)[0], "purchases stay a share of GDP", "")


def _optimum(
    economy: BoarMidriganState, taxes: Vector, reading: str, why_tau: str
) -> Iterator[tuple[str, str, float, float, float, str]]:
    """Their optimum beside these taxes (4,)."""
    tau, tau_a = there(taxes[0], taxes[1], economy.income), there(taxes[2], taxes[3], economy.wealth)
    yield SOURCE, f"optimum, {reading}: tau", BEST["tau"], tau, 0.03, why_tau
    yield SOURCE, f"optimum, {reading}: xi", BEST["xi"], float(taxes[1]), 0.03, ""
    yield SOURCE, f"optimum, {reading}: wealth tax", BEST["tau_a"], tau_a, 0.005, ""
    yield SOURCE, f"optimum, {reading}: its progressivity", BEST["xi_a"], float(taxes[3]), 0.005, ""
