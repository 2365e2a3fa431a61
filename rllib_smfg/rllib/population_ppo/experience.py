"""Policies that draw their actions, and the trajectories that are kept of the years they play."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from envs.game import Array, StackelbergMeanFieldGame
from rllib_smfg.build import Interface
from rllib_smfg.networks import Features, Float32, to_natural, to_unit
from rllib_smfg.recurrent import RecurrentFollower, RecurrentLeader
from rllib_smfg.replay_buffer import ReplayArrays
from rllib_smfg.rollout import PlayedYear
from rllib_smfg.stochastic import RecurrentActor


class Draw:
    """What a policy drew last: u (..., a), the logits (..., 2 a) it was drawn from, and the memories before."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random
        self.action: Float32
        self.logits: Float32
        self.memory: Tensor

    def __call__(self, logits: Float32, memory: Tensor) -> Float32:
        """u, not cut off at its bounds."""
        mean, log_spread = np.split(logits, 2, axis=-1)
        self.logits, self.memory = logits, memory
        noise = self._random.standard_normal(mean.shape, dtype=np.float32)
        self.action = (mean + np.exp(log_spread) * noise).astype(np.float32, copy=False)
        return self.action


class DrawingLeader(RecurrentLeader):
    """A government that draws its actions."""

    def __init__(self, network: RecurrentActor, interface: Interface, random: np.random.Generator) -> None:
        super().__init__(network, interface)
        self.draw = Draw(random)

    def act(self, observation: Array) -> Array:
        """Actions (B, al) for observations (B, dl)."""
        before = self.memory.of(len(observation), 1)
        return to_natural(self.draw(self.logits(observation), before), self._box)


class DrawingFollower(RecurrentFollower):
    """Households that draw their actions, each its own."""

    def __init__(
        self, network: RecurrentActor, interface: Interface, sees_leader: bool, random: np.random.Generator
    ) -> None:
        super().__init__(network, interface, sees_leader)
        self.draw = Draw(random)

    def act(self, observation: Array, leader_action: Array) -> Array:
        """Actions (B, N, af) for observations (B, N, df) after leader actions (B, al)."""
        before = self.memory.of(*observation.shape[:2])
        logits = self.logits(observation, to_unit(leader_action, self._leader_box))
        return to_natural(self.draw(logits, before), self._box)


def leader_year(game: StackelbergMeanFieldGame, leader: DrawingLeader, year: PlayedYear, starts: Array) -> ReplayArrays:
    """A year of B governments as rows (B, ...); `starts` (B,) says for which games it is the first of an episode."""
    step = year.step
    return {
        "state": leader.features(year.observations.leader),
        "action": leader.draw.action,
        "logits": leader.draw.logits,
        "memory": leader.draw.memory.numpy(),
        "reward": step.leader_reward / game.leader_reward_scale,
        "next_state": leader.features(step.final_observations.leader),
        "terminated": step.terminated,
        "ended": step.done,
        "starts": starts,
    }


def follower_year(
    game: StackelbergMeanFieldGame,
    follower: DrawingFollower,
    economy: Features,
    year: PlayedYear,
    starts: Array,
    households: np.ndarray,
) -> ReplayArrays:
    """A year of m households of B games as rows (B, m, ...).

    `economy` turns what leaders observe into features: values, not policies, are told of it.
    """
    step, draw = year.step, follower.draw
    games, m = game.n_games, len(households)
    memory = draw.memory.numpy().reshape(games, game.n_followers, -1)
    of_games = {
        "seen": to_unit(year.leader_action, game.leader_action_space),
        "economy": economy(year.observations.leader),
        "next_economy": economy(step.final_observations.leader),
        "terminated": step.terminated,
        "ended": step.done,
        "starts": starts,
    }
    return {
        "state": follower.features(year.observations.follower)[:, households],
        "action": draw.action[:, households],
        "logits": draw.logits[:, households],
        "memory": memory[:, households],
        "reward": step.follower_reward[:, households] / game.follower_reward_scale,
        "next_state": follower.features(step.final_observations.follower)[:, households],
        **{name: np.repeat(values[:, None], m, axis=1) for name, values in of_games.items()},
    }


def trajectories(years: Sequence[ReplayArrays], sequence_years: int) -> ReplayArrays:
    """Years of rows (B, ...) or (B, m, ...) as trajectories (R, T, ...), R = B or B m.

    Of memories only those at the start of each sequence of `sequence_years` are kept: (R, T / sequence_years, ...).
    """
    result = {}
    for name in years[0]:
        kept = years[::sequence_years] if name == "memory" else years
        trajectory = np.stack([year[name] for year in kept], axis=years[0]["reward"].ndim).astype(np.float32)
        result[name] = trajectory.reshape(-1, *trajectory.shape[years[0]["reward"].ndim :])
    return result
