"""Whether a game that somebody wrote has all that learners ask of one, said before anything is learned."""

from __future__ import annotations

from envs.arithmetic import ArithmeticGame
from envs.game import InvalidSetting, StackelbergMeanFieldGame

SPACES = tuple(f"{side}_{what}_space" for side in ("leader", "follower") for what in ("observation", "action"))
ASKED = ("name", "discount", *SPACES, "leader_scaling", "follower_scaling")
NAMES = {
    "leader_observes": "leader_observation_space",
    "instruments": "leader_action_space",
    "follower_observes": "follower_observation_space",
    "decisions": "follower_action_space",
}


def refuse_incomplete(game: StackelbergMeanFieldGame) -> None:
    """Raises InvalidSetting, in one line, for an attribute that is missing or does not fit its box."""
    arithmetic = isinstance(game, ArithmeticGame)
    who = f"game '{type(game).__module__}:{type(game).__name__}'"
    for name in (*ASKED, *(NAMES if arithmetic else ())):
        if not hasattr(game, name):
            raise InvalidSetting(f"{who}: has no {name}; a game says it as class attribute or in __init__")
    sizes = {space: getattr(game, space).shape for space in SPACES}
    for space, shape in sizes.items():
        if len(shape) != 1:
            raise InvalidSetting(f"{who}: {space} has shape {shape}: must be one number after the other, (d,)")
    for side in ("leader", "follower"):
        scaled, seen = len(getattr(game, f"{side}_scaling").unit), sizes[f"{side}_observation_space"][0]
        if scaled != seen:
            raise InvalidSetting(f"{who}: {side}_scaling is of {scaled} numbers, {side}_observation_space of {seen}")
    for name, space in NAMES.items() if arithmetic else ():
        if len(getattr(game, name)) != sizes[space][0]:
            count = len(getattr(game, name))
            raise InvalidSetting(f"{who}: {name} has {count} names, {space} has {sizes[space][0]} numbers")
