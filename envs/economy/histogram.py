"""How households are distributed over abilities and assets, as shares on a grid, and how they move on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from envs.economy.household_problem import Household, Matrix, Plan, Vector
from envs.economy.markov import stationary


@dataclass(frozen=True)
class Moves:
    """Where those who stand at each point (S, A) of a grid carry their assets: to two neighbours of it (Young 2010)."""

    column: NDArray[np.int64]
    beyond: Matrix

    @classmethod
    def of(cls, grid: Vector, next_assets: Matrix) -> Moves:
        """Shares are split so that mean assets are kept exactly; beyond the grid's ends they stay at the end."""
        column = np.clip(np.searchsorted(grid, next_assets, side="right") - 1, 0, len(grid) - 2)
        beyond = np.clip((next_assets - grid[column]) / (grid[column + 1] - grid[column]), 0.0, 1.0)
        return cls(column, beyond)

    def forward(self, household: Household, share: Matrix) -> Matrix:
        """The shares (S, A) a year later."""
        states, points = share.shape
        place = self.column + points * np.arange(states)[:, None]
        stays = np.bincount(place.ravel(), (share * (1 - self.beyond)).ravel(), minlength=share.size)
        rises = np.bincount(place.ravel() + 1, (share * self.beyond).ravel(), minlength=share.size)
        following: Matrix = household.transition.T @ (stays + rises).reshape(states, points)
        return following

    def expected(self, household: Household, values: Matrix) -> Matrix:
        """E of next year's values (S, A) at each point, (S, A): the transpose of `forward`."""
        ahead = household.transition @ values
        states = np.arange(len(values))[:, None]
        low, high = ahead[states, self.column], ahead[states, self.column + 1]
        found: Matrix = low + (high - low) * self.beyond
        return found


def settled(household: Household, plan: Plan) -> Matrix:
    """The shares (S, A) that reproduce themselves under a plan."""
    from envs.economy.stationary import long_run

    return long_run(household, plan).share


def shares_of(household: Household, ability: Vector, superstar: NDArray[np.bool_], assets: Vector) -> Matrix:
    """Households (N,) as shares on the grid (S, A); mean assets are kept exactly.

    Normal abilities are told by their rank: each state of the chain gets its long-run share of them, in order.
    """
    grid, normal = household.assets, len(household.ability) - 1
    among = stationary(household.transition)
    rank = np.empty(len(ability))
    order = np.argsort(ability[~superstar], kind="stable")
    places = np.empty(len(order))
    places[order] = (np.arange(len(order)) + 0.5) / len(order)
    rank[~superstar] = places
    edges = np.cumsum(among[:normal]) / among[:normal].sum()
    state = np.where(superstar, normal, np.searchsorted(edges[:-1], rank))
    column = np.clip(np.searchsorted(grid, assets, side="right") - 1, 0, len(grid) - 2)
    beyond = np.clip((assets - grid[column]) / (grid[column + 1] - grid[column]), 0.0, 1.0)
    share = np.zeros((len(household.ability), len(grid)))
    np.add.at(share, (state, column), 1 - beyond)
    np.add.at(share, (state, column + 1), beyond)
    # superstars are as many as in the long run, whatever the draw
    share[:normal] *= among[:normal].sum() / max(share[:normal].sum(), 1e-300)
    if share[normal].sum() > 0:
        share[normal] *= among[normal] / share[normal].sum()
    share /= share.sum()
    return share


def mean_at_the_top(values: Matrix, ranked_by: Matrix, share: Matrix, top: float) -> float:
    """Mean of values over the share `top` of the households with the largest `ranked_by`."""
    order = np.argsort(-ranked_by, axis=None, kind="stable")
    weights = share.ravel()[order]
    upto = np.cumsum(weights)
    inside = np.clip(top - (upto - weights), 0.0, weights)
    return float(inside @ values.ravel()[order] / top)


def tenths(grid: Vector, share: Matrix) -> list[Matrix]:
    """The shares (S, A) of each tenth of the households by assets, poorest first; each sums to a tenth."""
    by_assets = share.sum(axis=0)
    upto = np.cumsum(by_assets)
    found = []
    for k in range(10):
        inside = np.clip(np.minimum(upto, (k + 1) / 10) - np.maximum(upto - by_assets, k / 10), 0.0, None)
        part = np.divide(inside, by_assets, out=np.zeros_like(inside), where=by_assets > 0)
        found.append(share * part)
    return found


def tenths_by(values: Matrix, share: Matrix) -> list[Matrix]:
    """The shares (S, A) of each tenth of the households by values (S, A), smallest first; each sums to a tenth."""
    order = np.argsort(values, axis=None, kind="stable")
    weights = share.ravel()[order]
    upto = np.cumsum(weights)
    found = []
    for k in range(10):
        inside = np.clip(np.minimum(upto, (k + 1) / 10) - np.maximum(upto - weights, k / 10), 0.0, None)
        part = np.empty_like(inside)
        part[order] = inside
        found.append(part.reshape(share.shape))
    return found
