"""Where everybody does what is right, solved slopes are those of the exact solution, and damping holds them off."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from itertools import islice
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from envs import make
from envs.brock_mirman import Parameters, saving_rate
from envs.game import Array
from rllib_smfg import build
from rllib_smfg.build import Interface
from rllib_smfg.collect import record
from rllib_smfg.learned import LearnedFollower, LearnedLeader
from rllib_smfg.losses import Batch, Learners, Player, value_range
from rllib_smfg.networks import Actor, features, to_natural, to_unit
from rllib_smfg.rollout import play
from rllib_smfg.settings import LearningSettings
from rllib_smfg.update import SIDES, move_targets, solve_slopes

GAME = make("brock_mirman", games=16, followers=1000, horizon=4)
SETTINGS = LearningSettings(follower_outlook=True, follower_critic="slopes", discount=0.9, target_step=0.1)
INTERFACE = Interface.of(GAME)
SHARES = np.array([0.2, 0.5, 1.0, 2.0, 5.0])  # q


class ExactTax(Actor):
    """tau* in every state."""

    def act(self, own: Tensor, shared: Tensor) -> Tensor:
        unit = to_unit(np.full((*own.shape[:-1], 1), Parameters().optimal_tax), GAME.leader_action_space)
        return torch.from_numpy(unit)


class ExactSaving(Actor):
    """Every household's exact saving rate."""

    def act(self, own: Tensor, shared: Tensor) -> Tensor:
        k, K = (GAME.follower_scaling.observed(i, own[..., i].double().numpy(), np) for i in range(2))
        return torch.from_numpy(to_unit(saving_rate(Parameters(), k / K)[..., None], GAME.follower_action_space))


def exact_learners(seed: int) -> Learners:
    """New critics, their parameters not yet solved for, and actors that do what is right."""
    torch.manual_seed(seed)
    interface, settings = INTERFACE, SETTINGS
    lead = ExactTax(1, 0, (1,), interface.leader_action, None)
    follow = ExactSaving(2, 1, (1,), interface.follower_action, None)
    players = [
        Player(actor, critic, deepcopy(actor), deepcopy(critic))
        for actor, critic in (
            (lead, build.leader_critic(interface, settings)),
            (follow, build.follower_critic(interface, settings)),
        )
    ]
    return Learners(*players, settings, GAME.n_followers)


def batches(learners: Learners, years: int, seed: int) -> Iterator[Batch]:
    """Of 32 transitions, drawn over and over from so many years of 16 games under actors that explore a little."""
    random = np.random.default_rng(seed)
    leader = LearnedLeader(learners.leader.actor, INTERFACE)
    follower = LearnedFollower(learners.follower.actor, INTERFACE, sees_leader=True)
    rows = [
        record(GAME, leader, follower, year, random.choice(GAME.n_followers, 32, replace=False), ("mean",))
        for year in islice(play(GAME, leader, follower, GAME.reset(seed)), years)
    ]
    data = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
    ranges = {f"{side}_value_range": value_range(torch.from_numpy(data[f"{side}_reward"])) for side in SIDES}
    while True:
        drawn = random.choice(len(data["terminated"]), 32, replace=False)
        yield Batch(**{name: torch.from_numpy(values[drawn]) for name, values in data.items()}, **ranges)


def best_saving(learners: Learners, batch: Batch) -> Array:
    """What the critic would have households of each share in capital save, in a batch's first transition, (q,)."""
    K = np.full(len(SHARES), GAME.follower_scaling.observed(1, batch.follower_state[0, 0, 1].item(), np))
    state = torch.from_numpy(features(np.stack([SHARES * K, K], -1), GAME.follower_scaling))[None]
    population = batch.mean_field[:1, None]
    low, high = (torch.full((1, len(SHARES), 1), bound) for bound in (-1.0, 1.0))
    for _ in range(30):
        action = ((low + high) / 2).requires_grad_()
        value = learners.value_to_follower(learners.follower.critic, state, action, batch.leader_action[:1], population)
        (slope,) = torch.autograd.grad(value.sum(), action)
        middle = action.detach()
        low, high = torch.where(slope > 0, middle, low), torch.where(slope > 0, high, middle)
    saving: Array = to_natural(middle.numpy(), GAME.follower_action_space)[0, :, 0]
    return saving


def error_of_solved_slopes(damping: float, seed: int) -> Any:
    """Largest error of the log odds of saving after 600 updates."""
    learners = exact_learners(seed)
    for batch in islice(batches(learners, 16, seed), 600):
        solve_slopes(learners, batch, damping)
        move_targets(learners)
    log_odds = [np.log(s / (1 - s)) for s in (best_saving(learners, batch), saving_rate(Parameters(), SHARES))]
    return np.abs(log_odds[0] - log_odds[1]).max()


@pytest.mark.parametrize("seed", [1, 2])
def test_hardly_damped_slopes_find_what_households_best_save(seed: int) -> None:
    assert error_of_solved_slopes(1e-5, seed) < 0.001


@pytest.mark.slow
def test_damping_keeps_slopes_from_being_exact() -> None:
    assert error_of_solved_slopes(1e-2, 1) > 2 * error_of_solved_slopes(1e-5, 1)
