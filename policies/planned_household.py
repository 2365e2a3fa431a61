"""Households that follow a plan solved for constant prices: the best there is for them if prices and taxes stay so."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from envs.economy.calibration import Benchmark
from envs.game import Array
from policies.policy import FollowerPolicy


class PlannedHousehold(FollowerPolicy):
    """Saving rate and working time from a benchmark's plan, by ability and assets (columns 0 and 1 of what is seen).

    Between the plan's points it is linear in the logarithm of ability and in assets. Superstars, whose ability lies far
    beyond that of all others, have the plan's last row.
    """

    def __init__(self, benchmark: Benchmark) -> None:
        plan, household, conditions = benchmark.plan, benchmark.household, benchmark.conditions
        cash = conditions.income_tax.kept(plan.income) + household.assets
        spent = (1 + conditions.consumption_tax) * plan.consumption
        self._saving, self._labour = 1 - spent / cash, plan.labour
        self._ability, self._assets = np.log(household.ability), household.assets

    def act(self, observation: Array, leader_action: Array) -> Array:
        """Actions (B, N, 2)."""
        ability, assets = np.log(observation[..., 0]).astype(np.float64), observation[..., 1].astype(np.float64)
        return np.stack([self._at(values, ability, assets) for values in (self._saving, self._labour)], axis=-1)

    def _at(self, values: Array, ability: Array, assets: Array) -> Array:
        """Values (S, A) of the plan's grid at abilities and assets (B, N)."""
        row, below = _place(self._ability, ability)
        column, left = _place(self._assets, assets)
        low = values[row, column] * (1 - left) + values[row, column + 1] * left
        high = values[row + 1, column] * (1 - left) + values[row + 1, column + 1] * left
        found: Array = low * (1 - below) + high * below
        return found


def _place(grid: Array, x: Array) -> tuple[NDArray[np.int64], Array]:
    """The grid point below each x, and how far towards the next one x lies, from 0 to 1."""
    lower = np.clip(np.searchsorted(grid, x, side="right").astype(np.int64) - 1, 0, len(grid) - 2)
    return lower, np.clip((x - grid[lower]) / (grid[lower + 1] - grid[lower]), 0.0, 1.0)
