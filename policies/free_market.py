"""A government that leaves the market alone."""

from __future__ import annotations

from envs.game import StackelbergMeanFieldGame
from policies.constant import ConstantLeader


def free_market(game: StackelbergMeanFieldGame) -> ConstantLeader:
    """The least a government can do: the lower bounds of its actions (the paper: zeros, clipped to 0.001)."""
    return ConstantLeader(game.leader_action_space.low)
