"""Games whose year is arithmetic: one text of pure functions, which numpy plays and torch differentiates.

A game that is written this way can be learned by structural SMFRL (`rllib_smfg.structural`). It says what happens in a
year as a function of its state, both sides' actions and this year's shocks, with operators and the functions of the
arrays' own namespace (`namespace`), draws its shocks outside of that function, and takes every mean over households by
the function `mean` that it is handed. That is the one declaration of what is aggregate: a learner that passes a `mean`
without a derivative has households who take prices as given, one that passes the plain mean has a team.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from envs.game import Array, Observations, StackelbergMeanFieldGame, Transition

# arrays by name: (B, N) what belongs to households, (B, 1) what belongs to a game
Arrays = Mapping[str, Any]
# a mean over households, (B, N) -> (B, 1) (or (B, N), where each household's own share of it is told apart)
Mean = Callable[[Any], Any]


def plain_mean(x: Any) -> Any:
    """The mean over households, (B, N) -> (B, 1)."""
    return x.mean(axis=-1, keepdims=True)


def namespace(x: Any) -> ModuleType:
    """The module whose functions fit the array x: numpy or torch."""
    if isinstance(x, np.ndarray | np.generic | float | int):
        return np
    import torch

    return torch


@dataclass(frozen=True)
class Outcome:
    """What a year comes to.

    leader_reward (B, 1); follower_reward (B, N); state: the next one; ended (B, 1) bool: games that end with this year,
    None where the game has no end; strain (B, 1): a smooth price, at least 0 and 0 at a distance, of coming near such
    an end, in units of the leader's reward (a path's derivative does not see a cliff); indicators: what is
    reported, (B, 1) each, in numpy alone.
    """

    leader_reward: Any
    follower_reward: Any
    state: Arrays
    ended: Any = None
    strain: Any = None
    indicators: Mapping[str, Any] = field(default_factory=dict)


class ArithmeticGame(StackelbergMeanFieldGame):
    """A game written as pure functions; this class steps it in numpy.

    Class attributes name what is seen and done, in the order of the boxes' components. `carried` names the number of a
    household's state that its own actions move (its assets), or several (its assets, its skill), None where there is
    none: what a household does then has no consequence but this year's reward. `saved_by` names the decision that moves
    it most directly, one for each number (None: the first ones). `price_taking`: households take means as given, as if
    there were infinitely many of them; False where each of N counts its own share 1/N of them. `governed`: whether
    anything follows from what the leader does.
    """

    leader_observes: ClassVar[tuple[str, ...]]
    follower_observes: ClassVar[tuple[str, ...]]
    instruments: ClassVar[tuple[str, ...]]
    decisions: ClassVar[tuple[str, ...]]
    carried: ClassVar[str | tuple[str, ...] | None] = None
    saved_by: ClassVar[str | tuple[str, ...] | None] = None
    price_taking: ClassVar[bool] = True
    governed: ClassVar[bool] = True

    state: Arrays

    # --- what a game writes ------------------------------------------------------------------------------------
    @abstractmethod
    def first_state(self, random: np.random.Generator, games: int) -> Arrays:
        """The state before the first year of so many games, drawn from `random`."""

    @abstractmethod
    def shocks(self, random: np.random.Generator, year: NDArray[np.int64]) -> Arrays:
        """This year's shocks of games that are in these years (B,), drawn from `random`."""

    @abstractmethod
    def observe(self, state: Arrays, mean: Mean) -> tuple[Sequence[Any], Sequence[Any]]:
        """What the leader sees, (B, 1) each, and what a follower sees, (B, N) or (B, 1) each, in natural units."""

    @abstractmethod
    def advance(
        self, state: Arrays, leader: Sequence[Any], follower: Sequence[Any], shocks: Arrays, mean: Mean
    ) -> Outcome:
        """One year under actions within their boxes: instruments (B, 1) each, decisions (B, N) each."""

    # --- stepping it in numpy ------------------------------------------------------------------------------------
    def _start(self, games: NDArray[np.int64]) -> None:
        fresh = self.first_state(self._start_random, games.size)
        if games.size == self.n_games:
            self.state = dict(fresh)
            return
        state = {}
        for name, old in self.state.items():
            state[name] = old.copy()
            state[name][games] = fresh[name]
        self.state = state

    def _observe(self) -> Observations:
        leader, follower = self.observe(self.state, plain_mean)
        shape = (self.n_games, self.n_followers)
        seen = [np.broadcast_to(x, shape) for x in follower]
        return Observations(np.concatenate(list(leader), axis=-1), np.stack(seen, axis=-1))

    def _transition(self, leader_action: Array, follower_action: Array) -> Transition:
        instruments = [leader_action[:, k, None] for k in range(leader_action.shape[-1])]
        decisions = [follower_action[..., k] for k in range(follower_action.shape[-1])]
        shocks = self.shocks(self._shock_random, self.year)
        outcome = self.advance(self.state, instruments, decisions, shocks, plain_mean)
        self.state = outcome.state
        ended = np.zeros(self.n_games, dtype=bool) if outcome.ended is None else outcome.ended[:, 0]
        indicators = {name: x[:, 0] for name, x in outcome.indicators.items()}
        return Transition(outcome.leader_reward[:, 0], outcome.follower_reward, ended, indicators)
