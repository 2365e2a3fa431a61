"""Policies as a person names them: a rule of `policies.registry`, or the folder of something learned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

from envs import InvalidSetting, StackelbergMeanFieldGame
from envs.registry import nearest
from experiments import checkpoints
from policies import FollowerPolicy, LeaderPolicy, registry
from rllib_smfg.export import TrainedPolicies


def leader(name: str, game: StackelbergMeanFieldGame, seed: int, **settings: Any) -> LeaderPolicy:
    """The government `name` for a game: a rule with its settings, or that of a run, checkpoint or export at this path.

    Raises InvalidSetting for what does not exist, is damaged or was made for a game of another shape.
    """
    if registry.is_leader(name):
        return registry.leader(name, game, seed, **settings)
    return trained(name, game, list(registry.LEADERS)).leader_policy(game, seed)


def follower(name: str, game: StackelbergMeanFieldGame, seed: int, **settings: Any) -> FollowerPolicy:
    """The households `name` for a game; otherwise as `leader`."""
    if registry.is_follower(name):
        return registry.follower(name, game, seed, **settings)
    return trained(name, game, list(registry.FOLLOWERS)).follower_policy(game, seed)


def trained(path: str, game: StackelbergMeanFieldGame, rules: list[str]) -> TrainedPolicies:
    """What was learned and kept at `path`, if it can play this game; `rules` are the names it could have been."""
    if not Path(path).exists():
        raise InvalidSetting(f"'{path}': no such policy and no such folder{nearest(path, rules)}")
    policies = checkpoints.read_policies(checkpoints.find(Path(path)))
    networks = [side for side in ("leader", "follower") if isinstance(getattr(policies, side), nn.Module)]
    for box in (f"{side}_{what}" for side in networks for what in ("observation", "action")):
        made_for, played = getattr(policies.interface, box).shape, getattr(game, f"{box}_space").shape
        if made_for != played:
            what = box.replace("_", " ")
            raise InvalidSetting(f"{path}: made for a game with {what} {made_for}; this one has {played}")
    return policies
