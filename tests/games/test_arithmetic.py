"""Games written as arithmetic: torch computes what numpy does, derivatives are right, and means are declared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import envs
from envs.arithmetic import ArithmeticGame, plain_mean

GAMES = ("stage_game", "linear_quadratic", "income_tax", "brock_mirman", "static_hsv")


def built(name: str, games: int = 3, followers: int = 7) -> ArithmeticGame:
    game = envs.make(name, games=games, followers=followers)
    assert isinstance(game, ArithmeticGame)
    return game


def drawn(game: ArithmeticGame, seed: int = 0) -> tuple[dict[str, Any], dict[str, Any], list[Any], list[Any]]:
    """State, shocks and interior actions of a year, in numpy."""
    random = np.random.default_rng(seed)
    state, shocks = game.first_state(random, game.n_games), game.shocks(random, game.year)
    sides = []
    for box, shape in (
        (game.leader_action_space, (game.n_games, 1)),
        (game.follower_action_space, (game.n_games, game.n_followers)),
    ):
        inside = zip(0.8 * box.low + 0.2 * box.high, 0.2 * box.low + 0.8 * box.high, strict=True)
        sides.append([random.uniform(low, high, shape) for low, high in inside])
    return dict(state), dict(shocks), *sides


def tensors(arrays: Any) -> Any:
    if isinstance(arrays, dict):
        return {name: torch.tensor(x) for name, x in arrays.items()}
    return [torch.tensor(x) for x in arrays]


@pytest.mark.parametrize("name", GAMES)
def test_torch_computes_what_numpy_does(name: str) -> None:
    game = built(name)
    for seed in range(5):
        state, shocks, leader, follower = drawn(game, seed)
        one = game.advance(state, leader, follower, shocks, plain_mean)
        other = game.advance(tensors(state), tensors(leader), tensors(follower), tensors(shocks), plain_mean)
        np.testing.assert_allclose(other.leader_reward.numpy(), one.leader_reward, rtol=1e-12)
        np.testing.assert_allclose(other.follower_reward.numpy(), one.follower_reward, rtol=1e-12)
        for each, x in one.state.items():
            np.testing.assert_allclose(other.state[each].numpy(), x, rtol=1e-12)
        for seen, also in zip(game.observe(state, plain_mean), game.observe(tensors(state), plain_mean), strict=True):
            for x, y in zip(seen, also, strict=True):
                np.testing.assert_allclose(y.numpy(), x, rtol=1e-12)


@pytest.mark.parametrize("name", GAMES)
def test_derivatives_of_two_years_agree_with_finite_differences(name: str) -> None:
    game = built(name, games=2, followers=3)
    state, shocks, leader, follower = (tensors(x) for x in drawn(game))

    def path(*actions: Any) -> Any:
        lead, follow = actions[: len(leader)], actions[len(leader) :]
        first = game.advance(state, lead, follow, shocks, plain_mean)
        second = game.advance(first.state, lead, follow, shocks, plain_mean)
        return first.leader_reward + second.leader_reward, first.follower_reward + second.follower_reward

    inputs = [x.requires_grad_() for x in (*leader, *follower)]
    assert torch.autograd.gradcheck(path, inputs, eps=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", GAMES)
def test_without_a_derivative_of_means_no_household_moves_another_or_the_leader(name: str) -> None:
    game = built(name, games=1, followers=5)
    state, shocks, leader, follower = (tensors(x) for x in drawn(game))
    actions = [x.requires_grad_() for x in follower]
    outcome = game.advance(state, leader, actions, shocks, lambda x: plain_mean(x).detach())
    (own,) = torch.autograd.grad(outcome.follower_reward[0, 0], actions)
    assert own[0, 0] != 0
    assert (own[0, 1:] == 0).all()


@pytest.mark.parametrize("name", GAMES)
def test_names_fit_what_is_seen_and_done(name: str) -> None:
    game = built(name)
    assert game.leader_observation_space.shape == (len(game.leader_observes),)
    assert game.follower_observation_space.shape == (len(game.follower_observes),)
    assert game.leader_action_space.shape == (len(game.instruments),)
    assert game.follower_action_space.shape == (len(game.decisions),)
    assert game.carried is None or game.carried in game.state
