"""Actors that begin as a rule, fitted to what the rule does in games of its own.

Of a leader the linear part is fitted, where the rule leads; of followers, of whom much more is seen, the whole actor.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from envs import make
from envs.game import Array
from policies import FollowerPolicy, LeaderPolicy
from policies.given import Given
from policies.pairing import refuse_no_action
from rllib_smfg.build import Interface, follower_actor, leader_actor
from rllib_smfg.cloning.fit import regress
from rllib_smfg.networks import Float32, features, to_natural, to_unit
from rllib_smfg.rollout import play
from rllib_smfg.settings import LearningSettings

# games and households small enough to take a second; years of all games, and noise that leads off the rule's own path
GAMES, FOLLOWERS, YEARS, NOISE, SEED = 8, 100, 100, 0.2, 0
RIDGE = 1e-3
STEPS, ROWS = 2000, 1024  # of fitting followers

Weights = dict[str, Tensor]


class _Shown(LeaderPolicy):
    """A rule with noise on its actions, which remembers what it saw and what it would have done without."""

    def __init__(self, rule: LeaderPolicy, interface: Interface) -> None:
        refuse_no_action(rule)
        self._rule, self._interface, self._random = rule, interface, np.random.default_rng(SEED)
        self.states: list[Float32] = []
        self.actions: list[Float32] = []

    def act(self, observation: Array) -> Array:
        """Actions (B, al)."""
        unit = to_unit(self._rule.act(observation), self._interface.leader_action)
        self.states.append(features(observation, self._interface.leader_scaling))
        self.actions.append(unit)
        noise = NOISE * self._random.standard_normal(unit.shape, dtype=np.float32)
        return to_natural(unit + noise, self._interface.leader_action)


class _Answering(FollowerPolicy):
    """A rule for households, which remembers what it saw and did."""

    def __init__(self, rule: FollowerPolicy, interface: Interface) -> None:
        self._rule, self._interface, self.reads_leader = rule, interface, rule.reads_leader
        self.rows: list[tuple[Float32, Float32, Float32]] = []

    def act(self, observation: Array, leader_action: Array) -> Array:
        """Actions (B, N, af)."""
        action, interface = self._rule.act(observation, leader_action), self._interface
        seen = to_unit(leader_action, interface.leader_action)[:, None, :]
        state = features(observation, interface.follower_scaling)
        self.rows.append((state, seen.repeat(state.shape[1], axis=1), to_unit(action, interface.follower_action)))
        return action


def _played(
    government: Given, households: Given, game: Mapping[str, Any], interface: Interface
) -> tuple[_Shown, _Answering]:
    """Both rules after some years of small games of their own, with noise on what the government does."""
    small = make(**{**game, "games": GAMES, "followers": min(FOLLOWERS, int(game.get("followers", FOLLOWERS)))})
    shown = _Shown(government.leader(small, SEED), interface)
    answering = _Answering(households.follower(small, SEED), interface)
    years = play(small, shown, answering, small.reset(SEED))
    for _ in range(YEARS):
        next(years)
    return shown, answering


def imitated_follower(
    rule: Given, government: Given, game: Mapping[str, Any], interface: Interface, settings: LearningSettings
) -> Weights:
    """Weights of a followers' actor that does what the rule does under a government, with noise on its actions."""
    _, answering = _played(government, rule, game, interface)
    state, seen, action = (
        torch.from_numpy(np.concatenate(part)).flatten(0, 1) for part in zip(*answering.rows, strict=True)
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        actor = follower_actor(interface, settings)
        seen = seen if settings.followers_see_leader else seen[..., :0]
        for _ in regress(actor, state, seen, action, STEPS, ROWS):
            pass
    return {name: value.detach().clone() for name, value in actor.state_dict().items()}


def imitated_leader(
    rule: Given, households: Given, game: Mapping[str, Any], interface: Interface, settings: LearningSettings
) -> Weights:
    """Weights of a leader's actor that does what the rule does, as far as a linear function of its features can.

    The rule governs the households in small games of its own, with noise on its actions; ridge regression then fits
    the actor's linear part and bias to the difference between the rule and the actor as it was drawn.
    """
    shown, _ = _played(rule, households, game, interface)
    state, action = (torch.from_numpy(np.concatenate(x)) for x in (shown.states, shown.actions))
    with torch.random.fork_rng(devices=[]):  # whoever seeds networks is not disturbed
        torch.manual_seed(SEED)
        actor = leader_actor(interface, settings)
    with torch.no_grad():
        missing = action - actor(state, state[..., :0])
        centre = state.mean(0)
        inputs = state - centre
        penalty = RIDGE * len(state) * torch.eye(state.shape[-1])
        slope = torch.linalg.solve(inputs.T @ inputs + penalty, inputs.T @ missing).T
        actor.linear_own.weight.add_(slope)
        actor.last.bias.add_(missing.mean(0) - slope @ centre)
    return {name: value.clone() for name, value in actor.state_dict().items()}
