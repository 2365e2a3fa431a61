"""The one way in which structural learning builds a game from its name and settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from envs import make
from envs.arithmetic import ArithmeticGame


def arithmetic_game(settings: Mapping[str, Any], games: int, followers: int | None = None) -> ArithmeticGame:
    """`envs.make`'s game with so many games, and so many followers where another N is asked for.

    The game must be written as arithmetic, see `StructuralSMFRLConfig.validate`.
    """
    changes = {"games": games} if followers is None else {"games": games, "followers": followers}
    game = make(**{**settings, **changes})
    assert isinstance(game, ArithmeticGame), "see StructuralSMFRLConfig.validate"
    return game
