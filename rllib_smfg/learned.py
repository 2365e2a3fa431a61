"""Learned networks as policies in natural units, with or without exploration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from envs.game import Array, BoolArray
from policies import FollowerPolicy, LeaderPolicy
from rllib_smfg.build import Interface
from rllib_smfg.networks import Actor, Features, Float32, to_natural, to_unit
from rllib_smfg.rule import RuleActor

# households that pass through a network at once, so that the memory of its hidden layers is bounded at any N
AT_ONCE = 16_384
# share of the lasting part of exploration that is still there after a year
LASTS = 0.97


@dataclass
class Exploration:
    """Gaussian noise on actions, as shares of half their range.

    leader, follower: one draw per game, and one per household, a year. A draw per household separates its own action
        from the mean action; a critic could not tell them apart otherwise.
    common: one draw per game and year on top, shared by its households, so that their mean moves by itself as well.
    lasting: a part of the leader's that stays for decades (an autoregression with persistence LASTS): what a tax does
        over many years shows in no single year of it, and a critic learns what capital is worth where it has varied.
    """

    leader: float
    follower: float
    common: float
    random: np.random.Generator
    lasting: float = 0.0
    _stays: Float32 | None = None

    def of_leader(self, shape: tuple[int, ...]) -> Float32:
        """Noise (B, al)."""
        noise = self.leader * self.random.standard_normal(shape, dtype=np.float32)
        if not self.lasting:
            return noise
        fresh = self.random.standard_normal(shape, dtype=np.float32)
        self._stays = fresh if self._stays is None else LASTS * self._stays + (1 - LASTS**2) ** 0.5 * fresh
        return noise + self.lasting * self._stays

    def of_follower(self, shape: tuple[int, ...]) -> Float32:
        """Noise (B, N, af)."""
        own = self.follower * self.random.standard_normal(shape, dtype=np.float32)
        return own + self.common * self.random.standard_normal((shape[0], 1, shape[2]), dtype=np.float32)


class LearnedLeader(LeaderPolicy):
    """The leader's actor as a policy; with `exploration`, a noisy one."""

    def __init__(self, actor: Actor | RuleActor, interface: Interface, exploration: Exploration | None = None) -> None:
        self.actor, self.exploration = actor, exploration
        self.features = Features(interface.leader_scaling)
        self._box = interface.leader_action

    @torch.inference_mode()
    def unit_action(self, observation: Array) -> Float32:
        """Actions u (B, al) without exploration."""
        state = torch.from_numpy(self.features(observation)).to(device_of(self.actor))
        unit: Float32 = self.actor.act(state, state[..., :0]).cpu().numpy()
        return unit

    def act(self, observation: Array) -> Array:
        """Actions (B, al) for observations (B, dl)."""
        unit = self.unit_action(observation)
        if self.exploration:
            unit = unit + self.exploration.of_leader(unit.shape)
        return to_natural(unit, self._box)


class GivenFollower(FollowerPolicy):
    """Households that are given, with what replay rows tell of them: features, and actions in network units."""

    def __init__(self, policy: FollowerPolicy, interface: Interface) -> None:
        self.policy, self.reads_leader, self.takes_taxes = policy, policy.reads_leader, policy.takes_taxes
        self.features = Features(interface.follower_scaling)
        self._box, self._leader_box = interface.follower_action, interface.leader_action

    def unit_action(self, observation: Array, leader_unit_action: Float32) -> Float32:
        """Actions u (B, N, af) after leader actions u (B, al)."""
        return to_unit(self.act(observation, to_natural(leader_unit_action, self._leader_box)), self._box)

    def act(self, observation: Array, leader_action: Array) -> Array:
        """Actions (B, N, af) for observations (B, N, df) after leader actions (B, al)."""
        return self.policy.act(observation, leader_action)

    def meet(self, leader: LeaderPolicy) -> None:
        """See FollowerPolicy."""
        self.policy.meet(leader)

    def forget(self, games: BoolArray) -> None:
        """See FollowerPolicy."""
        self.policy.forget(games)


class LearnedFollower(FollowerPolicy):
    """The followers' shared actor as a policy; with `exploration`, a noisy one."""

    def __init__(
        self, actor: Actor, interface: Interface, sees_leader: bool, exploration: Exploration | None = None
    ) -> None:
        self.actor, self.sees_leader, self.exploration = actor, sees_leader, exploration
        self.reads_leader = sees_leader
        self.features = Features(interface.follower_scaling)
        self._box, self._leader_box = interface.follower_action, interface.leader_action

    @torch.inference_mode()
    def unit_action(self, observation: Array, leader_unit_action: Float32) -> Float32:
        """Actions u (B, N, af) without exploration, after leader actions u (B, al)."""
        device = device_of(self.actor)
        state = torch.from_numpy(self.features(observation)).to(device)
        seen = torch.from_numpy(leader_unit_action).to(device).unsqueeze(-2)
        shared = seen if self.sees_leader else seen[..., :0]
        together = max(1, AT_ONCE // len(state))  # households of each game
        parts = [self.actor.act(part, shared) for part in state.split(together, dim=-2)]
        unit: Float32 = torch.cat(parts, -2).cpu().numpy()
        return unit

    def act(self, observation: Array, leader_action: Array) -> Array:
        """Actions (B, N, af) for observations (B, N, df) after leader actions (B, al)."""
        unit = self.unit_action(observation, to_unit(leader_action, self._leader_box))
        if self.exploration:
            unit = unit + self.exploration.of_follower(unit.shape)
        return to_natural(unit, self._box)


def device_of(actor: Actor | RuleActor) -> torch.device:
    """Where the actor's weights are."""
    return next(actor.parameters()).device
