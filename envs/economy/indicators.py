"""Measures of inequality, and means of the richest and the poorest. Shapes: (B, N) to (B, 1)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from envs.economy.arrays import Total, cast, namespace, place, positive, total
from envs.economy.state import EconomyState, Flows
from envs.game import Array, BoolArray


def gini(x: Array, shift: float = 0.0, total: Total = total) -> Array:
    """sum_k (2k - N - 1) x_(k) / (N sum_k |x_(k)|) over ascending x_(k) + shift, (B, 1).

    With shift 1e-7 this is the paper's gini. With shift 0 it equals 1 - 2 * area under the Lorenz curve by the
    trapezoid rule, origin included (`taxai`), for amounts that are not negative. With amounts below 0 the absolute
    amounts in the denominator keep it below 1 (Raffinetti, Siletti and Vernizzi 2015, up to N / (N - 1)); the plain sum
    would not. Not defined (not a number) where there is nothing.
    """
    if namespace(x) is np:
        return gini_of_ascending(np.sort(x, axis=-1), shift)
    weights = cast(2 * place(x) - (x.shape[-1] - 1), x)
    return _gini(x, weights, shift, total)


def gini_of_ascending(ascending: Array, shift: float = 0.0) -> Array:
    """The same, of amounts that already ascend along the last axis."""
    return _gini(ascending, _rank_weights(ascending.shape[-1]), shift, total)


def _gini(x: Array, weights: Array, shift: float, total: Total) -> Array:
    households = x.shape[-1]
    amounts = abs(x) if (x < 0).any() else x
    # the weights sum to 0: the shift moves the denominator only
    concentration, amount = total(x * weights), total(amounts) + households * shift
    if namespace(x) is not np:
        defined: Array = concentration / positive(households * amount)
        return defined
    with np.errstate(invalid="ignore"):
        measured: Array = concentration / (households * amount)
    return measured


def gini_of_taxed(taxed: Array, shift: float = 0.0) -> Array:
    """The gini of what taxes leave of amounts that ascend, (B, N); a marginal rate above 1 upsets their order."""
    upset = np.any(taxed[:, 1:] < taxed[:, :-1])
    return gini_of_ascending(np.sort(taxed, axis=-1) if upset else taxed, shift)


@lru_cache(maxsize=4)
def _rank_weights(households: int) -> Array:
    """2k - N - 1 for k = 1..N."""
    return np.arange(1.0 - households, households, 2.0)


def lorenz_curve(x: Array, points: int = 101) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shares of the population from 0 to 1, (points,), and the share of x that the poorest hold, (B, points)."""
    ascending = np.sort(x, axis=-1).astype(np.float64)
    held = np.concatenate([np.zeros((len(x), 1)), np.cumsum(ascending, axis=-1)], axis=-1)
    held /= held[:, -1:]
    households, population = np.linspace(0, 1, x.shape[-1] + 1), np.linspace(0, 1, points)
    return population, np.stack([np.interp(population, households, row) for row in held])


@dataclass(frozen=True)
class Groups:
    """Two groups of N households, by rank: the first `top` in falling order, and the last `bottom`."""

    households: int
    top: int
    bottom: int

    @classmethod
    @cache
    def of(cls, households: int, top_share: float, bottom_share: float) -> Groups:
        """Top: floor(share N), at least one. Bottom: everybody after the first floor(share N)."""
        return cls(households, max(1, int(top_share * households)), households - int(bottom_share * households))


def group_means(groups: Groups, ascending: Array) -> tuple[Array, Array]:
    """Means of the top and of the bottom group of amounts that ascend, (B, 1) each."""
    top, bottom = ascending[:, groups.households - groups.top :], ascending[:, : groups.bottom]
    return total(top) / groups.top, total(bottom) / groups.bottom


def group_means_by_rank(groups: Groups, x: Array, ranked_by: Array, ascending: Array) -> tuple[Array, Array]:
    """Means of x in the top and the bottom group by `ranked_by`, whose ascending order is given, (B, 1) each.

    Households of equal rank stand in their order in the array: they need ranking one by one only where a tie lies
    across the border of a group.
    """
    poorest_of_top, richest_of_bottom = groups.households - groups.top, groups.bottom - 1
    top = ranked_by >= ascending[:, poorest_of_top, None]
    bottom = ranked_by <= ascending[:, richest_of_bottom, None]
    games = len(x)
    if np.count_nonzero(top) != games * groups.top or np.count_nonzero(bottom) != games * groups.bottom:
        top, bottom = ranked_groups(groups, ranked_by)
    return mean_of_some(x, top, groups.top, total), mean_of_some(x, bottom, groups.bottom, total)


def mean_of_some(x: Array, which: BoolArray, count: int, total: Total) -> Array:
    """Mean of x over so many households of a game, those of the mask, (B, 1)."""
    mean: Array = total(x * which) / count
    return mean


def ranked_groups(groups: Groups, ranked_by: Array) -> tuple[BoolArray, BoolArray]:
    """Who is in the top group and who in the bottom group, ties by order, (B, N) each."""
    falling = place(-ranked_by)
    return falling < groups.top, falling >= groups.households - groups.bottom


def wealth_share(ascending: Array, richest: float) -> Array:
    """What the richest share of the households owns of all wealth, (B, 1), from wealth that ascends, (B, N).

    Of a household across the border its part counts: of five, the richest tenth is half of the richest one.
    Not defined (not a number) where there is nothing.
    """
    households = ascending.shape[-1]
    border = np.clip((1 - richest) * households, 0.0, households)
    border = np.round(border, 9)  # .9 of 10 is 9 and not a hair less
    whole = int(np.ceil(border))
    owned = total(ascending[:, whole:])
    if whole > border:
        owned = owned + (whole - border) * ascending[:, whole - 1 : whole].astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        share: Array = owned / total(ascending)
    return share


TENTHS = 10


def by_tenth(values: Array, ranked_by: Array) -> Array:
    """Means of values (B, N) in the tenths of each game's households by `ranked_by` (B, N), poorest first: (B, 10).

    A household across the border of two tenths counts in both by its part, so that there are ten at any N and their
    mean is the mean of all. Households of equal rank stand in their order in the array.
    """
    order = np.argsort(ranked_by, axis=-1, kind="stable")
    means: Array = np.take_along_axis(values, order, axis=-1).astype(np.float64) @ _tenths(values.shape[-1]).T
    return means


@lru_cache(maxsize=4)
def _tenths(households: int) -> Array:
    """What each household by rank counts in the mean of each tenth, (10, N)."""
    edges = np.linspace(0, households, TENTHS + 1)[:, None]
    first = np.arange(households)
    parts = np.minimum(first + 1, edges[1:]) - np.maximum(first, edges[:-1])
    counted: Array = np.maximum(parts, 0.0) * (TENTHS / households)
    return counted


def capital_output_ratio(flows: Flows, state: EconomyState) -> Array:
    """Next year's capital over GDP, K' / Y, (B, 1)."""
    return flows.next_capital / flows.gdp


def debt_to_gdp(flows: Flows, state: EconomyState) -> Array:
    """Next year's debt over GDP, B' / Y, (B, 1)."""
    return flows.next_debt / flows.gdp


def spending_to_gdp(flows: Flows, state: EconomyState) -> Array:
    """Public spending over GDP, G / Y, (B, 1)."""
    return flows.spending / flows.gdp


def transfers_to_gdp(flows: Flows, state: EconomyState) -> Array:
    """What households are paid over GDP, M / Y, (B, 1)."""
    return flows.transfers / flows.gdp


def top_10_wealth_share(flows: Flows, state: EconomyState) -> Array:
    """What the richest tenth owns of all wealth carried into the next year, (B, 1)."""
    return wealth_share(state.ascending_assets, 0.1)


def bottom_50_wealth_share(flows: Flows, state: EconomyState) -> Array:
    """What the poorer half owns of all wealth carried into the next year, (B, 1)."""
    return 1 - wealth_share(state.ascending_assets, 0.5)


def weighted_gini(x: NDArray[np.float64], weight: NDArray[np.float64]) -> float:
    """Gini of amounts x (R,) that stand for `weight` (R,) households each: trapezoid rule on the Lorenz curve.

    With amounts below 0 as `gini`. Not defined (not a number) where there is nothing.
    """
    rising = np.argsort(x, kind="stable")
    share, held = weight[rising] / weight.sum(), np.cumsum(x[rising] * weight[rising])
    amount = float((np.abs(x) * weight).sum())
    if amount == 0:
        return math.nan
    # the area between the curve of equality and that of what is held, in units of all there is
    return float((held[-1] - (share * (held + np.concatenate([[0.0], held[:-1]]))).sum()) / amount)
