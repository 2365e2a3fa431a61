"""Reads off households of Krusell and Smith's economy what its literature judges solutions by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from envs.economy.krusell_smith import Matrix, Parameters, Vector
from envs.economy.krusell_smith_path import CapitalPath, Forecast, drawn_phases, first_shares, simulate
from envs.economy.stationary import asset_grid
from envs.krusell_smith import LARGEST_SHARE
from policies import FollowerPolicy

QUARTERS, BURN_IN, SEED = 2500, 500, 7  # 2,000 that count, whose phases are not those of the exact solution
MOST_ASSETS, POINTS = 8.0, 300  # of the golden rule's capital
KEEP_EVERY = 25  # quarters between those in which Euler errors are read
NOTHING = 1e-12  # of those who own and earn nothing: the grid has such a point, nobody is there


def krusell_smith(follower: FollowerPolicy, **parameters: Any) -> dict[str, float]:
    """A long path under the households' own rule: how well capital is forecast, and how well they plan.

    r_squared: the smaller one of both phases' regressions of ln K' on ln K. den_haan_error: the largest relative error
    of capital over 2,000 quarters, forecast by that rule from its own forecasts; mean_den_haan_error: the mean one.
    euler_error: mean over the households met there, whoever consumes everything left out, of the relative difference
    between their consumption and what the expectation over next quarter, by the same rule, asks for. capital: the mean.
    """
    p = Parameters(**parameters)
    grid = asset_grid(MOST_ASSETS * p.golden_capital, POINTS)
    rule = LearnedRule(p, follower)
    phases = drawn_phases(p, QUARTERS, SEED)
    first = first_shares(p, grid, int(phases[0]))
    path = simulate(p, grid, rule.saving(grid), phases, first, KEEP_EVERY)
    forecast = Forecast.fitted(path, BURN_IN)
    errors = forecast.errors(path, BURN_IN)
    return {
        "capital": float(path.capital[BURN_IN:].mean()),
        "r_squared": float(forecast.r_squared.min()),
        "den_haan_error": float(errors.max()),
        "mean_den_haan_error": float(errors.mean()),
        "euler_error": _euler_error(p, rule, grid, path),
    }


class LearnedRule:
    """What households consume and keep by a policy, at assets (P,) in one state of the economy."""

    def __init__(self, parameters: Parameters, follower: FollowerPolicy) -> None:
        self.parameters, self.follower = parameters, follower

    def __call__(self, assets: Matrix, capital: float, phase: int) -> tuple[Matrix, Matrix]:
        """Consumption and its share of cash on hand (2, P), by employment, at assets (2, P)."""
        p, employed = self.parameters, np.array([[0.0], [1.0]])
        gross, wage = p.prices(capital, p.tfp[phase], p.labour[phase])
        cash = gross * assets + p.earned(employed, wage, p.labour[phase])
        seen = np.broadcast_arrays(assets, employed, np.array(capital), np.array(float(phase)))
        observation = np.stack([each.ravel() for each in seen], -1)[None]
        chosen = self.follower.act(observation, np.full((1, 1), 0.5))[0, :, 0]
        share: Matrix = np.asarray(chosen, dtype=np.float64).reshape(assets.shape)
        consumed: Matrix = share * cash
        return consumed, share

    def saving(self, grid: Vector) -> Callable[[float, int], Matrix]:
        """Assets carried on (2, A) by those who own what the grid says."""
        p, owned = self.parameters, np.broadcast_to(grid, (2, len(grid)))

        def carried(capital: float, phase: int) -> Matrix:
            gross, wage = p.prices(capital, p.tfp[phase], p.labour[phase])
            cash = gross * owned + p.earned(np.array([[0.0], [1.0]]), wage, p.labour[phase])
            found: Matrix = cash - self(owned, capital, phase)[0]
            return found

        return carried


def _euler_error(p: Parameters, rule: LearnedRule, grid: Vector, path: CapitalPath) -> float:
    """Of the households met in the quarters that were kept, weighted by how many they are."""
    error, weight = 0.0, 0.0
    owned, saving = np.broadcast_to(grid, (2, len(grid))), rule.saving(grid)
    for quarter, share in path.kept:
        if quarter < BURN_IN:
            continue
        capital, phase = float(path.capital[quarter]), int(path.phases[quarter])
        consumed, consumed_share = rule(owned, capital, phase)
        carried = saving(capital, phase)
        wanted = _wanted(p, rule, carried, float((share * carried).sum()), phase)
        met = share * ((consumed_share < LARGEST_SHARE) & (consumed > NOTHING))
        error += float((met * np.abs(wanted / np.maximum(consumed, NOTHING) - 1)).sum())
        weight += float(met.sum())
    return error / weight


def _wanted(p: Parameters, rule: LearnedRule, carried: Matrix, next_capital: float, phase: int) -> Matrix:
    """1 / (beta E[(1 + r') / c']) (2, A) of those who carry on assets (2, A), by this quarter's employment."""
    worth = np.zeros_like(carried)
    for then in (0, 1):
        gross, _ = p.prices(next_capital, p.tfp[then], p.labour[then])
        for now in (0, 1):
            ahead = rule(np.broadcast_to(carried[now], carried.shape), next_capital, then)[0]
            worth[now] += p.transition[phase, now, then] @ (gross / np.maximum(ahead, NOTHING))
    return 1 / (p.beta * worth)
