"""Aggregate shocks that strike in given years of an episode."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from envs.game import Array


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
