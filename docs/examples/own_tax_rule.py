"""A tax rule of your own: a flat tax on what exceeds an exempt amount, beside a free market.

    python docs/examples/own_tax_rule.py

docs/extend.md walks through this file.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from envs import StackelbergMeanFieldGame, make
from envs.economy.taxation import Schedule
from envs.game import Array
from policies import LeaderPolicy, registry
from policies.tax_rule import TaxRule
from rllib_smfg.rollout import evaluate

SHOWN = ("per_capita_gdp", "social_welfare", "income_gini", "wealth_gini", "years")


@dataclass(frozen=True)
class Flat:
    """rate x max(x - exempt, 0): amounts and `exempt` in dollars, rate from 0 to 1."""

    rate: float
    exempt: float

    def tax(self, x: Array) -> Array:
        """Tax owed on x."""
        owed: Array = self.rate * np.maximum(x - self.exempt, 0.0)
        return owed

    def marginal_rate(self, x: Array) -> Array:
        """Tax owed on one dollar more."""
        return np.where(x > self.exempt, self.rate, 0.0)


class FlatTax(TaxRule):
    """A government that taxes incomes by `Flat` in every year; a rule with a memory would look at `year`."""

    def __init__(self, game: StackelbergMeanFieldGame, rate: float = 0.25, exempt: float = 12_000.0) -> None:
        super().__init__(game)
        self._schedule = Flat(rate, exempt)

    def schedule(self, year: NDArray[np.int64]) -> Schedule:
        """The same for every game and year."""
        return self._schedule


def compare(followers: int = 100, episodes: int = 16, seed: int = 1) -> dict[str, dict[str, float]]:
    """Means over episodes under both governments, with households cloned from the survey, who meet the same luck."""
    game = make("economy", games=episodes, followers=followers)
    households = registry.follower("real_data", game)
    rules: dict[str, LeaderPolicy] = {"flat tax": FlatTax(game), "free market": registry.leader("free_market", game)}
    found = {name: evaluate(game, rule, households, seed) for name, rule in rules.items()}
    return {name: {k: float(values[k].mean()) for k in SHOWN} for name, values in found.items()}


if __name__ == "__main__":
    for rule, indicators in compare().items():
        print(f"{rule:12}", "  ".join(f"{name} {value:.4g}" for name, value in indicators.items()))
