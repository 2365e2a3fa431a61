"""A long path of Krusell and Smith's economy under any saving rule, its households as shares on a grid: no luck but z.

And what their paper reads off it: how well a log-linear rule forecasts capital, and what it costs to believe it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from envs.economy.krusell_smith import Matrix, Parameters, Vector

Phases = NDArray[np.int64]
# assets carried on (2, A), by employment and by the grid's assets, at a capital K in a phase
SavingRule = Callable[[float, int], Matrix]


@dataclass(frozen=True)
class CapitalPath:
    """Capital (T,) and phases (T,); and of some quarters, which they are and the households' shares (2, A)."""

    capital: Vector
    phases: Phases
    kept: list[tuple[int, Matrix]]


def drawn_phases(parameters: Parameters, quarters: int, seed: int) -> Phases:
    """Booms and recessions (T,)."""
    changes = np.random.default_rng(seed).random(quarters) >= parameters.phases[0, 0]
    found: Phases = np.cumsum(changes) % 2
    return found


def simulate(
    parameters: Parameters, grid: Vector, saving: SavingRule, phases: Phases, first: Matrix, keep_every: int = 0
) -> CapitalPath:
    """Non-stochastic simulation (Young 2010): what is carried between two points of the grid is split between them."""
    share, capital, kept, last = first, np.empty(len(phases)), [], len(grid) - 2
    moves = parameters.transition / parameters.phases[:, None, :, None]
    for t, phase in enumerate(phases):
        capital[t] = (share * grid).sum()
        if keep_every and t % keep_every == 0:
            kept.append((t, share))
        if t + 1 == len(phases):
            break
        carried = saving(float(capital[t]), int(phase))
        column = np.clip(np.searchsorted(grid, carried, side="right") - 1, 0, last)
        beyond = np.clip((carried - grid[column]) / (grid[column + 1] - grid[column]), 0.0, 1.0)
        place = column + len(grid) * np.arange(2)[:, None]
        stays = np.bincount(place.ravel(), (share * (1 - beyond)).ravel(), minlength=share.size)
        rises = np.bincount(place.ravel() + 1, (share * beyond).ravel(), minlength=share.size)
        share = moves[phase, :, phases[t + 1]].T @ (stays + rises).reshape(share.shape)
    return CapitalPath(capital, phases, kept)


def first_shares(parameters: Parameters, grid: Vector, phase: int, spread: float = 0.6) -> Matrix:
    """Shares (2, A) with log-normal assets around the golden rule's capital, employed or not as the phase has it."""
    middle = np.log(parameters.golden_capital) - spread**2 / 2
    width = np.gradient(grid)
    density = np.zeros_like(grid)
    density[1:] = np.exp(-(((np.log(grid[1:]) - middle) / spread) ** 2) / 2) / grid[1:] * width[1:]
    unemployed = parameters.unemployment[phase]
    found: Matrix = np.array([[unemployed], [1 - unemployed]]) * density / density.sum()
    return found


@dataclass(frozen=True)
class Forecast:
    """ln K' = intercept + slope ln K, (2,) each by phase, and the R2 of either regression."""

    intercept: Vector
    slope: Vector
    r_squared: Vector

    def next_capital(self, capital: Vector | float, phase: int) -> Vector:
        """K' at K."""
        found: Vector = np.exp(self.intercept[phase] + self.slope[phase] * np.log(capital))
        return found

    @classmethod
    def reverting(cls, capital: float, slope: float) -> Forecast:
        """Back to a capital, by the same slope in either phase."""
        return cls(np.full(2, (1 - slope) * np.log(capital)), np.full(2, slope), np.ones(2))

    def towards(self, other: Forecast, step: float) -> Forecast:
        """A share `step` of the way to another."""
        intercept = self.intercept + step * (other.intercept - self.intercept)
        slope = self.slope + step * (other.slope - self.slope)
        return Forecast(intercept, slope, other.r_squared)

    def gap(self, other: Forecast, log_capital: Vector) -> float:
        """The largest difference in ln K' at some ln K."""
        intercept, slope = self.intercept - other.intercept, self.slope - other.slope
        return float(np.abs(intercept[:, None] + slope[:, None] * log_capital).max())

    @classmethod
    def fitted(cls, path: CapitalPath, burn_in: int) -> Forecast:
        """By least squares over all quarters but the first."""
        now, then = np.log(path.capital[burn_in:-1]), np.log(path.capital[burn_in + 1 :])
        intercept, slope, explained = np.empty(2), np.empty(2), np.empty(2)
        for phase in (0, 1):
            these = path.phases[burn_in:-1] == phase
            x, y = now[these], then[these]
            slope[phase], intercept[phase] = np.polyfit(x, y, 1)
            rest = y - intercept[phase] - slope[phase] * x
            explained[phase] = 1 - rest.var() / y.var()
        return cls(intercept, slope, explained)

    def errors(self, path: CapitalPath, burn_in: int) -> Vector:
        """Den Haan's (2010) test: relative errors (T - burn_in,) where the rule goes on from its own forecasts.

        It is told capital once, in the first quarter that counts, and the phases.
        """
        believed = np.empty(len(path.capital) - burn_in)
        believed[0] = path.capital[burn_in]
        for t in range(1, len(believed)):
            believed[t] = self.next_capital(float(believed[t - 1]), int(path.phases[burn_in + t - 1]))
        found: Vector = np.abs(believed / path.capital[burn_in:] - 1)
        return found
