"""Policies as a person names them: a rule of `policies.registry`, or the folder of something learned."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from shlex import quote
from typing import Any

from torch import nn

from envs import InvalidSetting, StackelbergMeanFieldGame
from envs.economy.game import Economy
from envs.economy.instruments import INSTRUMENTS
from envs.registry import nearest
from policies import FollowerPolicy, LeaderPolicy, registry, written
from policies.given import Given
from policies.pairing import refuse_unread
from policies.reform import needed
from rllib_smfg.export import TrainedPolicies
from rllib_smfg.storage import checkpoints


def leader(name: str, game: StackelbergMeanFieldGame, seed: int, **settings: Any) -> LeaderPolicy:
    """The government `name` for a game: a rule with its settings (also as module:Class, or from a YAML file), or that
    of a run, checkpoint or export at this path.

    Raises InvalidSetting for what does not exist, is damaged or was made for a game of another shape.
    """
    if registry.is_rule(name, registry.LEADERS):
        return registry.leader(name, game, seed, **settings)
    return trained(name, game, list(registry.LEADERS)).leader_policy(game, seed)


def instruments_of(name: str) -> list[str]:
    """The instruments beyond the five that the government `name` needs a game to have, if it is a reform."""
    if not registry.is_rule(name, registry.LEADERS):
        return []
    given = Given.of(name)
    return needed(given.settings) if given.name == written.REFORM else []


def follower(name: str, game: StackelbergMeanFieldGame, seed: int, **settings: Any) -> FollowerPolicy:
    """The households `name` for a game; otherwise as `leader`."""
    if registry.is_rule(name, registry.FOLLOWERS):
        return registry.follower(name, game, seed, **settings)
    return trained(name, game, list(registry.FOLLOWERS)).follower_policy(game, seed)


def living_under(
    government: LeaderPolicy, name: str, game: StackelbergMeanFieldGame, seed: int, **settings: Any
) -> FollowerPolicy:
    """The households `name` as they live under a government; those that plan do so for the taxes nearest to a rule's.

    Raises InvalidSetting where they could not answer what is levied.
    """
    if name == "planning" and not government.announces_taxes and government.nearest_taxes is not None:
        settings = {"taxes": government.nearest_taxes, **settings}
    households = follower(name, game, seed, **settings)
    refuse_unread(government, households)
    return households


def trained(
    path: str, game: StackelbergMeanFieldGame, rules: list[str], shipped: Collection[str] = ()
) -> TrainedPolicies:
    """What was learned and kept at `path`, if it can play this game.

    rules, shipped: the rules it could have been, and the configurations that would train it, for what is said where
    there is nothing.
    """
    if not Path(path).exists():
        raise InvalidSetting(f"'{path}': {_missing(path, rules, shipped)}")
    policies = checkpoints.read_policies(checkpoints.find(Path(path)))
    networks = [side for side in ("leader", "follower") if isinstance(getattr(policies, side), nn.Module)]
    for box in (f"{side}_{what}" for side in networks for what in ("observation", "action")):
        made_for, played = getattr(policies.interface, box).shape, getattr(game, f"{box}_space").shape
        if made_for != played:
            what = box.replace("_", " ")
            raise InvalidSetting(f"{path}: made for a game with {what} {made_for}; this one has {played}")
    if networks and isinstance(game, Economy):
        _refuse_other_instruments(path, policies, game)
    return policies


def _refuse_other_instruments(path: str, policies: TrainedPolicies, game: Economy) -> None:
    """As many instruments are not the same ones."""
    opened = [name for name in game.instruments if name not in INSTRUMENTS]
    seen = list(policies.game.get("instruments") or [])
    if set(seen) != set(opened):
        told, offered = (", ".join(names) or "none" for names in (seen, opened))
        raise InvalidSetting(f"{path}: learned with the further instruments {told}; this game has {offered}")


def _missing(path: str, rules: list[str], shipped: Collection[str]) -> str:
    """What is wrong with a path where there is nothing, and what would be right."""
    if rules:
        return f"no such policy and no such folder{nearest(path, rules)}"
    name = Path(path).name
    if name in shipped:
        return f"no such policy and no such folder; train it first: smfg train {name} --output {quote(path)}"
    return "no such policy and no such folder; must be that of a run of smfg train, a checkpoint, or exported policies"
