"""The derivatives each actor follows, against finite differences of the values they belong to."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box

from envs.scaling import FeatureScaling
from rllib_smfg import build
from rllib_smfg.build import Interface
from rllib_smfg.losses import (
    Batch,
    Learners,
    Player,
    actor_loss,
    critic_losses,
    follower_action_gradient,
    leader_action_gradient,
    value_range,
)
from rllib_smfg.mean_field import moved, population_view, summary
from rllib_smfg.settings import LearningSettings
from rllib_smfg.update import gradients, move_targets

B, M, N, DL, AL, DF, AF = 3, 4, 8, 2, 2, 3, 2


def interface() -> Interface:
    def box(n: int) -> Box:
        return Box(-np.ones(n), np.ones(n), dtype=np.float64)

    def linear(n: int) -> FeatureScaling:
        return FeatureScaling.linear((1.0,) * n)

    return Interface(box(DL), box(AL), box(DF), box(AF), linear(DL), linear(DF), N)


def learners(seed: int = 0, **settings: object) -> Learners:
    torch.manual_seed(seed)
    chosen = LearningSettings(**{"discount": 0.9, "hidden": (16, 16), **settings})  # type: ignore[arg-type]
    players = []
    for make_actor, make_critic in (
        (build.leader_actor, build.leader_critic),
        (build.follower_actor, build.follower_critic),
    ):
        actor, critic = make_actor(interface(), chosen).double(), make_critic(interface(), chosen).double()
        for parameter in [*actor.parameters(), *critic.parameters()]:
            with torch.no_grad():
                parameter.add_(0.05 * torch.randn_like(parameter))
        players.append(Player(actor, critic, deepcopy(actor), deepcopy(critic)))
    return Learners(players[0], players[1], chosen, N)


def batch(both: Learners, m: int = M) -> Batch:
    torch.manual_seed(1)

    def uniform(*shape: int) -> torch.Tensor:
        return 0.8 * (2 * torch.rand(*shape, dtype=torch.float64) - 1)

    state, action = uniform(B, m, DF), uniform(B, m, AF)
    mean_field = summary(torch.cat([state, action], -1), both.settings.mean_field)
    if m < N:  # the other N - m households pull the mean field elsewhere
        mean_field = mean_field + 0.1 * uniform(*mean_field.shape)
    next_state, next_action = uniform(B, m, DF), uniform(B, m, AF)
    return Batch(
        leader_state=uniform(B, DL),
        leader_action=uniform(B, AL),
        leader_reward=uniform(B),
        next_leader_state=uniform(B, DL),
        terminated=torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64),
        mean_field=mean_field,
        follower_state=state,
        follower_action=action,
        follower_reward=uniform(B, m),
        next_follower_state=next_state,
        next_follower_action=next_action,
        next_mean_field=summary(torch.cat([next_state, next_action], -1), both.settings.mean_field),
        leader_value_range=torch.tensor([-10.0, 10.0], dtype=torch.float64),
        follower_value_range=torch.tensor([-10.0, 10.0], dtype=torch.float64),
    )


def finite_difference(value, at: torch.Tensor, step: float = 1e-6) -> torch.Tensor:  # type: ignore[no-untyped-def]
    result = torch.zeros_like(at)
    for index in np.ndindex(*at.shape):
        up, down = at.clone(), at.clone()
        up[index] += step
        down[index] -= step
        result[index] = (value(up) - value(down)) / (2 * step)
    return result


@pytest.mark.parametrize("statistics", [("mean",), ("standard_deviation", "mean"), ("mean", "quantiles")])
@pytest.mark.parametrize("gradient", ["total", "partial"])
def test_leader_derivative_counts_the_reaction_only_if_total(gradient: str, statistics: tuple[str, ...]) -> None:
    both = learners(leader_gradient=gradient, mean_field=statistics)
    data = batch(both)
    recorded = torch.cat([data.follower_state, data.follower_action], -1)

    def value(action: torch.Tensor) -> torch.Tensor:
        mean_field = data.mean_field
        if gradient == "total":
            reaction = both.follow(both.follower.actor, data.follower_state, action)
            households = torch.cat([data.follower_state, reaction], -1)
            mean_field = moved(mean_field, recorded, households, statistics)  # type: ignore[arg-type]
        return both.value_to_leader(both.leader.critic, data.leader_state, action, recorded, mean_field).sum()

    with torch.no_grad():
        at = both.lead(both.leader.actor, data.leader_state)
        expected = finite_difference(value, at)
    assert torch.allclose(leader_action_gradient(both, data, at), expected, atol=1e-7)


def test_total_and_partial_derivatives_differ() -> None:
    total, partial = learners(leader_gradient="total"), learners(leader_gradient="partial")
    output = torch.zeros(B, AL, dtype=torch.float64)
    data = batch(total)
    difference = leader_action_gradient(total, data, output) - leader_action_gradient(partial, data, output)
    assert difference.abs().max() > 1e-4


@pytest.mark.parametrize("view", ["own", "mean_field"])
def test_game_derivative_is_what_one_household_gains_alone(view: str) -> None:
    both = learners(follower_gradient="game", follower_view=view)
    data = batch(both, m=N)
    with torch.no_grad():
        at = both.follow(both.follower.actor, data.follower_state, data.leader_action)
    gradient = follower_action_gradient(both, data, at)

    def own_value(action: torch.Tensor, game: int, household: int) -> torch.Tensor:
        households = torch.cat([data.follower_state, action], -1)
        population = population_view(view, households, summary(households, ("mean",))).unsqueeze(-2)  # type: ignore[arg-type]
        values = both.value_to_follower(
            both.follower.critic, data.follower_state, action, data.leader_action, population
        )
        return values[game, household]

    with torch.no_grad():
        for game, household in ((0, 0), (1, 5), (2, 7)):
            moved_alone = finite_difference(lambda a, g=game, h=household: own_value(a, g, h), at)
            assert torch.allclose(gradient[game, household], moved_alone[game, household], atol=1e-7)


def test_team_derivative_is_what_everybody_gains() -> None:
    both = learners(follower_gradient="team")
    data = batch(both, m=N)
    with torch.no_grad():
        at = both.follow(both.follower.actor, data.follower_state, data.leader_action)

    def everybody(action: torch.Tensor) -> torch.Tensor:
        households = torch.cat([data.follower_state, action], -1)
        population = summary(households, ("mean",)).unsqueeze(-2)
        return both.value_to_follower(
            both.follower.critic, data.follower_state, action, data.leader_action, population
        ).sum()

    with torch.no_grad():
        expected = finite_difference(everybody, at)
    assert torch.allclose(follower_action_gradient(both, data, at), expected, atol=1e-7)
    game = learners(follower_gradient="game")
    assert not torch.allclose(follower_action_gradient(game, data, at), expected, atol=1e-4)


def test_nothing_follows_a_termination() -> None:
    both = learners()
    data = batch(both)
    before = critic_losses(both, data)
    data.next_leader_state[1] += 5.0  # the terminated game
    data.next_follower_state[1] += 5.0
    data.next_mean_field[1] += 5.0
    after = critic_losses(both, data)
    assert all(torch.equal(before[side], after[side]) for side in before)
    data.next_leader_state[0] += 5.0  # a game that goes on
    assert not torch.equal(critic_losses(both, data)["leader"], before["leader"])


def test_values_are_annual_equivalents() -> None:
    """A constant reward r is worth Q = r, whatever the discount: the loss vanishes at critics that say r."""
    both = learners()
    data = batch(both)
    data.leader_reward[:] = data.follower_reward[:] = 0.7
    data.terminated[:] = 0.0
    for player in (both.leader, both.follower):
        for critic in (player.critic, player.target_critic):
            for parameter in critic.parameters():
                parameter.data.zero_()
            critic.last.bias.data.fill_(0.7)
    losses = critic_losses(both, data)
    assert losses["leader"] < 1e-20
    assert losses["follower"] < 1e-20


@pytest.mark.parametrize("direction", [1.0, -1.0])
def test_an_actor_beyond_its_bound_rests_near_it_and_comes_back(direction: float) -> None:
    output = torch.full((1, 1), 5.0, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.SGD([output], lr=0.1)
    for _ in range(500):
        loss = actor_loss(output, torch.full((1, 1), direction, dtype=torch.float64), bound_penalty=1.0)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if direction < 0 and output.item() < 1.0:
            break
    assert output.item() == pytest.approx(1.5, abs=1e-6) if direction > 0 else output.item() < 1.0


def test_targets_are_separate_and_move_by_the_stated_step() -> None:
    both = learners(target_step=0.25)
    player = both.leader
    before = [p.clone() for p in player.target_critic.parameters()]
    with torch.no_grad():
        for parameter in player.critic.parameters():
            parameter.add_(1.0)
    assert all(torch.equal(a, b) for a, b in zip(before, player.target_critic.parameters(), strict=True))
    move_targets(both)
    for old, new, network in zip(before, player.target_critic.parameters(), player.critic.parameters(), strict=True):
        assert torch.allclose(new, 0.75 * old + 0.25 * network)


@pytest.mark.parametrize(("leader_view", "follower_view"), [("own", "own"), ("mean_field", "own"), ("joint", "joint")])
def test_every_view_gives_gradients_of_every_network(leader_view: str, follower_view: str) -> None:
    both = learners(leader_view=leader_view, follower_view=follower_view)
    found, _ = gradients(both, batch(both, m=N))
    assert set(found) == {(s, n) for s in ("leader", "follower") for n in ("actor", "critic")}
    for values in found.values():
        assert all(torch.isfinite(v).all() for v in values)
        assert any(v.abs().max() > 0 for v in values)


def test_a_side_that_is_held_gets_no_actor_gradient() -> None:
    both = learners()
    found, _ = gradients(both, batch(both), actors=("follower",))
    assert ("leader", "actor") not in found
    assert ("leader", "critic") in found


def test_no_value_outside_what_rewards_allow_is_fed_back() -> None:
    both = learners()
    data = batch(both)
    data.terminated[:] = 0.0
    for side in ("leader", "follower"):
        reward = getattr(data, f"{side}_reward")
        setattr(data, f"{side}_value_range", value_range(reward))
        assert torch.equal(value_range(reward + 5.0), torch.stack([torch.zeros_like(reward.max()), reward.max() + 5.0]))
        player = getattr(both, side)
        for critic, value in ((player.critic, 0.0), (player.target_critic, 1e6)):
            for parameter in critic.parameters():
                parameter.data.zero_()
            critic.last.bias.data.fill_(value)
        largest = 0.1 * reward + 0.9 * reward.max().clamp(min=0.0)
        assert critic_losses(both, data)[side].item() == pytest.approx(0.5 * largest.square().mean().item())


@pytest.mark.parametrize("squash", ["clip", "tanh"])
def test_an_actor_at_its_bound_feels_its_critic_only_when_clipped(squash: str) -> None:
    output = torch.full((1, 1), 8.0, dtype=torch.float64, requires_grad=True)
    down = torch.full((1, 1), -1.0, dtype=torch.float64)
    actor_loss(output, down, bound_penalty=0.0, squash=squash).backward()  # type: ignore[arg-type]
    assert (output.grad > 0.9).item() if squash == "clip" else (output.grad < 1e-5).item()


@pytest.mark.parametrize("gradient", ["game", "team"])
@pytest.mark.parametrize("view", ["own", "mean_field", "joint"])
def test_one_pass_backwards_gives_each_network_the_gradient_of_its_own_loss(view: str, gradient: str) -> None:
    both = learners(leader_view=view, follower_view=view, follower_gradient=gradient)
    data = batch(both, m=N)
    found, logs = gradients(both, data)

    def check(side: str, network: str, loss: torch.Tensor) -> None:
        parameters = list(getattr(getattr(both, side), network).parameters())
        for mine, alone in zip(found[side, network], torch.autograd.grad(loss, parameters), strict=True):
            assert torch.allclose(mine, alone, rtol=1e-10, atol=1e-14)
        assert logs[f"{side}/{network}_loss"] == pytest.approx(loss.item())

    for side in ("leader", "follower"):
        check(side, "critic", critic_losses(both, data)[side])
    output = both.lead_output(data.leader_state)
    check("leader", "actor", actor_loss(output, leader_action_gradient(both, data, output.clamp(-1, 1)), 1.0))
    output = both.follow_output(data.follower_state, data.leader_action)
    check("follower", "actor", actor_loss(output, follower_action_gradient(both, data, output.clamp(-1, 1)), 1.0))


def test_a_network_is_the_sum_of_its_three_parts() -> None:
    """Written out in full: perceptron, linear part and quadratic part, on inputs side by side."""
    critic = learners().follower.critic
    with torch.no_grad():
        critic.curvature.normal_()  # type: ignore[union-attr]
    torch.manual_seed(2)
    own, shared = torch.randn(B, M, DF + AF).double(), torch.randn(B, 1, AL + DF + AF).double()
    x = torch.cat([own, shared.expand(B, M, -1)], -1)
    first = torch.cat([critic.first_own.weight, critic.first_shared.weight], -1)
    slope = torch.cat([critic.linear_own.weight, critic.linear_shared.weight], -1)
    hidden = torch.nn.functional.silu(x @ first.T + critic.first_own.bias)
    hidden = torch.nn.functional.silu(critic.middle[0](hidden))
    expected = critic.last(hidden) + x @ slope.T + torch.einsum("...i,ij,...j->...", x, critic.curvature, x)[..., None]
    assert torch.allclose(critic(own, shared), expected.squeeze(-1), rtol=1e-12)
