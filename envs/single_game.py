"""One game seen player by player, by name: what the views for PettingZoo and RLlib have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from envs.game import Array, InvalidSetting, StackelbergMeanFieldGame
from envs.registry import make

GOVERNMENT = "government"

Vector = NDArray[np.float64]
GameOrName = str | Callable[..., StackelbergMeanFieldGame]


@dataclass(frozen=True)
class SingleYear:
    """What one year brought: each player's reward by name, whether the game ended, and its indicators."""

    rewards: dict[str, float]
    terminated: bool
    truncated: bool
    indicators: dict[str, float]


class SingleGame:
    """A single game of a government and N households: players by name, everything in natural units and float64.

    `game` is a registered name or a game class; `settings` are the game's own, without `games`. A household's informed
    observation is what it sees by itself, (df,), followed by the government's latest action, (al,); before the first
    year that is zeros, clipped to the government's action space. After the last year the players see where it left
    them, until `reset`.

    Raises InvalidSetting for an unknown game or setting.
    """

    def __init__(self, game: GameOrName, settings: Mapping[str, Any]) -> None:
        if "games" in settings:
            raise InvalidSetting(f"games = {settings['games']}: a view shows a single game; leave 'games' out")
        self.game = make(game, games=1, **settings) if isinstance(game, str) else game(games=1, **settings)
        self.households = [f"household_{i}" for i in range(self.game.n_followers)]
        self.players = [GOVERNMENT, *self.households]
        self._row = {household: i for i, household in enumerate(self.households)}

    def action_spaces(self) -> dict[str, Box]:
        """Each player's action space; every player has a Box of its own, as they are seeded one by one."""
        return self._by_player(self.game.leader_action_space, [self.game.follower_action_space])

    def observation_spaces(self) -> dict[str, Box]:
        """Each player's space of `observation`."""
        return self._by_player(self.game.leader_observation_space, [self.game.follower_observation_space])

    def informed_observation_spaces(self) -> dict[str, Box]:
        """Each player's space of `informed_observation`."""
        informed = [self.game.follower_observation_space, self.game.leader_action_space]
        return self._by_player(self.game.leader_observation_space, informed)

    def reset(self, seed: int | None = None) -> None:
        """Starts anew; with a seed, everything that follows is determined by it."""
        self._observations = self.game.reset(seed)
        self._years = 0
        self._indicators: dict[str, float] = {}
        self.announce(np.zeros(self.game.leader_action_space.shape))

    def observation(self, player: str) -> Vector:
        """What a player sees by itself: the government (dl,), a household (df,)."""
        if player == GOVERNMENT:
            return np.asarray(self._observations.leader[0], dtype=np.float64)
        return np.asarray(self._observations.follower[0, self._row[player]], dtype=np.float64)

    def informed_observation(self, player: str) -> Vector:
        """What a player sees once the government has acted: the government (dl,), a household (df + al,)."""
        own = self.observation(player)
        return own if player == GOVERNMENT else np.concatenate([own, self._announced])

    def announce(self, leader_action: Array) -> None:
        """Takes the government's action of this year, (al,), clipped to its space.

        Raises ValueError if it has the wrong shape.
        """
        space = self.game.leader_action_space
        self._announced = np.clip(_checked(GOVERNMENT, leader_action, space), space.low, space.high)

    def play(self, follower_actions: Mapping[str, Array]) -> SingleYear:
        """Plays one year under the announced action and every household's by name, each (af,).

        Raises KeyError if a household has not acted, ValueError if an action has the wrong shape or is not a number.
        """
        space = self.game.follower_action_space
        choices = np.stack([_checked(household, follower_actions[household], space) for household in self.households])
        step = self.game.step(self._announced[None], choices[None])
        self._observations = step.final_observations
        self._years += 1
        self._indicators = {name: float(value[0]) for name, value in step.indicators.items()}
        rewards = dict(zip(self.households, step.follower_reward[0].tolist(), strict=True))
        return SingleYear(
            {GOVERNMENT: float(step.leader_reward[0]), **rewards},
            bool(step.terminated[0]),
            bool(step.truncated[0]),
            self._indicators,
        )

    def describe(self) -> str:
        """The latest year in one line, as 'year 12: gdp 3.1e+07, wealth_gini 0.81'."""
        figures = ", ".join(f"{name} {value:.4g}" for name, value in self._indicators.items())
        return f"year {self._years}: {figures}" if figures else f"year {self._years}"

    def _by_player(self, leader: Box, household: list[Box]) -> dict[str, Box]:
        return {player: _join([leader] if player == GOVERNMENT else household) for player in self.players}


def _checked(player: str, action: Array, space: Box) -> Vector:
    vector = np.asarray(action, dtype=np.float64)
    if vector.shape != space.shape:
        raise ValueError(f"{player} acted with shape {vector.shape}: must be {space.shape}")
    return vector


def _join(boxes: list[Box]) -> Box:
    low, high = np.concatenate([box.low for box in boxes]), np.concatenate([box.high for box in boxes])
    return Box(low.astype(np.float64), high.astype(np.float64), dtype=np.float64)
