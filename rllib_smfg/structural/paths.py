"""Whole paths of play as one graph: what the leader, and a team, differentiate."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from envs.arithmetic import ArithmeticGame, Arrays, plain_mean
from rllib_smfg.structural.economies import State, tensors
from rllib_smfg.structural.settings import StructuralSettings
from rllib_smfg.structural.sides import Side, outside

Act = Callable[[Tensor, Tensor], Tensor]
ALL = slice(None)
LEAST_PATHS = 4


@dataclass(frozen=True)
class Luck:
    """Starts and shocks of paths, drawn beforehand: common random numbers for all policies that are compared."""

    first: State
    shocks: list[State]


def draw_luck(game: ArithmeticGame, seed: Any, years: int, like: Tensor, own: slice = ALL) -> Luck:
    """Paths of so many years from fresh starts: drawn for all games of `game`, kept of those that are `own`."""
    random = np.random.default_rng(seed)

    def kept(drawn: Arrays) -> State:
        return tensors({name: x[own] for name, x in drawn.items()}, like)

    first = kept(game.first_state(random, game.n_games))
    shocks = [kept(game.shocks(random, np.full(game.n_games, year, dtype=np.int64))) for year in range(years)]
    return Luck(first, shocks)


def path_years(discount: float, tail: float, horizon: int, ends: bool) -> int:
    """Years until the discounted weight that is left is below `tail`: a path cut short is another game.

    A game whose horizon merely truncates it goes on beyond it; `ends` says that the horizon is its end.
    """
    if discount <= 0:
        return 1
    years = math.ceil(math.log(tail) / math.log(discount)) if discount < 1 else horizon
    return min(years, horizon) if ends else years


def path_count(settings: StructuralSettings, followers: int, years: int) -> int:
    """How many paths of so many years, of so many followers each, the leader's `household_years` make."""
    trained_on = min(followers, settings.population)
    return min(settings.economies, max(LEAST_PATHS, settings.household_years // (trained_on * years)))


@dataclass(frozen=True)
class Returns:
    """Discounted sums per game (B,), in units of the game's reward scales, and what acting out of bounds cost.

    leader, follower (the mean household's), strain (of coming near an end), outside (mean squared distance of the
    leader's outputs from [-1, 1]), lived (B,): share of the discounted weight before an end.
    """

    leader: Tensor
    follower: Tensor
    strain: Tensor
    outside: Tensor
    lived: Tensor


@dataclass(frozen=True)
class Play:
    """Who acts how on a path.

    leader(features (B, 1, dl), nothing) -> outputs (B, 1, al); follower(features, leader's outputs) -> (B, N, af).
    seen_leader: the leader as followers see it; where it is the same network without a derivative in its weights, their
    reaction to a change of this year's action is left out of the derivative (concept `partial`), everything that
    follows from the state is in.
    """

    game: ArithmeticGame
    leader_side: Side
    follower_side: Side
    leader: Act
    follower: Act
    seen_leader: Act | None = None
    places: Sequence[int] | None = None  # observations that the leader looks at; None: all


def returns(play: Play, luck: Luck, discount: float) -> Returns:
    """Plays the paths with all means in the graph."""
    game, state = play.game, luck.first
    some = next(x for x in state.values() if x.is_floating_point())
    weight, alive = 1.0, torch.ones(len(some), 1, dtype=some.dtype, device=some.device)
    zero = torch.zeros_like(alive)
    leader_sum, follower_sum, strain_sum, outside_sum, lived, weights = zero, zero, zero, zero, zero, 0.0
    for shocks in luck.shocks:
        seen, household_sees = game.observe(state, plain_mean)
        features = play.leader_side.features(seen, play.places)
        u = play.leader(features, features[..., :0])
        told = u if play.seen_leader is None else play.seen_leader(features, features[..., :0])
        answer = play.follower(play.follower_side.features(household_sees), told.clamp(-1.0, 1.0))
        outcome = game.advance(
            state, play.leader_side.natural(u), play.follower_side.natural(answer), shocks, plain_mean
        )
        counted = weight * alive
        leader_sum = leader_sum + counted * _where(alive, outcome.leader_reward) / game.leader_reward_scale
        household = outcome.follower_reward.mean(-1, keepdim=True)
        follower_sum = follower_sum + counted * _where(alive, household) / game.follower_reward_scale
        outside_sum = outside_sum + counted * outside(u).mean(-1)
        if outcome.strain is not None:
            strain_sum = strain_sum + counted * _where(alive, outcome.strain) / game.leader_reward_scale
        lived, weights = lived + counted, weights + weight
        state, weight = dict(outcome.state), weight * discount
        if outcome.ended is not None:
            alive = alive * (~outcome.ended).to(alive.dtype)
            state = _begun_anew(state, alive, luck.first)
    return Returns(
        leader_sum[:, 0], follower_sum[:, 0], strain_sum[:, 0], outside_sum[:, 0] / weights, lived[:, 0] / weights
    )


def _begun_anew(state: State, alive: Tensor, first: State) -> State:
    """The state, with that of games that ended put back to their first: nothing more counts there, but 0 times the
    derivative of what is no number is no number, and would be everybody's.
    """
    return {name: torch.where(alive > 0, x, first[name]) for name, x in state.items()}


def _where(alive: Tensor, x: Tensor) -> Tensor:
    """x of games that are alive; others have neither value nor derivative."""
    return torch.where(alive > 0, x, torch.zeros_like(x))
