"""Markov chains that stand for an autoregression x' = rho x + sd eps with standard normal eps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]


def rouwenhorst(states: int, persistence: float, sd: float) -> tuple[Vector, Matrix]:
    """States (S,) and transition probabilities (S, S), whose persistence and variance are exact.

    Kopecky and Suen (2010), after Rouwenhorst (1995). sd is that of eps, not of x.
    """
    p = (1 + persistence) / 2
    transition = np.array([[p, 1 - p], [1 - p, p]])
    for size in range(3, states + 1):
        grown = np.zeros((size, size))
        grown[:-1, :-1] += p * transition
        grown[:-1, 1:] += (1 - p) * transition
        grown[1:, :-1] += (1 - p) * transition
        grown[1:, 1:] += p * transition
        grown[1:-1] /= 2
        transition = grown
    reach = sd / np.sqrt(1 - persistence**2) * np.sqrt(states - 1)
    return np.linspace(-reach, reach, states), transition


def tauchen(states: int, persistence: float, sd: float, reach: float) -> tuple[Vector, Matrix]:
    """The same by Tauchen (1986): equally spaced states up to `reach` standard deviations of x on either side."""
    grid = np.linspace(-1, 1, states) * reach * sd / np.sqrt(1 - persistence**2)
    borders = (grid[1:] + grid[:-1]) / 2
    below = norm.cdf((borders[None, :] - persistence * grid[:, None]) / sd)
    edges = np.concatenate([np.zeros((states, 1)), below, np.ones((states, 1))], axis=1)
    return grid, np.diff(edges, axis=1)


def stationary(transition: Matrix) -> Vector:
    """The long-run distribution (S,) of a chain."""
    size = len(transition)
    equations = np.vstack([transition.T - np.eye(size), np.ones(size)])
    found: Vector = np.linalg.lstsq(equations, np.append(np.zeros(size), 1.0), rcond=None)[0]
    return found
