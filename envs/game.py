"""The one interface every game is played through: B games of N followers, side by side, as arrays."""

from __future__ import annotations

from abc import ABC, abstractmethod
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from envs.outlook import Outlook
from envs.scaling import FeatureScaling

Array = NDArray[np.floating[Any]]
BoolArray = NDArray[np.bool_]


class InvalidSetting(ValueError):
    """A setting that cannot be used; its text says in one line what is wrong and what would be right."""


@dataclass(frozen=True)
class Observations:
    """What the players see before they move: `leader` (B, dl), `follower` (B, N, df), in natural units."""

    leader: Array
    follower: Array


@dataclass(frozen=True)
class Transition:
    """What one year did to B games, before any of them restarts.

    Shapes: leader_reward (B,), follower_reward (B, N), terminated (B,), each indicator (B,).
    """

    leader_reward: Array
    follower_reward: Array
    terminated: BoolArray
    indicators: dict[str, Array]


@dataclass(frozen=True)
class Step:
    """One year of B games.

    `observations` is where play goes on: a game that ended has already restarted there. `final_observations` is what
    followed the actions before any restart; bootstrap from it where `truncated`, and not at all where `terminated`.
    Shapes: leader_reward (B,), follower_reward (B, N), terminated and truncated (B,), each indicator (B,).
    """

    observations: Observations
    final_observations: Observations
    leader_reward: Array
    follower_reward: Array
    terminated: BoolArray
    truncated: BoolArray
    indicators: dict[str, Array]

    @property
    def done(self) -> BoolArray:
        """Games that ended this year, (B,)."""
        return self.terminated | self.truncated


class StackelbergMeanFieldGame(ABC):
    """B independent games, each of one leader and N followers who share a policy, played year after year.

    A year: both sides are shown `Observations`; the leader acts, the followers see its action and act, `step` moves
    the games. Actions and observations are in natural units; actions outside their box are clipped to it.

    A game writes `_start`, `_observe` and `_transition`; this class draws the line between years and episodes.
    `discount` is the factor by which both sides value next year's rewards. Two random streams keep luck comparable:
    `_start_random` draws initial states, `_shock_random` draws each year's shocks, so two policies under one seed meet
    the same shocks however long their episodes last.
    """

    name: ClassVar[str]
    discount: float
    # a typical size of one year's rewards: a learner divides by it, so that its step sizes fit any game and task
    leader_reward_scale: float = 1.0
    follower_reward_scale: float = 1.0
    # what each side knows of its own action's consequences, see `Outlook`; None: nothing
    leader_outlook: Outlook | None = None
    follower_outlook: Outlook | None = None
    leader_observation_space: Box
    leader_action_space: Box
    follower_observation_space: Box
    follower_action_space: Box
    leader_scaling: FeatureScaling
    follower_scaling: FeatureScaling

    def __init__(self, *, games: int, followers: int, horizon: int) -> None:
        for label, value in (("games", games), ("followers", followers), ("horizon", horizon)):
            if int(value) != value or value < 1:
                raise InvalidSetting(f"{label} = {value}: must be a whole number of at least 1")
        self.n_games, self.n_followers, self.horizon = int(games), int(followers), int(horizon)
        self.year = np.zeros(self.n_games, dtype=np.int64)
        self._seed(None)

    # --- what a game writes ------------------------------------------------------------------------------------
    @abstractmethod
    def _start(self, games: NDArray[np.int64]) -> None:
        """Draws the initial state of the games with these indices, from `_start_random`."""

    @abstractmethod
    def _observe(self) -> Observations:
        """What the players of all games see now; fresh arrays, not views of the state."""

    @abstractmethod
    def _transition(self, leader_action: Array, follower_action: Array) -> Transition:
        """Moves all games one year under clipped actions (B, al) and (B, N, af), with `_shock_random`'s draws."""

    # --- what everybody calls ----------------------------------------------------------------------------------
    def reset(self, seed: int | None = None) -> Observations:
        """Starts all games anew; with a seed, everything that follows is determined by it."""
        if seed is not None:
            self._seed(seed)
        self.year[:] = 0
        self._start(np.arange(self.n_games))
        return self._observe()

    def step(self, leader_action: Array, follower_action: Array) -> Step:
        """Moves every game one year under actions (B, al) and (B, N, af).

        Raises ValueError if a shape is wrong or an action is not a number.
        """
        leader_action = self._checked("leader", leader_action, self.leader_action_space, (self.n_games,))
        follower_action = self._checked(
            "follower", follower_action, self.follower_action_space, (self.n_games, self.n_followers)
        )
        return self._finish_year(self._transition(leader_action, follower_action))

    def get_state(self) -> dict[str, Any]:
        """Everything needed to go on exactly from here, random streams included."""
        return deepcopy(self.__dict__)

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes back to a state from `get_state` of a game built with the same settings."""
        self.__dict__.update(deepcopy(state))

    # --- between years -----------------------------------------------------------------------------------------
    def _finish_year(self, transition: Transition) -> Step:
        self.year += 1
        truncated = (self.year >= self.horizon) & ~transition.terminated
        final = self._observe()
        (finished,) = (transition.terminated | truncated).nonzero()
        observations = final
        if finished.size:
            self.year[finished] = 0
            self._start(finished)
            observations = self._observe()
        return Step(
            observations,
            final,
            transition.leader_reward,
            transition.follower_reward,
            transition.terminated,
            truncated,
            transition.indicators,
        )

    def _seed(self, seed: int | None) -> None:
        start, shock = np.random.SeedSequence(seed).spawn(2)
        self._start_random, self._shock_random = np.random.default_rng(start), np.random.default_rng(shock)

    @staticmethod
    def _checked(who: str, action: Array, space: Box, leading: tuple[int, ...]) -> Array:
        wanted = (*leading, *space.shape)
        if action.shape != wanted:
            raise ValueError(f"{who} action has shape {action.shape}: must be {wanted}")
        clipped = _clip(action, space.low, space.high)
        if np.isnan(np.add.reduce(clipped, None)):
            raise ValueError(f"{who} action has a value that is not a number")
        return clipped


def _clip(action: Array, low: Array, high: Array) -> Array:
    """The followers' actions component by component, each in one piece of memory: short last axes are slow in numpy."""
    if action.ndim == 2:
        return np.minimum(np.maximum(action, low), high)
    components = action.transpose(2, 0, 1)
    clipped = np.empty(components.shape, dtype=np.result_type(action, low))
    np.maximum(components, low[:, None, None], out=clipped)
    np.minimum(clipped, high[:, None, None], out=clipped)
    return clipped.transpose(1, 2, 0)
