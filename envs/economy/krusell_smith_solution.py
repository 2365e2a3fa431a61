"""Krusell and Smith's algorithm: households who forecast capital by a log-linear rule, and the rule that then holds.

The household's problem by the endogenous grid method (Carroll 2006) on a grid of assets and of capital, given the
rule; a path of the economy without other luck than the cycle's (`envs.economy.krusell_smith_path`); the rule fitted to
it; and again, until the rule is the one that was believed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from envs.economy.household_problem import across
from envs.economy.krusell_smith import Matrix, Parameters, Vector
from envs.economy.krusell_smith_path import CapitalPath, Forecast, Phases, drawn_phases, first_shares, simulate
from envs.economy.stationary import asset_grid
from envs.game import Array

StateTable = NDArray[np.float64]  # (2, 2, M, A): by phase, employment, capital and assets
MOST_ASSETS = 8.0  # of the golden rule's capital
CAPITALS = np.linspace(0.8, 1.25, 8)  # of the golden rule's capital
QUARTERS, BURN_IN, SEED = 3500, 500, 12
STEP = 0.3  # of the way from the rule that was believed to the one that held: more overshoots
MOST_ROUNDS = 60
LEAST_CONSUMPTION = 1e-9  # of the unemployed who own nothing, where there is no benefit: nobody goes there


@dataclass(frozen=True)
class KrusellSmithHousehold:
    """The household's problem on its grids: assets (A,), capital (M,)."""

    parameters: Parameters
    assets: Vector
    capital: Vector

    @classmethod
    def of(cls, parameters: Parameters, points: int = 150) -> KrusellSmithHousehold:
        """The usual grids, dense where assets are few."""
        golden = parameters.golden_capital
        return cls(parameters, asset_grid(MOST_ASSETS * golden, points), golden * CAPITALS)

    def cash(self) -> StateTable:
        """Cash on hand (2, 2, M, A)."""
        p, labour = self.parameters, self.parameters.labour[:, None]
        gross, wage = p.prices(self.capital, p.tfp[:, None], labour)
        earned = np.stack([p.earned(e, wage, labour) for e in (0.0, 1.0)], axis=1)
        found: StateTable = gross[:, None, :, None] * self.assets + earned[..., None]
        return found

    def better(self, consumption: StateTable, forecast: Forecast) -> StateTable:
        """What is best to consume today (2, 2, M, A) by those who consume so from tomorrow on."""
        p, grid, cash = self.parameters, self.assets, self.cash()
        p_next = p.transition
        found = np.empty_like(consumption)
        for phase in (0, 1):
            following = forecast.next_capital(self.capital, phase)
            worth = np.zeros((2, len(self.capital), len(grid)))  # E[(1 + r') / c'], by today's employment
            for then in (0, 1):
                gross, _ = p.prices(following, p.tfp[then], p.labour[then])
                ahead = at_capital(self.capital, consumption[then], following)
                per_unit = gross[:, None] / ahead
                worth += np.einsum("ef,fma->ema", p_next[phase, :, then], per_unit)
            chosen = 1 / (p.beta * worth)
            gross_now, _ = p.prices(self.capital, p.tfp[phase], p.labour[phase])
            earned = cash[phase, :, :, :1]
            owned = (chosen + grid - earned) / gross_now[:, None]
            rows = owned.reshape(-1, len(grid))
            kept = across(grid, rows, np.broadcast_to(grid, rows.shape)).reshape(owned.shape)
            kept = np.where(grid < owned[..., :1], 0.0, np.clip(kept, 0.0, grid[-1]))
            found[phase] = np.maximum(cash[phase] - kept, LEAST_CONSUMPTION)
        return found

    def plan(self, forecast: Forecast, first: StateTable | None = None, tolerance: float = 1e-7) -> StateTable:
        """Consumption (2, 2, M, A) of households who believe the forecast."""
        consumption = 0.05 * self.cash() + 1e-3 if first is None else first
        while True:
            better = self.better(consumption, forecast)
            change = np.max(np.abs(better / consumption - 1))
            consumption = better
            if change < tolerance:
                return consumption


def at_capital(grid: Vector, values: StateTable, capital: Vector) -> StateTable:
    """Values (..., M, A) on a grid of capital at other capitals (P,), by straight lines: (..., P, A)."""
    below = np.clip(np.searchsorted(grid, capital, side="right") - 1, 0, len(grid) - 2)
    beyond = ((capital - grid[below]) / (grid[below + 1] - grid[below]))[:, None]
    low, high = values[..., below, :], values[..., below + 1, :]
    found: StateTable = low + beyond * (high - low)
    return found


@dataclass(frozen=True)
class ForecastEquilibrium:
    """Households who believe the forecast that holds, and a path of their economy."""

    household: KrusellSmithHousehold
    consumption: StateTable
    forecast: Forecast
    path: CapitalPath

    @property
    def mean_capital(self) -> float:
        """Over the path, per household."""
        return float(self.path.capital[BURN_IN:].mean())

    def consumed(self, assets: Vector, employed: Vector, capital: float, boom: int) -> Vector:
        """c (N,) of households in one economy; employed is 0 or 1."""
        table = at_capital(self.household.capital, self.consumption[boom], np.array([capital]))[:, 0]
        by_employment = [np.interp(assets, self.household.assets, row) for row in table]
        found: Vector = np.where(employed > 0.5, by_employment[1], by_employment[0])
        return found

    def consumed_share(self, observation: Array) -> Vector:
        """c / cash on hand (N,) of households in one economy who observe (a, e, K, boom), (N, 4)."""
        p, (assets, employed) = self.household.parameters, observation[:, :2].T
        capital, boom = float(observation[0, 2]), int(observation[0, 3])
        gross, wage = p.prices(capital, p.tfp[boom], p.labour[boom])
        cash = gross * assets + p.earned(employed, wage, p.labour[boom])
        found: Vector = self.consumed(assets, employed, capital, boom) / np.maximum(cash, LEAST_CONSUMPTION)
        return found


def forecast_equilibrium(
    parameters: Parameters, household: KrusellSmithHousehold | None = None, tolerance: float = 1e-5
) -> ForecastEquilibrium:
    """Krusell and Smith's fixed point: believed and held rules differ by at most `tolerance` in ln K'."""
    h = household or KrusellSmithHousehold.of(parameters)
    phases = drawn_phases(parameters, QUARTERS, SEED)
    usual = np.log(h.capital[[2, -3]])
    believed = Forecast.reverting(parameters.golden_capital, 0.96)
    plan: StateTable | None = None
    for _ in range(MOST_ROUNDS):
        plan = h.plan(believed, plan)
        path = _lived(h, plan, phases)
        held = Forecast.fitted(path, BURN_IN)
        if held.gap(believed, usual) < tolerance:
            return ForecastEquilibrium(h, plan, held, path)
        believed = believed.towards(held, STEP)
    raise RuntimeError(f"no forecast that holds after {MOST_ROUNDS} rounds")


def _lived(h: KrusellSmithHousehold, plan: StateTable, phases: Phases) -> CapitalPath:
    """The path of an economy whose households follow a plan."""
    kept = h.cash() - plan

    def saving(capital: float, phase: int) -> Matrix:
        return at_capital(h.capital, kept[phase], np.array([capital]))[:, 0]

    first = first_shares(h.parameters, h.assets, int(phases[0]))
    return simulate(h.parameters, h.assets, saving, phases, first)


@lru_cache(maxsize=8)
def usual_forecast_equilibrium(parameters: Parameters) -> ForecastEquilibrium:
    """`forecast_equilibrium` with the usual grids, solved once a process."""
    return forecast_equilibrium(parameters)
