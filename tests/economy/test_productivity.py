"""Aggregate risk: productivity moves where its sd is above 0, both sides see it, and without it nothing changes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from economies import economy

import envs
from envs import InvalidSetting
from envs.aiyagari import Aiyagari
from envs.arithmetic import plain_mean
from envs.economy.presets import PRESETS
from envs.economy.shocks import first_tfp, next_tfp

SETTINGS: dict[str, Any] = {"productivity_sd": 0.02, "productivity_persistence": 0.9}


@pytest.mark.parametrize("preset", list(PRESETS))
def test_both_sides_see_it_last_and_it_moves_tfp(preset: str) -> None:
    game = economy(games=4, followers=30, preset=preset, **SETTINGS)
    seen = game.reset(seed=1)
    assert game.leader_observes[-1] == game.follower_observes[-1] == "productivity"
    assert game.leader_observation_space.shape == seen.leader.shape[1:]
    low, high = game.leader_action_space.low, game.leader_action_space.high
    for _ in range(3):
        productivity = seen.leader[:, -1]
        np.testing.assert_array_equal(seen.follower[..., -1], np.tile(productivity[:, None], (1, 30)))
        assert len(set(productivity)) == 4
        step = game.step(np.tile(low + 0.2 * (high - low), (4, 1)), np.tile([0.97, 0.4], (4, 30, 1)))
        assert game.flows is not None
        np.testing.assert_allclose(game.flows.tfp[:, 0], game.parameters.tfp * productivity)
        assert not step.terminated.any()
        seen = step.observations


def test_without_it_there_is_nothing_to_see_and_no_luck_is_drawn() -> None:
    still, moving = economy(followers=20, preset="calibrated"), economy(followers=20, preset="calibrated", **SETTINGS)
    assert "productivity" not in still.leader_observes + still.follower_observes
    first = still.reset(seed=3), moving.reset(seed=3)
    np.testing.assert_array_equal(first[1].follower[..., :-1], first[0].follower)
    random = np.random.default_rng(0), np.random.default_rng(0)
    one, other = still.shocks(random[0], still.year), moving.shocks(random[1], moving.year)
    assert set(other) - set(one) == {"productivity_luck"}
    # the same luck of households comes first
    np.testing.assert_array_equal(one["normal"], other["normal"])


def test_it_has_the_autoregressions_moments() -> None:
    parameters = economy(**SETTINGS).parameters
    random = np.random.default_rng(4)
    logs, tfp = [], first_tfp(parameters, np.full((500, 1), parameters.tfp), random.standard_normal((500, 1)))
    for _ in range(100):
        logs.append(np.log(tfp[:, 0] / parameters.tfp))
        tfp = next_tfp(parameters, tfp, random.standard_normal((500, 1)))
    levels = np.stack(logs)
    assert levels.std() == pytest.approx(0.02 / np.sqrt(1 - 0.9**2), rel=0.03)
    assert np.corrcoef(levels[:-1].ravel(), levels[1:].ravel())[0, 1] == pytest.approx(0.9, abs=0.01)
    assert levels.mean() == pytest.approx(0, abs=0.003)


@pytest.mark.parametrize("preset", list(PRESETS))
def test_features_are_of_order_one(preset: str) -> None:
    game = economy(games=500, followers=2, preset=preset, **SETTINGS)
    seen = game.reset(seed=5)
    for scaling, numbers in ((game.leader_scaling, seen.leader), (game.follower_scaling, seen.follower[:, 0])):
        feature = scaling.feature(len(scaling.unit) - 1, numbers[:, -1])
        assert abs(feature.mean()) < 0.2
        assert feature.std() == pytest.approx(1, abs=0.15)


def test_a_household_works_out_its_budget_as_ever() -> None:
    game = economy(games=2, followers=5, preset="calibrated", **SETTINGS)
    seen = game.reset(seed=6).follower
    outlook = game.follower_outlook
    assert outlook is not None
    action, leader = (
        [np.full((2, 5), 0.8), np.full((2, 5), 0.4)],
        [np.full((2, 1), x) for x in (0.3, 0.2, 0.01, 0.005, 0.2)],
    )
    _, carried = outlook(np, [seen[..., k] for k in range(seen.shape[-1])], action, leader)  # type: ignore[arg-type]
    assert len(carried) == outlook.carried == seen.shape[-1] + 2


def test_torch_moves_it_alike() -> None:
    game = economy(games=3, followers=6, preset="calibrated", **SETTINGS)
    game.reset(seed=7)
    luck = np.random.default_rng()
    luck.bit_generator.state = game._shock_random.bit_generator.state
    state, shocks = game.state.arrays(), game.shocks(luck, game.year)
    action = np.full((3, 5), 0.01), np.full((3, 6, 2), 0.5)
    outcome = game.advance(
        tensors(state),
        [torch.full((3, 1), 0.01, dtype=torch.float64)] * 5,
        [torch.full((3, 6), 0.5, dtype=torch.float64)] * 2,
        tensors(shocks),
        plain_mean,
    )
    game._transition(*action)
    assert set(outcome.state) == set(game.state.arrays()) == set(state)
    for name, x in game.state.arrays().items():
        np.testing.assert_allclose(outcome.state[name], x, rtol=1e-10, err_msg=name)


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"productivity_sd": -0.1}, "productivity_sd = -0.1: must be between 0 and 1"),
        ({"productivity_persistence": 1.0}, "productivity_persistence = 1.0: must be between 0 and 0.999"),
        ({"parameters": {"productivity_sd": 0.1}}, "parameters.productivity_sd: is a setting of its own"),
    ],
)
def test_what_cannot_be_used_is_refused(settings: dict[str, Any], fault: str) -> None:
    with pytest.raises(InvalidSetting, match=fault):
        economy(**settings)


def test_aiyagaris_economy_has_it_too() -> None:
    still, game = envs.make("aiyagari", games=3, followers=8), envs.make("aiyagari", games=3, followers=8, **SETTINGS)
    assert isinstance(game, Aiyagari)
    usual, seen = still.reset(seed=8), game.reset(seed=8)
    np.testing.assert_array_equal(seen.follower[..., :-1], usual.follower)
    assert seen.leader.shape == (3, 3) == (3, len(game.leader_observes))
    scaled = [game.leader_scaling.feature(k, seen.leader[:, k]) for k in range(3)]
    assert np.abs(scaled[2]).max() < 4
    productivity = seen.leader[:, 2].copy()
    luck = np.random.default_rng()
    luck.bit_generator.state = game._shock_random.bit_generator.state
    state, shocks = dict(game.state.arrays()), game.shocks(luck, game.year)
    share = torch.full((3, 8), 0.1, dtype=torch.float64)
    moved = game.advance(tensors(state), [share[:, :1]], [share], tensors(shocks), plain_mean)
    game.step(np.full((3, 1), 0.1), np.full((3, 8, 1), 0.1))
    labour = state["ability"].sum(axis=1)
    made = productivity * state["capital"][:, 0] ** 0.36 * labour**0.64
    np.testing.assert_allclose(game.state.gdp[:, 0], made)
    for name, x in game.state.arrays().items():
        np.testing.assert_allclose(moved.state[name], x, rtol=1e-10, err_msg=name)


def tensors(arrays: dict[str, Any]) -> dict[str, torch.Tensor]:
    return {name: torch.tensor(x) for name, x in arrays.items()}
