"""The stationary equilibrium of Aiyagari (1994), "Uninsured idiosyncratic risk and aggregate saving", QJE 109.

Households with u = (c^(1 - mu) - 1) / (1 - mu) work all the time at an ability whose log follows
x' = rho x + sigma (1 - rho^2)^(1/2) eps, may not borrow, and own all capital; Y = K^alpha L^(1 - alpha). The interest
rate is found by bisection between -delta and 1 / beta - 1, where they would save without limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from envs.economy.household_problem import (
    Conditions,
    Household,
    Plan,
    across,
    expected_marginal_utility,
)
from envs.economy.markov import rouwenhorst, stationary, tauchen
from envs.economy.stationary import LongRun, asset_grid, long_run
from envs.game import Array, InvalidSetting


@dataclass(frozen=True)
class Parameters:
    """Aiyagari's parameters: mu (crra), rho (persistence), sigma (sd of log ability), alpha, delta and beta.

    Raises InvalidSetting where one is outside its bounds.
    """

    mu: float = 3.0
    rho: float = 0.6
    sigma: float = 0.4
    alpha: float = 0.36
    delta: float = 0.08
    beta: float = 0.96

    def __post_init__(self) -> None:
        for name, (low, high) in {
            "mu": (0.1, 20.0),
            "rho": (0.0, 0.99),
            "sigma": (0.0, 1.0),
            "alpha": (0.01, 0.99),
            "delta": (0.001, 1.0),
            "beta": (0.5, 0.999),
        }.items():
            if not low <= getattr(self, name) <= high:
                raise InvalidSetting(f"{name} = {getattr(self, name)}: must be between {low:g} and {high:g}")

    def capital_per_labour(self, interest_rate: float) -> float:
        """k at which alpha k^(alpha - 1) - delta = r."""
        return float((self.alpha / (interest_rate + self.delta)) ** (1 / (1 - self.alpha)))

    def wage(self, interest_rate: float) -> float:
        """(1 - alpha) k^alpha."""
        return float((1 - self.alpha) * self.capital_per_labour(interest_rate) ** self.alpha)


@dataclass(frozen=True)
class Equilibrium:
    """Interest rate, wage, saving rate delta K / Y, capital per household; the plan and the long run behind them."""

    parameters: Parameters
    interest_rate: float
    wage: float
    saving_rate: float
    capital: float
    household: Household
    plan: Plan
    long_run: LongRun

    def consumption(self, cash: Array, ability: Array) -> Array:
        """c(cash on hand, ability) of arrays of the same shape: straight lines between the plan's points."""
        h = self.household
        on_hand = (1 + self.interest_rate) * h.assets[None, :] + self.wage * h.ability[:, None]
        place = np.interp(np.log(ability), np.log(h.ability), np.arange(len(h.ability)))
        lower = np.minimum(place.astype(int), len(h.ability) - 2)
        found = [np.interp(cash, on_hand[s], self.plan.consumption[s]) for s in range(len(h.ability))]
        table = np.minimum(np.stack(found), cash)
        below, above = (np.take_along_axis(table, (lower + k)[None], axis=0)[0] for k in (0, 1))
        consumed: Array = below + (place - lower) * (above - below)
        return consumed


def aiyagari_household(
    parameters: Parameters, chain: str = "rouwenhorst", states: int = 9, points: int = 200
) -> Household:
    """The household with its chain: `rouwenhorst` (closest to the autoregression), or Aiyagari's own, `tauchen`."""
    sd = parameters.sigma * np.sqrt(1 - parameters.rho**2)
    if chain == "tauchen":
        logs, transition = tauchen(states, parameters.rho, sd, reach=3.0)
    else:
        logs, transition = rouwenhorst(states, parameters.rho, sd)
    ability = np.exp(logs)
    ability /= stationary(transition) @ ability
    most = 40.0 * parameters.capital_per_labour(1 / parameters.beta - 1)
    return Household(
        discount=parameters.beta,
        crra=parameters.mu,
        disutility=0.0,
        inverse_frisch=1.0,
        hours=1.0,
        ability=ability,
        transition=transition,
        assets=asset_grid(most, points),
    )


def saving_plan(
    household: Household, wage: float, interest_rate: float, first: Plan | None = None, tolerance: float = 1e-8
) -> Plan:
    """What is best at constant prices for households who work all the time and pay no tax: Carroll's (2006) method.

    For each a' the Euler equation says c, and the budget from which assets it was chosen: a = (c + a' - W e) / (1 + r).
    """
    grid, conditions = household.assets, Conditions(wage, interest_rate)
    earning = wage * household.ability[:, None]
    income, cash = earning + interest_rate * grid, earning + (1 + interest_rate) * grid
    always = np.ones_like(cash)
    plan = first or Plan(cash, always, income, np.zeros_like(cash))
    while True:
        consumption = expected_marginal_utility(household, conditions, plan) ** (-1 / household.crra)
        owned = (consumption + grid - earning) / (1 + interest_rate)
        kept = np.clip(across(grid, owned, np.broadcast_to(grid, owned.shape)), 0.0, grid[-1])
        kept = np.where(grid < owned[:, :1], 0.0, kept)
        following = Plan(cash - kept, always, income, kept)
        change = np.max(np.abs(following.consumption / plan.consumption - 1))
        plan = following
        if change < tolerance:
            return plan


def equilibrium(parameters: Parameters, household: Household | None = None, tolerance: float = 1e-5) -> Equilibrium:
    """The stationary equilibrium, with the interest rate to within `tolerance`."""
    household = household or aiyagari_household(parameters)
    low, high = -0.9 * parameters.delta, 1 / parameters.beta - 1 - 1e-7
    plan: Plan | None = None
    while high - low > tolerance:
        rate = (low + high) / 2
        plan = saving_plan(household, parameters.wage(rate), rate, plan)
        saved = long_run(household, plan)
        if saved.assets > parameters.capital_per_labour(rate) * saved.labour:
            high = rate
        else:
            low = rate
    assert plan is not None
    return Equilibrium(
        parameters=parameters,
        interest_rate=rate,
        wage=parameters.wage(rate),
        saving_rate=parameters.delta * parameters.alpha / (rate + parameters.delta),
        capital=saved.assets,
        household=household,
        plan=plan,
        long_run=saved,
    )


@lru_cache(maxsize=8)
def usual_equilibrium(parameters: Parameters) -> Equilibrium:
    """`equilibrium` with the usual household, solved once a process."""
    return equilibrium(parameters)
