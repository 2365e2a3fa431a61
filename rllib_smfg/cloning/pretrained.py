"""Followers to start learning from: a cloned network, or any exported one, checked against the algorithm it is for."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from envs.game import InvalidSetting
from policies.behavior_cloned import clone_folder
from policies.given import Given
from rllib_smfg.build import Interface
from rllib_smfg.cloning.networks import SEEING
from rllib_smfg.export import TrainedPolicies, load_policies
from rllib_smfg.policy_networks import follower_network, kind_of
from rllib_smfg.settings import LearningSettings

Weights = dict[str, Tensor]


def pretrained_follower(source: str | Path, kind: str, interface: Interface, settings: LearningSettings) -> Weights:
    """The weights of the follower network in a folder, or of a shipped clone (real_data/maddpg, /ai_economist).

    They fit the network that `follower_network(kind, interface, settings)` builds. A clone answers to nothing the
    leader does, so it fits followers that see the leader and those that do not. Raises InvalidSetting, in one line,
    for a network of another kind or size, for another game's, or a damaged one.
    """
    found = load_policies(clone_folder(source))
    if isinstance(found.follower, Given):
        raise InvalidSetting(f"pretrain = {source}: its followers are '{found.follower.name}', not a network")
    _refuse_what_differs(source, found, kind_of(found.follower), kind, interface, settings)
    wanted = follower_network(kind, interface, settings).state_dict()
    weights = found.follower.state_dict()
    return {name: _fitted(source, name, values, wanted[name]) for name, values in weights.items()}


def _fitted(source: str | Path, name: str, values: Tensor, wanted: Tensor) -> Tensor:
    """The values in the wanted shape; only weights that see the leader may differ, and only if they are zero."""
    if values.shape == wanted.shape:
        return values
    if name not in SEEING or values.any():
        raise InvalidSetting(f"pretrain = {source}: its followers see the leader's action and this algorithm's do not")
    return torch.zeros_like(wanted)


def _refuse_what_differs(
    source: str | Path,
    found: TrainedPolicies,
    found_kind: str,
    kind: str,
    interface: Interface,
    settings: LearningSettings,
) -> None:
    theirs, ours = found.interface, interface
    pairs = {
        "follower network": (found_kind, kind),
        "hidden": (list(found.settings.hidden), list(settings.hidden)),
        "follower observation": (theirs.follower_observation.shape, ours.follower_observation.shape),
        "follower scaling": (_plain(theirs), _plain(ours)),
        "least follower action": (theirs.follower_action.low.tolist(), ours.follower_action.low.tolist()),
        "largest follower action": (theirs.follower_action.high.tolist(), ours.follower_action.high.tolist()),
    }
    if kind == "actor":
        pairs["squash"] = (found.settings.squash, settings.squash)
    for what, (there, here) in pairs.items():
        if there != here:
            raise InvalidSetting(
                f"pretrain = {source}: its {what} is {there}, not {here}: clone one for this algorithm"
            )


def _plain(interface: Interface) -> list[list[float]]:
    return [[float(x) for x in values] for values in vars(interface.follower_scaling).values()]
