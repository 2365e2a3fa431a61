"""What a player can work out about its action before anybody else moves: its own budget."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any, Protocol


class Outlook(Protocol):
    """What an action brings by the player's own budget: reward at once, and what is carried into next year.

    Written with operators and `xp`'s functions (numpy or torch), so that networks can differentiate it. Observation,
    leader action and action are sequences of their components in natural units, which broadcast with each other; a
    leader's own action is `action`. Returns the reward, in units of the game's reward scale and up to what the player
    cannot know, and what is carried, as features of order one: with both, its state and action say nothing more.
    """

    @property
    def carried(self) -> int:
        """How many features are carried."""
        ...

    @property
    def needs_leader(self) -> bool:
        """Whether it reads the leader's action, and so is only for followers who see it."""
        ...

    @property
    def seen_again(self) -> Sequence[int]:
        """Places in next year's observation of what a player finds as it left it, whatever others do: its assets."""
        ...

    def __call__(
        self, xp: ModuleType, observation: Sequence[Any], action: Sequence[Any], leader_action: Sequence[Any]
    ) -> tuple[Any, Sequence[Any]]:
        """(reward, carried)."""
        ...

    def found(self, xp: ModuleType, carried: Sequence[Any]) -> Sequence[Any]:
        """The features in those places, told from what is carried alone."""
        ...
