"""Whole episodes under given policies, on one thread, so that they can be played again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from envs import StackelbergMeanFieldGame
from envs.game import Array
from policies import FollowerPolicy, LeaderPolicy
from rllib_smfg import rollout
from rllib_smfg.export import TrainedPolicies
from rllib_smfg.memory import keep_freed_memory
from rllib_smfg.rollout import Episodes


def play_policies(policies: TrainedPolicies, *, episodes: int, seed: int, followers: int | None = None) -> Episodes:
    """Episodes of what was learned, in games like those of training; see `rollout.episodes`."""
    game = policies.make_game(games=episodes, **({} if followers is None else {"followers": followers}))
    return play_pair(game, policies.policies(game, seed), seed)


def evaluate_policies(
    policies: TrainedPolicies, *, episodes: int, seed: int, followers: int | None = None
) -> dict[str, Array]:
    """Each indicator of `episodes` episodes, (episodes,); see `rollout.evaluate`. On one thread, to be repeatable."""
    return play_policies(policies, episodes=episodes, seed=seed, followers=followers).indicators


def play_pair(game: StackelbergMeanFieldGame, pair: tuple[LeaderPolicy, FollowerPolicy], seed: int) -> Episodes:
    """Episodes of a game under a government and households, on one thread."""
    with one_thread():
        return rollout.episodes(game, *pair, seed=seed)


@contextmanager
def one_thread() -> Iterator[None]:
    """One torch thread inside the block; the process keeps the memory of its arrays, then and afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    keep_freed_memory()
    try:
        yield
    finally:
        torch.set_num_threads(before)
