"""What a decision rule is: an action for every game, and for every follower, out of what they observe."""

from __future__ import annotations

from abc import ABC, abstractmethod

from envs.game import Array, BoolArray, StackelbergMeanFieldGame, Step


class LeaderPolicy(ABC):
    """A government: one action a year for each of B games, in natural units.

    announces_taxes: whether its action says which taxes it levies; False where `enact` levies a schedule of its own.
    nearest_taxes: the (tau, xi, tau_a, xi_a) nearest to such a schedule, where they are known.
    """

    announces_taxes: bool = True
    nearest_taxes: tuple[float, float, float, float] | None = None

    @property
    def title(self) -> str:
        """What messages call it."""
        return f"government {type(self).__name__}"

    @abstractmethod
    def act(self, observation: Array) -> Array:
        """Actions (B, al) for leader observations (B, dl)."""

    def enact(self, game: StackelbergMeanFieldGame, leader_action: Array, follower_action: Array) -> Step:
        """Plays the year under this government; rules that no action vector can express override it."""
        return game.step(leader_action, follower_action)

    def forget(self, games: BoolArray) -> None:  # noqa: B027 - most rules have nothing to forget
        """Called when games (B,) start anew; rules that remember earlier years of an episode override it."""


class FollowerPolicy(ABC):
    """A population of households who share one decision rule.

    reads_leader: whether they take the leader's action for the taxes they will pay. takes_taxes: whether they can be
    told other taxes to expect, by a setting `taxes`.
    """

    reads_leader: bool = False
    takes_taxes: bool = False

    @property
    def title(self) -> str:
        """What messages call them."""
        return f"households {type(self).__name__}"

    @abstractmethod
    def act(self, observation: Array, leader_action: Array) -> Array:
        """Actions (B, N, af) for follower observations (B, N, df), after the leaders' actions (B, al) are seen."""

    def meet(self, leader: LeaderPolicy) -> None:  # noqa: B027 - most households take governments as they come
        """Called before play begins, with the government; households who foresee what it will do override it."""

    def forget(self, games: BoolArray) -> None:  # noqa: B027 - most rules have nothing to forget
        """Called when games (B,) start anew; rules that remember earlier years of an episode override it."""
