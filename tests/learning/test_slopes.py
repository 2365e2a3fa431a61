"""Critics that learn slopes: the envelope condition, and least squares that solve it."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from ray.rllib.algorithms.algorithm import Algorithm

from envs import InvalidSetting, make
from envs.game import Array
from envs.solution import solution
from policies.given import Given
from rllib_smfg import build
from rllib_smfg.build import Interface
from rllib_smfg.collect import record
from rllib_smfg.foresight import LEAST_MARGIN, Budget, Envelope, ForesightedCritic, fit_slopes, slope
from rllib_smfg.learned import LearnedFollower, LearnedLeader
from rllib_smfg.losses import (
    Batch,
    Learners,
    Player,
    critic_losses,
    envelope,
    follower_action_gradient,
    value_range,
)
from rllib_smfg.networks import Critic
from rllib_smfg.rllib.config import SMFRLConfig
from rllib_smfg.rollout import play
from rllib_smfg.settings import CriticTarget, LearningSettings
from rllib_smfg.update import SIDES, solve_slopes


class ExactContinuation(Critic):
    """(1 - be) be V of Brock and Mirman's household, but for what depends on K alone (THEORY.md C.4)."""

    def forward(self, own: torch.Tensor, shared: torch.Tensor) -> torch.Tensor:
        p = BROCK.parameters  # type: ignore[attr-defined]
        share = torch.expm1(own[..., 0] * (p.al * p.be)) / (p.al * p.be)  # k_i' / K', as all save al be on average
        return p.be * torch.log(1 - p.al + p.al * (1 - p.be) * share)


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


def missed(critic: ForesightedCritic, condition: Envelope, shared: torch.Tensor) -> torch.Tensor:
    """What slopes of C by the one action miss, in units of the margin (B, N)."""
    carried = condition.carried.requires_grad_()
    by_carried = slope(super(ForesightedCritic, critic).forward(carried, shared), carried)
    later = (by_carried * condition.by_action[..., 0, :]).sum(-1)
    return (later - condition.wanted[..., 0]) / condition.margin[..., 0]


@pytest.mark.parametrize("change", [0.0, 0.3])
def test_at_brock_and_mirmans_solution_the_envelope_condition_holds(change: float) -> None:
    critic = critic_of(ExactCritic, LearningSettings(discount=0.9))
    year, then = a_year_of_brock_mirman(change)
    condition = critic.envelope(
        **year, next_value=lambda state: 0.9 * critic(torch.cat([state, then], -1), year["shared"])
    )
    most = missed(critic, condition, year["shared"]).abs().max().item()
    if change:
        assert most > 1e-2
    else:
        assert most == pytest.approx(0.0, abs=1e-8)


def test_the_envelope_condition_is_that_of_finite_differences() -> None:
    critic = critic_of(ForesightedCritic, LearningSettings(discount=0.9))
    year, then = a_year_of_brock_mirman(0.3)
    state, action, shared = year["state"], year["action"], year["shared"]

    def next_value(state: torch.Tensor) -> torch.Tensor:
        return 0.7 * critic(torch.cat([state, then], -1), shared)

    def now_then_and_carried(action: torch.Tensor) -> torch.Tensor:
        reward, carried = critic.budget(torch.cat([state, action], -1), shared)
        (capital,) = critic.budget.outlook.found(torch, carried.unbind(-1))
        following = torch.stack([capital, year["next_state"][..., 1]], -1)
        return torch.stack([0.1 * reward, next_value(following), *carried.unbind(-1)])

    with torch.no_grad():
        now, wanted, *carried = (now_then_and_carried(action + 1e-6) - now_then_and_carried(action - 1e-6)) / 2e-6
    condition = critic.envelope(**year, next_value=next_value)
    torch.testing.assert_close(condition.wanted[..., 0], wanted, rtol=1e-5, atol=1e-9)
    torch.testing.assert_close(condition.margin[..., 0], now.abs() + wanted.abs() + LEAST_MARGIN, rtol=1e-5, atol=1e-9)
    torch.testing.assert_close(condition.by_action[..., 0, :], torch.stack(carried, -1), rtol=1e-5, atol=1e-8)


def a_condition() -> tuple[ForesightedCritic, Envelope, torch.Tensor]:
    """A critic, a condition of slopes that it does not meet, and what it sees besides."""
    critic = critic_of(ForesightedCritic, LearningSettings(discount=0.9, hidden=(8, 8)))
    year, _ = a_year_of_brock_mirman(0.3)
    return critic, critic.envelope(**year, next_value=lambda state: (0.0 * state).sum(-1)), year["shared"]


def test_terms_and_their_weights_are_what_the_critic_says_of_the_carried_beside_a_constant() -> None:
    critic, condition, shared = a_condition()
    with torch.no_grad():
        theta = torch.cat([weight.flatten() for weight in critic.linear_weights()])
        terms = critic.terms(condition.carried, shared)
        expected = Critic.forward(critic, condition.carried, shared) - critic.last.bias
    torch.testing.assert_close(terms @ theta, expected)


def test_hardly_damped_least_squares_find_slopes_that_other_weights_would_have() -> None:
    critic, condition, shared = a_condition()
    other = deepcopy(critic)
    with torch.no_grad():
        for weight in other.linear_weights():
            weight.add_(torch.randn_like(weight))
    # relative to this condition's own wanted, the other critic's slopes miss so much: shifted by it, they miss nothing
    apart = missed(other, condition, shared).detach().unsqueeze(-1) * condition.margin
    of_others = replace(condition, wanted=condition.wanted + apart)
    before = missed(critic, of_others, shared).square().mean().item()
    assert fit_slopes(critic, of_others, shared, 1e-12).item() == pytest.approx(before)
    assert missed(critic, of_others, shared).abs().max().item() < 1e-4 * before**0.5


def test_damping_holds_weights_where_they_are() -> None:
    critic, condition, shared = a_condition()
    start = deepcopy(critic.state_dict())
    fit_slopes(critic, condition, shared, 1e9)
    for name, weight in critic.state_dict().items():
        torch.testing.assert_close(weight, start[name], rtol=0, atol=1e-6)
    left = []
    for damping in (1e-3, 0.1, 10.0):
        critic, condition, shared = a_condition()
        before = missed(critic, condition, shared).square().mean().item()
        fit_slopes(critic, condition, shared, damping)
        left.append(missed(critic, condition, shared).square().mean().item())
    assert left[0] < 1e-5 * before < 1e-4 * before < left[1] < 1e-2 * before < 0.1 * before < left[2] < before


def a_recorded_year(
    *, ended: bool = False, other_target: bool = False, follower_critic: CriticTarget = "slopes"
) -> tuple[Learners, Batch]:
    """New networks, always the same ones, and a year they played.

    ended: nothing follows the year. other_target: the target of the household's critic has other slopes.
    """
    game = make("brock_mirman", games=6, followers=20)
    settings = LearningSettings(follower_outlook=True, follower_critic=follower_critic, discount=0.9)
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
    return Learners(*players, settings, 20), batch


def test_slopes_are_wanted_of_targets_and_of_games_that_go_on() -> None:
    def wanted(**year: bool) -> torch.Tensor:
        condition, _ = envelope(*a_recorded_year(**year))
        return condition.wanted

    assert (wanted(other_target=True) - wanted()).abs().max() > 1e-3
    assert wanted(ended=True).abs().max() == 0.0


def test_a_critic_that_learns_slopes_moves_its_linear_weights_alone_and_has_no_loss_in_values() -> None:
    learners, batch = a_recorded_year()
    assert set(critic_losses(learners, batch)) == {"leader"}
    assert set(critic_losses(*a_recorded_year(follower_critic="values"))) == {"leader", "follower"}
    before = deepcopy([getattr(learners, side) for side in SIDES])
    first = solve_slopes(learners, batch, 0.01)["follower/critic_loss"]
    for player, old in zip((learners.leader, learners.follower), before, strict=True):
        for network in ("actor", "critic", "target_actor", "target_critic"):
            moved = {
                name
                for name, weight in getattr(player, network).state_dict().items()
                if not torch.equal(weight, getattr(old, network).state_dict()[name])
            }
            solved = player is learners.follower and network == "critic"
            linear = {"last.weight", "linear_own.weight", "linear_shared.weight", "curvature"}
            assert moved <= (linear if solved else set())
            assert not solved or {"last.weight", "linear_own.weight", "curvature"} <= moved
    for _ in range(20):
        last = solve_slopes(learners, batch, 0.01)["follower/critic_loss"]
    assert last < 0.1 * first


@pytest.mark.parametrize("follower_critic", ["values", "slopes"])
def test_households_whose_critic_learns_slopes_take_the_mean_field_as_given(follower_critic: CriticTarget) -> None:
    learners, batch = a_recorded_year(follower_critic=follower_critic)
    alone = follower_action_gradient(learners, batch, batch.follower_action)
    with torch.no_grad():
        learners.follower.critic.linear_shared.weight.add_(1.0)  # the mean field is worth more, slopes stay
    change = (follower_action_gradient(learners, batch, batch.follower_action) - alone).abs()
    if follower_critic == "slopes":
        assert change.max() < 1e-6
    else:
        assert change.min() > 0.5 / 20


def an_algorithm_that_learns_slopes(**settings: Any) -> Algorithm:
    config = SMFRLConfig().game("brock_mirman", followers=50, games=8)
    config = config.training(
        follower_outlook=True,
        follower_critic="slopes",
        years_per_iteration=32,
        warm_up_years=32,
        transitions_per_update=16,
        updates_per_iteration=20,
        **settings,
    )
    return config.debugging(seed=1).build_algo()


def test_an_algorithm_learns_slopes(ray_local: None) -> None:
    algorithm = an_algorithm_that_learns_slopes()
    before = weights_of_households_critic(algorithm)
    losses = [algorithm.train()["learners"]["follower"]["critic_loss"] for _ in range(2)]
    after = weights_of_households_critic(algorithm)
    algorithm.stop()
    assert all(loss > 0 for loss in losses)
    assert not np.array_equal(after["critic.last.weight"], before["critic.last.weight"])
    assert np.array_equal(after["critic.first_own.weight"], before["critic.first_own.weight"])  # by no gradient
    assert not np.array_equal(after["target_critic.last.weight"], before["target_critic.last.weight"])


def test_damping_follows_its_schedule(ray_local: None) -> None:
    algorithm = an_algorithm_that_learns_slopes(slope_damping=[[0, 1e9], [100, 1e9], [110, 0.01]])
    start = weights_of_households_critic(algorithm)["critic.last.weight"]
    moved = []
    for _ in range(5):
        algorithm.train()
        moved.append(np.abs(weights_of_households_critic(algorithm)["critic.last.weight"] - start).max())
    algorithm.stop()
    assert moved[0] < 1e-6 < 1e-3 < moved[-1]


def test_an_algorithm_learns_no_slopes_of_households_that_are_given(ray_local: None) -> None:
    algorithm = an_algorithm_that_learns_slopes(follower=Given("random"), leader_view="own")
    before = weights_of_households_critic(algorithm)
    algorithm.train()
    after = weights_of_households_critic(algorithm)
    algorithm.stop()
    assert all(np.array_equal(after[name], before[name]) for name in before)


def weights_of_households_critic(algorithm: Algorithm) -> dict[str, Any]:
    return deepcopy(algorithm.learner_group.get_weights()["follower"])


def test_slopes_are_refused_where_a_household_finds_nothing_again_that_it_left() -> None:
    interface, settings = Interface.of(BROCK), LearningSettings(follower_outlook=True, follower_critic="slopes")
    build.check_outlooks(interface, settings)
    forgetful = replace(interface.follower_outlook, seen_again=())  # type: ignore[type-var]
    with pytest.raises(InvalidSetting, match=r"follower_critic = slopes: households of this game see nothing again"):
        build.check_outlooks(replace(interface, follower_outlook=forgetful), settings)
