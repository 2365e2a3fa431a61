"""The long run of an economy whose households all follow one plan: the distribution of wealth, and market clearing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csc_array, eye_array
from scipy.sparse.linalg import spsolve

from envs.economy.household_problem import Household, Matrix, Plan, Vector


@dataclass(frozen=True)
class LongRun:
    """Shares of households (S, A) in each state of ability and assets, and what they come to per household."""

    share: Matrix
    assets: float
    labour: float  # sum of e l
    working_share: float


def asset_grid(most: float, points: int) -> Vector:
    """Assets from 0 to `most`, dense where they are small."""
    grid: Vector = most * np.linspace(0, 1, points) ** 3
    return grid


def long_run(household: Household, plan: Plan) -> LongRun:
    """The distribution that reproduces itself under the plan (Young 2010: next assets split between grid points)."""
    moves = _moves(household, plan)
    size = moves.shape[0]
    # x = M x with sum x = 1: the equation of one state is replaced by the sum
    system = (eye_array(size, format="csc") - moves).tolil()
    system[0, :] = 1.0
    right = np.zeros(size)
    right[0] = 1.0
    share = np.maximum(spsolve(csc_array(system), right), 0.0).reshape(plan.consumption.shape)
    share /= share.sum()
    return LongRun(
        share=share,
        assets=float((share * household.assets).sum()),
        labour=float((share * household.ability[:, None] * plan.labour).sum()),
        working_share=float((share * plan.labour).sum()),
    )


def _moves(household: Household, plan: Plan) -> csc_array:
    """Probabilities of state (row) a year after state (column), (S A, S A)."""
    states, points = plan.next_assets.shape
    grid = household.assets
    above = np.clip(np.searchsorted(grid, plan.next_assets, side="right"), 1, points - 1)
    weight = np.clip((plan.next_assets - grid[above - 1]) / (grid[above] - grid[above - 1]), 0.0, 1.0)
    source = np.arange(states * points).reshape(states, points)
    rows, columns, values = [], [], []
    for ability in range(states):
        for place, part in ((above - 1, 1 - weight), (above, weight)):
            rows.append(ability * points + place)
            columns.append(source)
            values.append(part * household.transition[:, ability, None])
    parts = (np.concatenate([np.ravel(x) for x in each]) for each in (values, rows, columns))
    value, row, column = parts
    return csc_array(coo_array((value, (row, column)), shape=(states * points, states * points)))


def quantile_share(amounts: NDArray[np.float64], share: NDArray[np.float64], richest: float) -> float:
    """What the richest part of the households owns of all of these amounts."""
    order = np.argsort(-amounts.ravel(), kind="stable")
    owners, owned = np.cumsum(share.ravel()[order]), np.cumsum((amounts * share).ravel()[order])
    return float(np.interp(richest, owners, owned) / owned[-1])
