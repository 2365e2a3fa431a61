"""Aggregate shocks: those that strike in given years of an episode, and productivity, which moves every year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from envs.economy.arrays import namespace, positive
from envs.game import Array

if TYPE_CHECKING:
    from envs.economy.parameters import EconomyParameters


@dataclass(frozen=True)
class Scenario:
    """Factors on TFP and on everybody's assets, by year index; 1 in all other years."""

    tfp: Mapping[int, float] = field(default_factory=dict)
    assets: Mapping[int, float] = field(default_factory=dict)

    def factors(self, year: NDArray[np.int64]) -> tuple[Array, Array]:
        """The factors on TFP and on assets in games that are in these years, (B,) to two of (B, 1)."""
        return _factors(self.tfp, year), _factors(self.assets, year)


SCENARIOS: dict[str, Scenario] = {
    "none": Scenario(),
    "financial_crisis": Scenario(assets={100: 0.5}),
    "disaster": Scenario(tfp={100: 0.8, 101: 0.8}),
}


def first_tfp(parameters: EconomyParameters, tfp: Array, luck: Array | None) -> Array:
    """TFP of the first year, (B, 1), of standard normal luck: the preset's, times productivity in its long run."""
    if luck is None:
        return tfp
    first: Array = tfp * np.exp(productivity_spread(parameters) * luck)
    return first


def next_tfp(parameters: EconomyParameters, tfp: Array, luck: Any) -> Array:
    """TFP a year later, (B, 1), of standard normal luck; without luck the same.

    Productivity A = TFP over the preset's moves by log A' = persistence log A + sd eps.
    """
    if luck is None:
        return tfp
    p, xp = parameters, namespace(tfp)
    log = p.productivity_persistence * xp.log(positive(tfp) / p.tfp) + p.productivity_sd * luck
    following: Array = p.tfp * xp.exp(log)
    return following


def productivity_luck(parameters: EconomyParameters, random: np.random.Generator, games: int) -> Array | None:
    """Standard normal luck, (B, 1); None, and nothing drawn, where productivity does not move."""
    return random.standard_normal((games, 1)) if parameters.productivity_sd > 0 else None


def productivity_spread(parameters: EconomyParameters) -> float:
    """Standard deviation of log productivity in the long run: sd / sqrt(1 - persistence^2)."""
    return float(parameters.productivity_sd / np.sqrt(1 - parameters.productivity_persistence**2))


def _factors(factor_of_year: Mapping[int, float], year: NDArray[np.int64]) -> Array:
    factors = _no_shock(len(year))
    for struck, factor in factor_of_year.items():
        factors = np.where((year == struck)[:, None], factor, factors)
    return factors


@lru_cache(maxsize=4)
def _no_shock(games: int) -> Array:
    """Ones (B, 1), the same array every year."""
    ones = np.ones((games, 1))
    ones.flags.writeable = False
    return ones
