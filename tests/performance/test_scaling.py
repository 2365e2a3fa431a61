"""How cost grows with size: ratios between sizes of this process's own time, on whatever machine; nothing absolute."""

from __future__ import annotations

import time
from collections.abc import Callable
from copy import deepcopy

import numpy as np
import torch

from envs import make
from policies.constant import ConstantFollower, ConstantLeader
from rllib_smfg import build
from rllib_smfg.build import Interface
from rllib_smfg.collect import record, sampled_households
from rllib_smfg.learned import Exploration, LearnedFollower, LearnedLeader
from rllib_smfg.losses import Batch, Learners, Player, value_range
from rllib_smfg.replay_buffer import ReplayArrays, ReplayBuffer
from rllib_smfg.rollout import play
from rllib_smfg.settings import LearningSettings
from rllib_smfg.update import gradients, move_targets

SAVERS, LOW_TAXES = (0.9, 0.5), (0.1, 0.02, 0.001, 0.001, 0.001)
TRANSITIONS, HOUSEHOLDS = 32, 16


def times(*works: Callable[[], object], calls: int = 3, rounds: int = 20) -> list[float]:
    """Processor seconds of each work: the best of some rounds in turns, so that a busy moment counts for all."""
    best = [np.inf] * len(works)
    for work in works:
        work()
    for _ in range(rounds):
        for k, work in enumerate(works):
            began = time.process_time()
            for _ in range(calls):
                work()
            best[k] = min(best[k], time.process_time() - began)
    return best


def simulated_year(games: int, followers: int) -> Callable[[], object]:
    game = make("economy", games=games, followers=followers)
    years = play(game, ConstantLeader(LOW_TAXES), ConstantFollower(SAVERS), game.reset(0))
    return lambda: next(years)


def update(followers: int) -> tuple[Callable[[], object], ReplayArrays]:
    """One update of both sides on rows of played years, and these rows."""
    settings, game = LearningSettings(), make("economy", games=4, followers=followers)
    interface = Interface.of(game)
    players = []
    for make_actor, make_critic, start in (
        (build.leader_actor, build.leader_critic, LOW_TAXES),
        (build.follower_actor, build.follower_critic, SAVERS),
    ):
        actor, critic = make_actor(interface, settings, start), make_critic(interface, settings)
        players.append(Player(actor, critic, deepcopy(actor), deepcopy(critic)))
    random = np.random.default_rng(0)
    noise = Exploration(0.1, 0.1, 0.05, random)
    leader = LearnedLeader(players[0].actor, interface, noise)
    follower = LearnedFollower(players[1].actor, interface, settings.followers_see_leader, noise)
    replay = ReplayBuffer(100, 0)
    for _, year in zip(range(3), play(game, leader, follower, game.reset(0)), strict=False):
        chosen = sampled_households(followers, HOUSEHOLDS, random)
        replay.add(record(game, leader, follower, year, chosen, settings.mean_field))
    rows = replay.sample(TRANSITIONS)
    tensors = {name: torch.from_numpy(values) for name, values in rows.items()}
    ranges = {f"{side}_value_range": value_range(tensors[f"{side}_reward"]) for side in ("leader", "follower")}
    learners = Learners(players[0], players[1], settings, followers)

    def work() -> None:
        gradients(learners, Batch(**tensors, **ranges))
        move_targets(learners)

    return work, rows


def test_an_update_costs_the_same_at_any_population() -> None:
    (few, few_rows), (many, many_rows) = update(100), update(20_000)
    assert {k: v.shape for k, v in few_rows.items()} == {k: v.shape for k, v in many_rows.items()}
    small, large = times(few, many)
    assert large < 1.5 * small  # 200 times the households


def test_a_household_costs_no_more_in_a_larger_population() -> None:
    """A year's fixed cost is shared by more; what grows faster than N is the sort's logarithm."""
    small, large = times(simulated_year(1, 500), simulated_year(1, 10_000))
    assert large < 20 * 1.3 * small


def test_games_side_by_side_cost_less_than_one_after_another() -> None:
    one, many = times(simulated_year(1, 100), simulated_year(32, 100))
    assert many < 32 * 0.7 * one
