"""The Saez tax: brackets set anew every hundred years by the formula of Saez (2001) from the incomes seen lately."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from envs.economy.taxation import Brackets
from envs.game import Array, BoolArray, InvalidSetting, StackelbergMeanFieldGame, Step
from policies.saez_formula import CUTOFFS, bracket_rates, elasticity_estimate
from policies.tax_rule import TaxRule, economy

FIRST_ELASTICITY, SMOOTHING = 0.5, 0.98


class SaezTax(TaxRule):
    """Five brackets for each of B games, each game with a memory and luck of its own.

    A game remembers its last `memory` pairs of a household's income and marginal rate, over the end of an episode.
    Rates are set in the first year of an episode and every `reset_years` years after: uniformly random as long as the
    memory has never been full, then by the formula, with the elasticity smoothed over resets. A year whose incomes
    are no numbers (the economy reports them as 0) is not remembered.
    seed: of the random rates. spending_share: see `TaxRule`.
    """

    remembers = True
    nearest_taxes = (0.47, 0.0005, 0.0, 0.0)

    def __init__(
        self,
        game: StackelbergMeanFieldGame,
        seed: int,
        spending_share: float | None = None,
        reset_years: int = 100,
        memory: int = 500,
    ) -> None:
        super().__init__(game, spending_share)
        for name, value in (("reset_years", reset_years), ("memory", memory)):
            if value < 1:
                raise InvalidSetting(f"{name} = {value}: must be at least 1")
        self._reset_years, self._memory = reset_years, memory
        self._random = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(game.n_games)]
        self._incomes, self._marginal_rates = np.zeros((2, game.n_games, memory))
        self._remembered = np.zeros(game.n_games, dtype=np.int64)
        self.elasticity = np.full(game.n_games, FIRST_ELASTICITY)
        self.rates = np.zeros((game.n_games, len(CUTOFFS)))
        self._schedule = Brackets(CUTOFFS, self.rates)

    def schedule(self, year: NDArray[np.int64]) -> Brackets:
        """The brackets of each game, which change where `year` (B,) is a multiple of `reset_years`."""
        due = np.flatnonzero(year % self._reset_years == 0)
        if due.size:
            for game in due.tolist():
                self.rates[game] = self._new_rates(game)
            self._schedule = Brackets(CUTOFFS, self.rates.copy())
        return self._schedule

    def enact(self, game: StackelbergMeanFieldGame, leader_action: Array, follower_action: Array) -> Step:
        """Plays the year under the brackets and remembers what it shows."""
        step = super().enact(game, leader_action, follower_action)
        flows = economy(game).flows
        assert flows is not None
        self._remember(flows.income, self._schedule.marginal_rate(flows.income), np.any(flows.income > 0, axis=-1))
        return step

    def _new_rates(self, game: int) -> NDArray[np.float64]:
        if self._remembered[game] < self._memory:
            return self._random[game].uniform(0.0, 1.0, len(CUTOFFS))
        estimate = elasticity_estimate(self._incomes[game], self._marginal_rates[game])
        if estimate is not None:
            self.elasticity[game] = SMOOTHING * self.elasticity[game] + (1 - SMOOTHING) * estimate
        return bracket_rates(self._incomes[game], float(self.elasticity[game]))

    def _remember(self, incomes: Array, rates: Array, games: BoolArray) -> None:
        """Adds the pairs (B, N) of the games in `games` (B,); the oldest fall out."""
        for memory, seen in ((self._incomes, incomes), (self._marginal_rates, rates)):
            memory[games] = np.concatenate([memory, seen], axis=-1)[games, -self._memory :]
        self._remembered[games] += incomes.shape[-1]
