"""The maths of SMFRL (arXiv 2403.12093, section 4.3 and algorithm 1): four losses out of one batch.

Shapes: B transitions, m sampled households of each, N households in all. s are features, actions u in [-1, 1],
rewards in units of the game's reward scale. l and f mark leader and follower; L is the mean field of all N.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import huber_loss

from rllib_smfg.mean_field import moved, on_the_mean, population_view, summary, with_states
from rllib_smfg.networks import Actor, Critic
from rllib_smfg.settings import LearningSettings


@dataclass
class Batch:
    """B transitions, each with m of its households.

    leader_state, next_leader_state (B, dl); leader_action (B, al); leader_reward, terminated (B,);
    mean_field (B, k) of (state, action) over all N; next_mean_state (B, ds) the same statistics of next states alone;
    follower_state, next_follower_state (B, m, df); follower_action (B, m, af); follower_reward (B, m).
    """

    leader_state: Tensor
    leader_action: Tensor
    leader_reward: Tensor
    next_leader_state: Tensor
    terminated: Tensor
    mean_field: Tensor
    follower_state: Tensor
    follower_action: Tensor
    follower_reward: Tensor
    next_follower_state: Tensor
    next_mean_state: Tensor


@dataclass
class Player:
    """One side's networks; the targets are separate networks that follow slowly."""

    actor: Actor
    critic: Critic
    target_actor: Actor
    target_critic: Critic


@dataclass
class Learners:
    """Both sides, and how they learn."""

    leader: Player
    follower: Player
    settings: LearningSettings
    followers: int  # N

    # --- acting ----------------------------------------------------------------------------------------------
    def lead(self, actor: Actor, state: Tensor) -> Tensor:
        """Leader outputs (B, al) before clipping."""
        out: Tensor = actor(state, state[..., :0])
        return out

    def follow(self, actor: Actor, state: Tensor, leader_action: Tensor) -> Tensor:
        """Follower outputs (B, m, af) before clipping, after the leader's action (B, al) is seen."""
        out: Tensor = actor(state, self._seen(leader_action))
        return out

    def _seen(self, leader_action: Tensor) -> Tensor:
        seen = leader_action if self.settings.followers_see_leader else leader_action[..., :0]
        return seen.unsqueeze(-2)

    # --- valuing ---------------------------------------------------------------------------------------------
    def value_to_leader(
        self, critic: Critic, state: Tensor, action: Tensor, households: Tensor, mean_field: Tensor
    ) -> Tensor:
        """Q^l(s^l, a^l, L), (B,)."""
        population = population_view(self.settings.leader_view, households, mean_field)
        out: Tensor = critic(torch.cat([state, action], -1), population)
        return out

    def value_to_follower(
        self, critic: Critic, state: Tensor, action: Tensor, leader_action: Tensor, population: Tensor
    ) -> Tensor:
        """Q^f(s^f, a^f, a^l, L), (B, m); population (B, 1, k) or (B, m, k)."""
        seen = self._seen(leader_action).expand(*population.shape[:-1], -1)
        out: Tensor = critic(torch.cat([state, action], -1), torch.cat([seen, population], -1))
        return out


def clip(output: Tensor) -> Tensor:
    """Actor outputs as actions u in [-1, 1]."""
    return output.clamp(-1.0, 1.0)


def critic_losses(learners: Learners, batch: Batch) -> dict[str, Tensor]:
    """Temporal-difference losses of both critics, equation 2 of the paper and its follower counterpart.

    y = (1 - discount) r + discount Q_target(s', a', L'), with nothing after a termination. L' holds the next states of
    all N and the target actions of the sampled households (algorithm 1: the next population acts on target policies).
    """
    c, leader, follower = learners.settings, learners.leader, learners.follower
    with torch.no_grad():
        next_lead = clip(learners.lead(leader.target_actor, batch.next_leader_state))
        next_follow = clip(learners.follow(follower.target_actor, batch.next_follower_state, next_lead))
        next_households = torch.cat([batch.next_follower_state, next_follow], -1)
        next_mean_field = with_states(summary(next_households, c.mean_field), batch.next_mean_state, c.mean_field)
        goes_on = c.discount * (1.0 - batch.terminated)
        leader_target = (1.0 - c.discount) * batch.leader_reward + goes_on * learners.value_to_leader(
            leader.target_critic, batch.next_leader_state, next_lead, next_households, next_mean_field
        )
        next_population = population_view(c.follower_view, next_households, next_mean_field).unsqueeze(-2)
        follower_target = (1.0 - c.discount) * batch.follower_reward + goes_on.unsqueeze(
            -1
        ) * learners.value_to_follower(
            follower.target_critic, batch.next_follower_state, next_follow, next_lead, next_population
        )
    households = torch.cat([batch.follower_state, batch.follower_action], -1)
    leader_value = learners.value_to_leader(
        leader.critic, batch.leader_state, batch.leader_action, households, batch.mean_field
    )
    population = population_view(c.follower_view, households, batch.mean_field).unsqueeze(-2)
    follower_value = learners.value_to_follower(
        follower.critic, batch.follower_state, batch.follower_action, batch.leader_action, population
    )
    return {
        "leader": huber_loss(leader_value, leader_target, delta=c.huber_threshold),
        "follower": huber_loss(follower_value, follower_target, delta=c.huber_threshold),
    }


def leader_action_gradient(learners: Learners, batch: Batch, output: Tensor) -> Tensor:
    """dQ^l/da^l at the clipped output (B, al).

    total:   dQ/da + dQ/dL dL/da, where L moves as the households react to the new action (stage Stackelberg)
    partial: dQ/da alone, L as recorded (algorithm 1 as printed)
    """
    c = learners.settings
    action = clip(output.detach()).requires_grad_()
    households = recorded = torch.cat([batch.follower_state, batch.follower_action], -1)
    mean_field = batch.mean_field
    if c.leader_gradient == "total" and c.leader_view != "own":
        reaction = clip(learners.follow(learners.follower.actor, batch.follower_state, action))
        households = torch.cat([batch.follower_state, reaction], -1)
        mean_field = moved(mean_field, recorded, households, c.mean_field)
    value = learners.value_to_leader(learners.leader.critic, batch.leader_state, action, households, mean_field)
    return torch.autograd.grad(value.sum(), action)[0]


def follower_action_gradient(learners: Learners, batch: Batch, output: Tensor) -> Tensor:
    """dQ^f/da^f at the clipped outputs (B, m, af), after the recorded leader action.

    game: every household moves alone. It still moves the mean of N households by 1/N of its own step; that share
          belongs to the finite game's best response and vanishes with N.
    team: all households move together, each counted as what it does to everybody's value.
    """
    c = learners.settings
    action = clip(output.detach()).requires_grad_()
    recorded = torch.cat([batch.follower_state, batch.follower_action], -1)
    households = torch.cat([batch.follower_state, action], -1)
    if c.follower_view == "own":
        population = batch.mean_field[..., :0].unsqueeze(-2)
    elif c.follower_gradient == "team":
        mean_field = moved(batch.mean_field, recorded, households, c.mean_field)
        population = population_view(c.follower_view, households, mean_field).unsqueeze(-2)
    else:
        population = _population_around(learners, recorded, households, batch.mean_field)
    value = learners.value_to_follower(
        learners.follower.critic, batch.follower_state, action, batch.leader_action, population
    )
    return torch.autograd.grad(value.sum(), action)[0]


def _population_around(learners: Learners, recorded: Tensor, households: Tensor, mean_field: Tensor) -> Tensor:
    """The population each household sees (B, m, k): as policies now stand, itself counted with weight 1/N."""
    c = learners.settings
    if c.follower_view == "joint":
        return population_view("joint", households.detach(), mean_field).unsqueeze(-2)
    now = moved(mean_field, recorded, households.detach(), c.mean_field).unsqueeze(-2)
    step = (households - households.detach()) / learners.followers  # zero, with a derivative
    return now + on_the_mean(step, c.mean_field)


def actor_loss(output: Tensor, action_gradient: Tensor, bound_penalty: float) -> Tensor:
    """The deterministic policy gradient of algorithm 1, with outputs beyond the bounds pulled back.

    The gradient of this loss at `output` is -dQ/da, scaled to unit size (the critic's scale carries no information
    for the actor), plus 2 bound_penalty (distance beyond the bound). Since dQ/da is passed on unchanged beyond a bound,
    an actor rests at most 1 / (2 bound_penalty) or so outside, and comes back as soon as its critic says so.
    """
    size = action_gradient.square().mean().sqrt() + 1e-12
    ascent = -(output * (action_gradient / size)).mean()
    beyond = output - clip(output)
    return ascent + bound_penalty * beyond.square().mean()


def saturation(output: Tensor) -> Tensor:
    """The share of actions at a bound."""
    return (output.detach().abs() >= 1.0).float().mean()
