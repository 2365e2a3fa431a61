"""Fixed points x = g(x) by Anderson's (1965) mixing: what plain damping learns of the map is used."""

from __future__ import annotations

import numpy as np

from envs.economy.household_problem import Vector


class Mixing:
    """Proposes the next x from the last ones and their residuals g(x) - x, by least squares (type II of Walker and Ni).

    damping: the share of the residual that is followed. memory: how many earlier rounds count.
    """

    def __init__(self, damping: float = 0.5, memory: int = 8) -> None:
        self._damping, self._memory = damping, memory
        self._points: list[Vector] = []
        self._residuals: list[Vector] = []

    def next(self, x: Vector, residual: Vector) -> Vector:
        """The next x."""
        self._points.append(x)
        self._residuals.append(residual)
        self._points, self._residuals = self._points[-self._memory - 1 :], self._residuals[-self._memory - 1 :]
        proposed = x + self._damping * residual
        if len(self._points) > 1:
            moved = np.diff(np.stack(self._points), axis=0).T
            changed = np.diff(np.stack(self._residuals), axis=0).T
            weights = np.linalg.lstsq(changed, residual, rcond=1e-10)[0]
            proposed = proposed - (moved + self._damping * changed) @ weights
        return proposed

    def forget(self) -> None:
        """Starts anew."""
        self._points.clear()
        self._residuals.clear()
