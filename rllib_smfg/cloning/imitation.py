"""A leader that begins as a rule: the linear part of its actor is fitted to what the rule does where the rule leads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from envs import make
from envs.game import Array
from policies import LeaderPolicy
from policies.given import Given
from rllib_smfg.build import Interface, leader_actor
from rllib_smfg.networks import Float32, features, to_natural, to_unit
from rllib_smfg.rollout import play
from rllib_smfg.settings import LearningSettings

# games and households small enough to take a second; years of all games, and noise that leads off the rule's own path
GAMES, FOLLOWERS, YEARS, NOISE, SEED = 8, 100, 100, 0.2, 0
RIDGE = 1e-3

Weights = dict[str, Tensor]


class _Shown(LeaderPolicy):
    """A rule with noise on its actions, which remembers what it saw and what it would have done without."""

    def __init__(self, rule: LeaderPolicy, interface: Interface) -> None:
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


def imitated_leader(
    rule: Given, households: Given, game: Mapping[str, Any], interface: Interface, settings: LearningSettings
) -> Weights:
    """Weights of a leader's actor that does what the rule does, as far as a linear function of its features can.

    The rule governs the households in small games of its own, with noise on its actions; ridge regression then fits
    the actor's linear part and bias to the difference between the rule and the actor as it was drawn.
    """
    small = make(**{**game, "games": GAMES, "followers": min(FOLLOWERS, int(game.get("followers", FOLLOWERS)))})
    shown = _Shown(rule.leader(small, SEED), interface)
    years = play(small, shown, households.follower(small, SEED), small.reset(SEED))
    for _ in range(YEARS):
        next(years)
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
