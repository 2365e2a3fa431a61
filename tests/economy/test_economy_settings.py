"""The settings and spaces of the economy, and what it refuses."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from economies import actions, economy

from envs import InvalidSetting
from envs.economy.presets import PAPER
from envs.economy.state import EconomyState, Flows


def test_boxes_are_in_natural_units() -> None:
    game = economy()
    np.testing.assert_allclose(game.leader_action_space.low, 0.001 * np.array([0.2, 0.05, 0.2, 0.05, 0.3]))
    np.testing.assert_allclose(game.leader_action_space.high, 0.99 * np.array([0.2, 0.05, 0.2, 0.05, 0.3]))
    np.testing.assert_allclose(game.follower_action_space.low, [0.001, 0.001])
    np.testing.assert_allclose(game.follower_action_space.high, [0.99, 0.99])
    taxai = economy(preset="taxai")
    np.testing.assert_allclose(taxai.follower_action_space.low, [0.5005, 0.001])
    np.testing.assert_allclose(taxai.follower_action_space.high, [0.995, 0.99])
    assert taxai.leader_observation_space.shape == (7,)
    narrow = economy(saving_rate_min=0.5, saving_rate_max=0.9)
    np.testing.assert_allclose(narrow.follower_action_space.low, [0.5, 0.001])
    np.testing.assert_allclose(narrow.follower_action_space.high, [0.9, 0.99])


@pytest.mark.parametrize("preset", ["paper", "taxai"])
def test_observations_scale_to_order_one(preset: str) -> None:
    game = economy(games=2, followers=1000, preset=preset)
    seen = game.reset(seed=15)
    pairs = ((game.leader_scaling, seen.leader), (game.follower_scaling, seen.follower))
    for scaling, numbers in pairs:
        assert len(scaling.unit) == numbers.shape[-1]
        features = (np.log1p(numbers / scaling.unit) - scaling.shift) / scaling.width
        assert np.abs(features).max() < 4


@pytest.mark.parametrize("preset", ["paper", "taxai"])
def test_float32_follows_float64(preset: str) -> None:
    exact, single = (economy(games=2, followers=50, preset=preset, dtype=name) for name in ("float64", "float32"))
    seen = exact.reset(seed=16), single.reset(seed=16)
    assert seen[1].leader.dtype == seen[1].follower.dtype == np.float32
    np.testing.assert_allclose(seen[1].follower, seen[0].follower, rtol=1e-5)
    for _ in range(5):
        leader, follower = actions(exact, 0.2, (0.985, 0.5))
        a, b = exact.step(leader, follower), single.step(leader.astype(np.float32), follower.astype(np.float32))
        np.testing.assert_array_equal(a.terminated, b.terminated)
        for name in set(a.indicators) - {"mean_marginal_rate"}:
            np.testing.assert_allclose(b.indicators[name], a.indicators[name], rtol=1e-3, err_msg=name)
        np.testing.assert_allclose(b.follower_reward, a.follower_reward, atol=1e-4)
        assert b.follower_reward.dtype == b.final_observations.leader.dtype == np.float32


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"preset": "papre"}, "unknown preset 'papre': did you mean 'paper'"),
        ({"task": "gpd"}, "unknown task 'gpd': did you mean 'gdp'"),
        ({"shock": "disastre"}, "unknown shock 'disastre': did you mean 'disaster'"),
        ({"dtype": "float16"}, "unknown dtype 'float16'"),
        ({"weighting": "unweigthed"}, "did you mean 'unweighted'"),
        ({"population": "scf2021"}, "must be 'scf2022' or the path"),
        ({"crra": -1.0}, "crra = -1.0: must be between 0 and 50"),
        ({"crra": float("nan")}, "crra = nan: must be between"),
        ({"inequality_weight": -1.0}, "inequality_weight = -1.0: must be between"),
        ({"saving_rate_min": 0.9, "saving_rate_max": 0.5}, "must rise"),
        ({"saving_rate_max": 1.0}, "strictly between 0 and 1"),
        ({"horizon": 0}, "horizon = 0"),
        ({"followers": 0}, "followers = 0"),
        ({"savings": 1}, "no setting 'savings'"),
    ],
)
def test_settings_that_cannot_be_used_are_refused_in_one_line(settings: dict[str, Any], fault: str) -> None:
    with pytest.raises(InvalidSetting, match=fault) as error:
        economy(**settings)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["capital_share", "share_low", "ability_persistence", "superstar_entry", "tau_cap"])
def test_parameters_out_of_bounds_are_refused(name: str) -> None:
    with pytest.raises(InvalidSetting, match=f"{name} = 7.0: must be between"):
        replace(PAPER, **{name: 7.0})
    with pytest.raises(InvalidSetting, match=r"share_low = .* must be below share_high"):
        replace(PAPER, share_low=0.995)


def test_wrong_actions_are_refused() -> None:
    game = economy(games=2, followers=3)
    with pytest.raises(ValueError, match=r"leader action has shape \(2, 4\)"):
        game.step(np.zeros((2, 4)), np.zeros((2, 3, 2)))
    with pytest.raises(ValueError, match=r"follower action has shape \(2, 2, 2\)"):
        game.step(np.zeros((2, 5)), np.zeros((2, 2, 2)))
    with pytest.raises(ValueError, match="not a number"):
        game.step(np.full((2, 5), np.nan), np.zeros((2, 3, 2)))


def test_records_keep_their_shapes() -> None:
    game = economy(games=3, followers=4)
    game.reset(seed=17)
    game.step(*actions(game))
    per_household = {"ability", "superstar", "assets", "income", "ascending_assets", "ascending_income"}
    for field in fields(EconomyState):
        assert getattr(game.state, field.name).shape == ((3, 4) if field.name in per_household else (3, 1)), field.name
    assert game.flows is not None
    shapes = [getattr(game.flows, field.name).shape for field in fields(Flows)]
    assert set(shapes) == {(3, 1), (3, 4), (3,)}
