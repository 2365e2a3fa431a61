"""The kinds of networks a policy can be: deterministic, stochastic, stochastic with a memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from gymnasium.spaces import Box

from rllib_smfg.build import Interface, follower_actor, leader_actor
from rllib_smfg.networks import Actor, SmoothActor
from rllib_smfg.rule import RuleActor
from rllib_smfg.settings import LearningSettings
from rllib_smfg.stochastic import GaussianActor, RecurrentActor

PolicyNetwork = Actor | RecurrentActor | RuleActor
STOCHASTIC: dict[str, type[GaussianActor] | type[RecurrentActor]] = {
    "gaussian": GaussianActor,
    "recurrent": RecurrentActor,
}
KINDS = ("actor", "smooth", "rule", *STOCHASTIC)


def leader_network(
    kind: str, interface: Interface, settings: LearningSettings, start: Sequence[float] | None = None
) -> PolicyNetwork:
    """A leader's network of one of `KINDS`; `start` is its first action (al,), natural units."""
    if kind == "actor":
        return leader_actor(interface, settings, start)
    own = _size(interface.leader_observation)
    if kind == "smooth":
        return SmoothActor(own, 0, settings.hidden, interface.leader_action, start)
    if kind == "rule":
        return RuleActor(own, interface.leader_action, start, None)
    return STOCHASTIC[kind](_size(interface.leader_observation), 0, settings.hidden, interface.leader_action, start)


def follower_network(
    kind: str, interface: Interface, settings: LearningSettings, start: Sequence[float] | None = None
) -> PolicyNetwork:
    """The followers' network of one of `KINDS`; `start` is its first action (af,), natural units."""
    if kind == "actor":
        return follower_actor(interface, settings, start)
    seen = _size(interface.leader_action) if settings.followers_see_leader else 0
    own = _size(interface.follower_observation)
    if kind == "smooth":
        return SmoothActor(own, seen, settings.hidden, interface.follower_action, start)
    return STOCHASTIC[kind](own, seen, settings.hidden, interface.follower_action, start)


def kind_of(network: PolicyNetwork) -> str:
    """Which of `KINDS` a network is."""
    if isinstance(network, RuleActor):
        return "rule"
    if isinstance(network, SmoothActor):
        return "smooth"
    return next((kind for kind, cls in STOCHASTIC.items() if isinstance(network, cls)), "actor")


def _size(space: Box) -> int:
    return int(np.prod(space.shape))
