"""Outlooks: what players reckon from their own budget is what the game then does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import envs
from envs.economy.game import Economy
from envs.economy.instruments import FURTHER
from envs.economy.taxation import ScaledHSV
from envs.game import Array, StackelbergMeanFieldGame
from envs.outlook import Outlook


def parts(x: Array) -> list[Array]:
    return list(np.moveaxis(x, -1, 0))


def random_actions(game: StackelbergMeanFieldGame, seed: int) -> tuple[Array, Array]:
    random, leader, follower = np.random.default_rng(seed), game.leader_action_space, game.follower_action_space
    low, high = (
        follower.low + 0.1 * (follower.high - follower.low),
        follower.high - 0.1 * (follower.high - follower.low),
    )
    return (
        random.uniform(leader.low, leader.high, (game.n_games, *leader.shape)),
        random.uniform(low, high, (game.n_games, game.n_followers, *follower.shape)),
    )


def looked(outlook: Outlook | None, *amounts: Array) -> tuple[Array, list[Array]]:
    assert outlook is not None
    reward, carried = outlook(np, *(parts(x) for x in amounts))
    assert len(carried) == outlook.carried
    return reward, list(carried)


def assert_found_as_left(game: StackelbergMeanFieldGame, carried: list[Array], following: Array) -> None:
    """What the household's outlook says is seen again is what next year's observations (B, N, d) say, and its own."""
    assert game.follower_outlook is not None
    assert game.follower_outlook.seen_again
    found = game.follower_outlook.found(np, carried)
    for seen, feature in zip(game.follower_outlook.seen_again, found, strict=True):
        left = game.follower_scaling.observed(seen, feature)
        np.testing.assert_allclose(left, following[..., seen], rtol=1e-7)
        assert (left.std(axis=1) > 0).all()


def test_brock_mirmans_household_knows_its_reward_and_its_capital() -> None:
    game = envs.make("brock_mirman", games=3, followers=7)
    seen, (tax, saving) = game.reset(1), random_actions(game, 2)
    reward, carried = looked(game.follower_outlook, seen.follower, saving, tax[:, None, :])
    step = game.step(tax, saving)
    np.testing.assert_allclose(reward, step.follower_reward, rtol=1e-12)
    assert_found_as_left(game, carried, step.final_observations.follower)


def test_brock_mirmans_leader_knows_its_reward_but_for_what_households_save() -> None:
    game = envs.make("brock_mirman", games=3, followers=1)
    seen, (tax, saving) = game.reset(1), random_actions(game, 2)
    reward, carried = looked(game.leader_outlook, seen.leader, tax, tax)
    step = game.step(tax, saving)
    np.testing.assert_allclose(reward + np.log(1 - saving[:, 0, 0]), step.leader_reward, rtol=1e-12)
    income = game.parameters.steady_income * np.exp(carried[0])  # type: ignore[attr-defined]
    np.testing.assert_allclose(saving[:, 0, 0] * income, step.final_observations.leader[:, 0], rtol=1e-12)


def test_aiyagaris_household_knows_its_utility_and_assets_where_prices_stay() -> None:
    game = envs.make("aiyagari", games=3, followers=7)
    seen, (lead, share) = game.reset(1), random_actions(game, 2)
    before = seen.follower
    step = game.step(lead, share)
    before[..., 2:] = step.final_observations.follower[..., 2:]  # the prices that the year then had
    reward, carried = looked(game.follower_outlook, before, share, lead[:, None, :])
    np.testing.assert_allclose(reward * game.follower_reward_scale, step.follower_reward, rtol=1e-9)
    assert_found_as_left(game, carried, step.final_observations.follower)


@pytest.mark.parametrize("crra", [1.0, 2.0])
def test_a_household_of_the_calibrated_economy_knows_its_utility_and_assets_where_prices_stay(crra: float) -> None:
    game = envs.make("economy", preset="calibrated", games=3, followers=40, crra=crra)
    assert isinstance(game, Economy)
    seen, (lead, choice) = game.reset(1), random_actions(game, 2)
    before = seen.follower
    step = game.step(lead, choice)
    assert game.flows is not None
    before[..., 2], before[..., 3] = game.flows.wage, game.flows.interest_rate
    reward, carried = looked(game.follower_outlook, before, choice, lead[:, None, :])
    difference = step.follower_reward / game.follower_reward_scale - reward
    np.testing.assert_allclose(difference, difference[:, :1] + np.zeros_like(reward), rtol=1e-9)  # public goods
    assert_found_as_left(game, carried, step.final_observations.follower)


OUTLOOKS: dict[str, tuple[str, dict[str, Any]]] = {
    "brock_mirman": ("brock_mirman", {}),
    "aiyagari": ("aiyagari", {}),
    "aiyagari at mu = 1": ("aiyagari", {"mu": 1.0}),
    "calibrated": ("economy", {"preset": "calibrated"}),
    "calibrated with all instruments": (
        "economy",
        {
            "preset": "calibrated",
            "instruments": list(FURTHER),
        },
    ),
}


@pytest.mark.parametrize("case", OUTLOOKS)
def test_outlooks_are_the_same_in_numpy_and_torch_and_their_features_are_of_order_one(case: str) -> None:
    name, settings = OUTLOOKS[case]
    game = envs.make(name, games=3, followers=200, **settings)
    seen, (lead, action) = game.reset(1), random_actions(game, 2)
    amounts = (seen.follower, action, np.broadcast_to(lead[:, None, :], (3, 200, lead.shape[-1])))
    reward, carried = looked(game.follower_outlook, *amounts)
    assert game.follower_outlook is not None
    same, same_carried = game.follower_outlook(torch, *(torch.from_numpy(x.copy()).unbind(-1) for x in amounts))
    np.testing.assert_allclose(same.numpy(), reward, rtol=1e-12)
    for one, other in zip(same_carried, carried, strict=True):
        np.testing.assert_allclose(one.numpy(), other, rtol=1e-9, atol=1e-12)
        assert np.abs(other).max() < 8
        assert np.isfinite(other).all()


def idle(rate: float) -> tuple[list[Array], Array, float]:
    """What a household of the calibrated economy carries that earns nothing but this interest on 100 dollars, as
    features and as assets, and half of what its assets are after their tax.
    """
    game = envs.make("economy", preset="calibrated", games=1, followers=1)
    assert isinstance(game, Economy)
    seen = [np.array([x]) for x in (0.0, 100.0, 60.0, rate, 1e5, 5e5)]
    tax = [np.float64(x) for x in (0.3, 0.2, 0.01, 0.001, 0.2)]
    assert game.follower_outlook is not None
    reward, carried = game.follower_outlook(np, seen, [np.array([0.5]), np.array([0.3])], tax)
    scaling = game.follower_scaling
    left = scaling.unit[1] * np.expm1(carried[1] * scaling.width[1] + scaling.shift[1])
    return [reward, *carried], left, 0.5 * float(ScaledHSV(tax[2], tax[3], 5e5).kept(np.float64(100.0)))


def test_losses_are_borne_in_full() -> None:
    _, left, untouched = idle(rate=-0.05)
    np.testing.assert_allclose(left, untouched - 0.5 * 5.0, rtol=1e-4)


def test_a_household_that_has_nothing_left_still_gets_numbers() -> None:
    numbers, left, _ = idle(rate=-2.0)
    assert all(np.isfinite(x).all() for x in numbers)
    np.testing.assert_allclose(left, 0.0, atol=1e-4)


def test_economies_without_an_outlook_say_so() -> None:
    for preset in ("paper", "taxai"):
        game = envs.make("economy", preset=preset, followers=5)
        assert game.follower_outlook is None
        assert game.parameters.laws.follower_outlook is None  # type: ignore[attr-defined]
