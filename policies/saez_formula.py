"""The optimal nonlinear income tax of Saez (2001) from observed incomes, as pure functions; the paper's appendix C.

    tau(z) = (1 - G(z)) / (1 - G(z) + alpha(z) e)

Incomes are sorted into K bins of equal width from 0 to the top cutoff and one bin of everything above it. Within a bin,
half of the incomes are taken to lie above its middle.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from envs.game import Array

Vector = NDArray[np.float64]

CUTOFFS: Vector = np.array([0.0, 1e6, 2e6, 3e6, 4e6])  # dollars
BINS = 100  # a multiple of the number of brackets below the top


def elasticity_estimate(incomes: Array, rates: Array) -> float | None:
    """The slope of log income on log(1 - marginal rate) by ordinary least squares, at least 0.

    incomes, rates: (P,), observed pairs; those with an income of 0 or a rate of 1 have no logarithm and are left out.
    None where the remaining rates do not differ: nothing can be learned from them.
    """
    usable = (incomes > 0) & (rates < 1)
    kept, income = np.log1p(-rates[usable]), np.log(incomes[usable])
    if not usable.any() or np.ptp(kept) < 1e-9:
        return None
    deviation = kept - kept.mean()
    return max(0.0, float(deviation @ (income - income.mean()) / (deviation @ deviation)))


def welfare_weights(incomes: Array) -> Vector:
    """What a dollar more to each income is worth to the planner, not normalised: g = 1 / max(1, z), (P,)."""
    return 1 / np.maximum(1.0, incomes)


def bin_edges() -> Vector:
    """Edges of the K bins, (K + 1,); the last is the cutoff of the top bin."""
    return np.linspace(CUTOFFS[0], CUTOFFS[-1], BINS + 1)


def mass_by_bin(incomes: Array, weights: Array) -> Vector:
    """The weights of all incomes that fall into each bin, (K + 1,); the last bin has no upper edge."""
    index = np.searchsorted(bin_edges(), incomes, side="right") - 1
    return np.bincount(np.maximum(index, 0), weights=weights, minlength=BINS + 1).astype(np.float64)


def mass_above(mass: Vector) -> Vector:
    """The mass above the middle of each bin, (K + 1,); for the top bin, all of its own."""
    own, higher = np.append(mass[:-1] / 2, mass[-1]), np.append(np.cumsum(mass[:0:-1])[::-1], 0.0)
    above: Vector = own + higher
    return above


def welfare_weight_above(incomes: Array) -> Vector:
    """G(z): the mean welfare weight of incomes above z over that of all incomes, (K + 1,); 1 where there are none."""
    weights = welfare_weights(incomes)
    above = mass_above(mass_by_bin(incomes, np.ones_like(incomes)))
    weight_above = mass_above(mass_by_bin(incomes, weights))
    mean = np.divide(weight_above, above, out=np.full(BINS + 1, weights.mean()), where=above > 0)
    relative: Vector = np.minimum(1.0, mean / weights.mean())
    return relative


def pareto_parameter(incomes: Array) -> Vector:
    """alpha(z) = z f(z) / (1 - F(z)) at the middle of each bin, (K + 1,); 0 where nobody earns as much.

    In the top bin it is Saez's mean income above the cutoff over what it exceeds the cutoff by: a Pareto tail has the
    same value everywhere.
    """
    edges, share = bin_edges(), mass_by_bin(incomes, np.full(len(incomes), 1 / len(incomes)))
    above, top = mass_above(share), incomes[incomes >= edges[-1]]
    middle, density = (edges[1:] + edges[:-1]) / 2, share[:-1] / np.diff(edges)
    alpha = np.divide(middle * density, above[:-1], out=np.zeros(BINS), where=above[:-1] > 0)
    excess = max(float(top.mean() - edges[-1]), 1e-6) if top.size else np.inf
    return np.append(alpha, top.mean() / excess if top.size else 0.0)


def optimal_rates(weight_above: Vector, alpha: Vector, elasticity: float) -> Vector:
    """tau = (1 - G) / (1 - G + alpha e), elementwise; 0 where G = 1, as nothing is gained from taxing there."""
    gain = 1 - weight_above
    # sums leave G a rounding error below 1, which would mean a rate of 1 where e = 0
    return np.divide(gain, gain + alpha * elasticity, out=np.zeros_like(gain), where=gain > 1e-12)


def binned_rates(incomes: Array, elasticity: float) -> Vector:
    """The optimal rate of each bin, (K + 1,); bins that hold no income lie on straight lines between those that do."""
    rates = optimal_rates(welfare_weight_above(incomes), pareto_parameter(incomes), elasticity)
    occupied = np.flatnonzero(mass_by_bin(incomes, np.ones_like(incomes)))
    return np.interp(np.arange(BINS + 1), occupied, rates[occupied])


def bracket_rates(incomes: Array, elasticity: float) -> Vector:
    """The marginal rate of each bracket, in [0, 1], (5,): the mean over its bins, and the top bin's own rate."""
    rates = binned_rates(incomes, elasticity)
    means = rates[:-1].reshape(len(CUTOFFS) - 1, -1).mean(-1)
    clipped: Vector = np.clip(np.append(means, rates[-1]), 0.0, 1.0)
    return clipped
