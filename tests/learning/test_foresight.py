"""Critics that know a player's own budget: their units, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from envs import InvalidSetting, make
from envs.game import Array, StackelbergMeanFieldGame
from rllib_smfg import build
from rllib_smfg.build import Interface
from rllib_smfg.foresight import ForesightedCritic
from rllib_smfg.networks import features, to_unit
from rllib_smfg.rllib.config import SMFRLConfig
from rllib_smfg.settings import LearningSettings


def rows(game: StackelbergMeanFieldGame) -> tuple[torch.Tensor, torch.Tensor, Array, Array]:
    """Households as a critic gets them (own, shared), and their actions and the leader's in natural units."""
    random, seen = np.random.default_rng(1), game.reset(1)
    leader, follower = game.leader_action_space, game.follower_action_space
    lead = random.uniform(leader.low, leader.high, (game.n_games, *leader.shape))
    action = random.uniform(0.2, 0.8, (game.n_games, game.n_followers, *follower.shape))
    own = np.concatenate([features(seen.follower, game.follower_scaling), to_unit(action, follower)], -1)
    shared = np.repeat(to_unit(lead, leader)[:, None, :], game.n_followers, axis=1)
    return torch.from_numpy(own), torch.from_numpy(shared), action, lead


@pytest.mark.parametrize("name", ["brock_mirman", "economy"])
def test_a_budget_in_network_units_is_the_outlook_in_natural_units(name: str) -> None:
    game = make(name, games=2, followers=30, **({"preset": "calibrated"} if name == "economy" else {}))
    settings = LearningSettings(follower_outlook=True, follower_view="own", discount=game.discount)
    critic = build.follower_critic(Interface.of(game), settings)
    assert isinstance(critic, ForesightedCritic)
    own, shared, action, lead = rows(game)
    reward, carried = critic.budget(own, shared)
    assert game.follower_outlook is not None
    components = [np.moveaxis(x, -1, 0) for x in (game.reset(1).follower, action, lead[:, None, :])]
    expected, expected_carried = game.follower_outlook(np, *components)
    np.testing.assert_allclose(reward.numpy(), expected, rtol=2e-3, atol=2e-3)
    for k, one in enumerate(expected_carried):
        np.testing.assert_allclose(carried[..., k].numpy(), np.broadcast_to(one, reward.shape), rtol=2e-3, atol=2e-3)


def test_values_are_the_known_reward_and_what_the_network_makes_of_what_is_carried() -> None:
    game = make("brock_mirman", games=2, followers=5)
    settings = LearningSettings(follower_outlook=True, follower_view="own", discount=0.9)
    critic = build.follower_critic(Interface.of(game), settings)
    own, shared, _, _ = rows(game)
    for parameter in critic.parameters():
        torch.nn.init.zeros_(parameter)
    assert isinstance(critic, ForesightedCritic)
    torch.testing.assert_close(critic(own, shared), 0.1 * critic.budget(own, shared)[0])


def test_households_that_leave_the_same_for_later_have_values_that_differ_by_utility_alone() -> None:
    game = make("brock_mirman", games=1, followers=2)
    critic = build.follower_critic(
        Interface.of(game), LearningSettings(follower_outlook=True, follower_view="own", discount=0.9)
    )
    space, scaling = game.follower_action_space, game.follower_scaling
    K, tax = game.parameters.steady_capital, 0.2  # type: ignore[attr-defined]
    k, saving = np.array([0.5, 1.5]) * K, np.array([0.5, 0.0])
    p = game.parameters  # type: ignore[attr-defined]
    income = (1 - tax) * ((1 - p.al) * K**p.al + p.al * K ** (p.al - 1) * k)
    saving[1] = saving[0] * income[0] / income[1]
    state = features(np.stack([k, np.full(2, K)], -1), scaling)
    own = torch.from_numpy(np.concatenate([state, to_unit(saving[:, None], space)], -1))
    shared = torch.from_numpy(to_unit(np.full((2, 1), tax), game.leader_action_space))
    value = critic(own, shared).detach().numpy()
    utility = np.log((1 - saving) * income)
    assert value[1] - value[0] == pytest.approx(0.1 * (utility[1] - utility[0]), rel=1e-3)


@pytest.mark.parametrize(
    ("game", "settings", "said"),
    [
        ({"name": "stage_game"}, {"follower_outlook": True}, "follower_outlook = true: this game has none"),
        ({"name": "economy"}, {"leader_outlook": True}, "leader_outlook = true: this game has none"),
        (
            {"name": "brock_mirman"},
            {"follower_outlook": True, "followers_see_leader": False},
            "needs followers_see_leader = true",
        ),
        (
            {"name": "brock_mirman"},
            {"follower_critic": "slopes"},
            "follower_critic = slopes: needs follower_outlook = true",
        ),
        (
            {"name": "brock_mirman"},
            {"follower_outlook": True, "follower_critic": "slopes", "follower_gradient": "team"},
            "follower_critic = slopes: needs follower_gradient = game",
        ),
    ],
)
def test_outlooks_that_cannot_be_are_refused(game: dict[str, Any], settings: dict[str, Any], said: str) -> None:
    config = SMFRLConfig().game(**game, followers=5).training(**settings)
    with pytest.raises(InvalidSetting, match=said):
        config.validate()
