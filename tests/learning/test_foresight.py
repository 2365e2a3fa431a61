"""Critics that know a player's own budget: their units, their slopes, and what they refuse."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from envs import InvalidSetting, make
from envs.game import Array, StackelbergMeanFieldGame
from envs.solution import solution
from rllib_smfg import build
from rllib_smfg.build import Interface
from rllib_smfg.collect import record
from rllib_smfg.foresight import LEAST_MARGIN, Budget, ForesightedCritic
from rllib_smfg.learned import LearnedFollower, LearnedLeader
from rllib_smfg.losses import Batch, Learners, Player, critic_losses, value_range
from rllib_smfg.networks import Critic, features, to_unit
from rllib_smfg.rllib.config import SMFRLConfig
from rllib_smfg.rollout import play
from rllib_smfg.settings import LearningSettings
from rllib_smfg.update import SIDES


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


class ExactContinuation(Critic):
    """(1 - be) be V of Brock and Mirman's household, but for what depends on K alone (THEORY.md C.4)."""

    def forward(self, own: torch.Tensor, shared: torch.Tensor) -> torch.Tensor:
        p, scaling = BROCK.parameters, BROCK.follower_scaling  # type: ignore[attr-defined]
        kept = scaling.observed(0, own[..., 0], torch)
        mean_kept = p.al * p.be * p.steady_income * torch.exp(own[..., 1])
        return p.be * torch.log(1 - p.al + p.al * (1 - p.be) * kept / mean_kept)


class ExactCritic(ForesightedCritic, ExactContinuation):
    """A critic that knows Brock and Mirman's values."""


BROCK = make("brock_mirman", games=3, followers=200)


def critic_of(kind: type[ForesightedCritic], settings: LearningSettings) -> ForesightedCritic:
    interface = Interface.of(BROCK)
    assert interface.follower_outlook is not None
    budget = Budget(
        interface.follower_outlook, interface.follower_scaling, interface.follower_action, interface.leader_action
    )
    torch.manual_seed(0)
    return kind(budget, 1, settings.hidden, True, settings.discount).double()


def a_year_of_brock_mirman(change: float) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """State, action, shared and next_state of a year by the exact rules, and next year's action.

    `change` is added to the log odds of what they then save.
    """
    exact = solution("brock_mirman", followers=float("inf"))
    seen = BROCK.reset(3)
    tax = exact.leader_rule(seen.leader)
    saving = exact.follower_rule(seen.follower, tax)
    step = BROCK.step(tax, saving)
    then = exact.follower_rule(step.final_observations.follower, tax)
    then = 1 / (1 + (1 / then - 1) * np.exp(-change))

    def household(amounts: Array) -> torch.Tensor:
        columns = [BROCK.follower_scaling.feature(k, amounts[..., k]) for k in range(2)]
        return torch.from_numpy(np.stack(columns, -1))

    def unit(action: Array) -> torch.Tensor:
        high = np.log(0.999 / 0.001)
        return torch.from_numpy(np.log(action / (1 - action)) / high)

    shared = unit(tax)[:, None, :].expand(-1, BROCK.n_followers, -1)
    year = {
        "state": household(seen.follower),
        "action": unit(saving),
        "shared": shared,
        "next_state": household(step.final_observations.follower),
    }
    return year, unit(then)


@pytest.mark.parametrize("change", [0.0, 0.3])
def test_at_brock_and_mirmans_solution_the_envelope_condition_holds(change: float) -> None:
    critic = critic_of(ExactCritic, LearningSettings(discount=0.9))
    year, then = a_year_of_brock_mirman(change)
    loss = critic.envelope_loss(
        **year, next_value=lambda state: 0.9 * critic(torch.cat([state, then], -1), year["shared"])
    ).item()
    if change:
        assert loss > 1e-4
    else:
        assert loss == pytest.approx(0.0, abs=1e-16)


def test_the_envelope_loss_is_that_of_finite_differences() -> None:
    critic = critic_of(ForesightedCritic, LearningSettings(discount=0.9))
    year, then = a_year_of_brock_mirman(0.3)
    state, action, shared = year["state"], year["action"], year["shared"]

    def next_value(state: torch.Tensor) -> torch.Tensor:
        return 0.7 * critic(torch.cat([state, then], -1), shared)

    def now_later_and_then(action: torch.Tensor) -> torch.Tensor:
        own = torch.cat([state, action], -1)
        reward, carried = critic.budget(own, shared)
        following = torch.stack([carried[..., 0], year["next_state"][..., 1]], -1)
        return torch.stack([0.1 * reward, critic(own, shared) - 0.1 * reward, next_value(following)])

    with torch.no_grad():
        now, later, wanted = (now_later_and_then(action + 1e-6) - now_later_and_then(action - 1e-6)) / 2e-6
    expected = ((later - wanted) / (now.abs() + wanted.abs() + LEAST_MARGIN)).square().mean()
    loss = critic.envelope_loss(**year, next_value=next_value)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)


def test_only_what_is_learned_of_this_year_moves_by_the_envelope_loss() -> None:
    critic, target = (critic_of(ForesightedCritic, LearningSettings(discount=0.9)) for _ in range(2))
    year, then = a_year_of_brock_mirman(0.3)
    loss = critic.envelope_loss(
        **year, next_value=lambda state: 0.9 * target(torch.cat([state, then], -1), year["shared"])
    )
    loss.backward()  # type: ignore[no-untyped-call]
    assert all(parameter.grad is None for parameter in target.parameters())
    assert any(parameter.grad is not None and parameter.grad.abs().max() > 0 for parameter in critic.parameters())


def losses_of_a_year(
    envelope_weight: float, *, ended: bool = False, other_target: bool = False
) -> dict[str, torch.Tensor]:
    """Both critics' losses on a recorded year of new networks, always the same ones.

    ended: nothing follows the year. other_target: the target of the household's critic has other slopes.
    """
    game = make("brock_mirman", games=6, followers=20)
    settings = LearningSettings(follower_outlook=True, envelope_weight=envelope_weight, discount=0.9)
    interface = Interface.of(game)
    torch.manual_seed(0)
    players = []
    for actor, critic in (
        (build.leader_actor(interface, settings), build.leader_critic(interface, settings)),
        (build.follower_actor(interface, settings), build.follower_critic(interface, settings)),
    ):
        players.append(Player(actor, critic, deepcopy(actor), deepcopy(critic)))
    if other_target:
        with torch.no_grad():
            players[1].target_critic.linear_own.weight.add_(0.5)
    leader = LearnedLeader(players[0].actor, interface)
    follower = LearnedFollower(players[1].actor, interface, sees_leader=True)
    year = next(play(game, leader, follower, game.reset(1)))
    rows = record(game, leader, follower, year, np.arange(20), ("mean",))
    rows["terminated"][:] = ended
    ranges = {f"{side}_value_range": value_range(torch.from_numpy(rows[f"{side}_reward"])) for side in SIDES}
    batch = Batch(**{name: torch.from_numpy(values) for name, values in rows.items()}, **ranges)
    return critic_losses(Learners(*players, settings, 20), batch)


def test_the_critics_loss_holds_the_envelope_loss_by_its_weight() -> None:
    none, one, three = (losses_of_a_year(weight) for weight in (0.0, 1.0, 3.0))
    assert one["follower"] > none["follower"]
    torch.testing.assert_close(three["follower"] - none["follower"], 3 * (one["follower"] - none["follower"]))
    torch.testing.assert_close(three["leader"], none["leader"])


def test_the_envelope_loss_looks_at_targets_of_games_that_go_on() -> None:
    def envelope_loss(**year: bool) -> float:
        with_it, without = losses_of_a_year(1.0, **year), losses_of_a_year(0.0, **year)
        return (with_it["follower"] - without["follower"]).item()

    assert abs(envelope_loss(other_target=True) - envelope_loss()) > 1e-3
    assert envelope_loss(ended=True, other_target=True) == pytest.approx(envelope_loss(ended=True), rel=1e-4)
    assert abs(envelope_loss(ended=True) - envelope_loss()) > 1e-3


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
        ({"name": "brock_mirman"}, {"envelope_weight": 1.0}, "envelope_weight = 1.0: needs follower_outlook = true"),
    ],
)
def test_outlooks_that_cannot_be_are_refused(game: dict[str, Any], settings: dict[str, Any], said: str) -> None:
    config = SMFRLConfig().game(**game, followers=5).training(**settings)
    with pytest.raises(InvalidSetting, match=said):
        config.validate()


def test_slopes_are_refused_where_a_household_finds_nothing_again_that_it_left() -> None:
    interface, settings = Interface.of(BROCK), LearningSettings(follower_outlook=True, envelope_weight=2.0)
    build.check_outlooks(interface, settings)
    forgetful = replace(interface.follower_outlook, seen_again=())  # type: ignore[type-var]
    with pytest.raises(InvalidSetting, match=r"envelope_weight = 2.0: households of this game see nothing again"):
        build.check_outlooks(replace(interface, follower_outlook=forgetful), settings)
