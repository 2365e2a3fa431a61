"""What a decision rule is: an action for every game, and for every follower, out of what they observe."""

from __future__ import annotations

from abc import ABC, abstractmethod

from envs.game import Array, BoolArray, StackelbergMeanFieldGame, Step


class LeaderPolicy(ABC):
    """A government: one action a year for each of B games, in natural units."""

    @abstractmethod
    def act(self, observation: Array) -> Array:
        """Actions (B, al) for leader observations (B, dl)."""

    def enact(self, game: StackelbergMeanFieldGame, leader_action: Array, follower_action: Array) -> Step:
        """Plays the year under this government; rules that no action vector can express override it."""
        return game.step(leader_action, follower_action)

    def forget(self, games: BoolArray) -> None:  # noqa: B027 - most rules have nothing to forget
        """Called when games (B,) start anew; rules that remember earlier years of an episode override it."""


class FollowerPolicy(ABC):
    """A population of households who share one decision rule."""

    @abstractmethod
    def act(self, observation: Array, leader_action: Array) -> Array:
        """Actions (B, N, af) for follower observations (B, N, df), after the leaders' actions (B, al) are seen."""

    def meet(self, leader: LeaderPolicy) -> None:  # noqa: B027 - most households take governments as they come
        """Called before play begins, with the government; households who foresee what it will do override it."""

    def forget(self, games: BoolArray) -> None:  # noqa: B027 - most rules have nothing to forget
        """Called when games (B,) start anew; rules that remember earlier years of an episode override it."""
