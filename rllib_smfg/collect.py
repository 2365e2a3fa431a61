"""Turns played years into replay rows: network units, m sampled households, the mean field of all N."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from envs.game import StackelbergMeanFieldGame
from rllib_smfg.learned import GivenFollower, LearnedFollower, LearnedLeader
from rllib_smfg.mean_field import summary
from rllib_smfg.networks import Float32, to_unit
from rllib_smfg.replay_buffer import ReplayArrays
from rllib_smfg.rollout import PlayedYear
from rllib_smfg.settings import Statistic


def sampled_households(n_followers: int, households: int, random: np.random.Generator) -> np.ndarray:
    """m of N household indices: evenly spaced from a random start (households are alike by construction)."""
    if households >= n_followers:
        return np.arange(n_followers)
    return (random.integers(n_followers) + np.arange(households) * n_followers // households) % n_followers


def record(
    game: StackelbergMeanFieldGame,
    leader: LearnedLeader,
    follower: LearnedFollower | GivenFollower,
    year: PlayedYear,
    households: np.ndarray,
    statistics: Sequence[Statistic],
) -> ReplayArrays:
    """One year of B games as B replay rows, named and shaped as `losses.Batch`; rewards in the game's reward scale."""
    step = year.step
    state = follower.features(year.observations.follower)
    action = to_unit(year.follower_action, game.follower_action_space)
    mean_field = _summary(np.concatenate([state, action], -1), statistics)
    leader_state = leader.features(year.observations.leader)
    final = step.final_observations
    next_state = follower.features(final.follower)
    next_action = follower.unit_action(final.follower, leader.unit_action(final.leader))
    return {
        "leader_state": leader_state,
        "leader_action": to_unit(year.leader_action, game.leader_action_space),
        "leader_reward": (step.leader_reward / game.leader_reward_scale).astype(np.float32),
        "next_leader_state": leader.features(final.leader),
        "terminated": step.terminated.astype(np.float32),
        "mean_field": mean_field,
        "follower_state": state[:, households],
        "follower_action": action[:, households],
        "follower_reward": (step.follower_reward[:, households] / game.follower_reward_scale).astype(np.float32),
        "next_follower_state": next_state[:, households],
        "next_follower_action": next_action[:, households],
        "next_mean_field": _summary(np.concatenate([next_state, next_action], -1), statistics),
    }


def _summary(population: Float32, statistics: Sequence[Statistic]) -> Float32:
    result: Float32 = summary(torch.from_numpy(population), statistics).numpy()
    return result
