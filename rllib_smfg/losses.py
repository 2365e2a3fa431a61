"""The maths of SMFRL (arXiv 2403.12093, section 4.3 and algorithm 1): four losses out of one batch.

Shapes: B transitions, m sampled households of each, N households in all. s are features, actions u in [-1, 1],
rewards in units of the game's reward scale. l and f mark leader and follower; L is the mean field of all N.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from torch.nn.functional import huber_loss

from rllib_smfg.foresight import Envelope, ForesightedCritic
from rllib_smfg.mean_field import moved, on_the_mean, population_view
from rllib_smfg.networks import Actor, Critic, clip
from rllib_smfg.settings import LearningSettings, Squash


@dataclass
class Batch:
    """B transitions, each with m of its households.

    leader_state, next_leader_state (B, dl); leader_action (B, al); leader_reward, terminated (B,);
    follower_state, next_follower_state (B, m, df); follower_action (B, m, af); follower_reward (B, m);
    mean_field (B, k) of (state, action) over all N. next_follower_action (B, m, af) and next_mean_field (B, k): what
    the policies of that time would do next without exploration, of the sampled households and of all N.
    leader_value_range, follower_value_range (2,): least and largest value possible, see `value_range`.
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
    next_follower_action: Tensor
    next_mean_field: Tensor
    leader_value_range: Tensor
    follower_value_range: Tensor

    @cached_property
    def households(self) -> Tensor:
        """States and actions of the sampled households as recorded, (B, m, df + af)."""
        return torch.cat([self.follower_state, self.follower_action], -1)


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

    @cached_property
    def pursuit(self) -> tuple[list[Tensor], list[Tensor]]:
        """All parameters of the targets, and those they follow; listed once, as each update needs them."""
        targets: list[Tensor] = []
        networks: list[Tensor] = []
        for player in (self.leader, self.follower):
            for target, network in ((player.target_actor, player.actor), (player.target_critic, player.critic)):
                targets += target.parameters()
                networks += network.parameters()
        return targets, networks

    # --- acting ----------------------------------------------------------------------------------------------
    def lead(self, actor: Actor, state: Tensor) -> Tensor:
        """Leader actions (B, al)."""
        return actor.act(state, state[..., :0])

    def lead_output(self, state: Tensor) -> Tensor:
        """The leader actor's outputs (B, al), not yet bounded."""
        out: Tensor = self.leader.actor(state, state[..., :0])
        return out

    def follow(self, actor: Actor, state: Tensor, leader_action: Tensor) -> Tensor:
        """Follower actions (B, m, af), after the leader's action (B, al) is seen."""
        return actor.act(state, self._seen(leader_action))

    def follow_output(self, state: Tensor, leader_action: Tensor) -> Tensor:
        """The follower actor's outputs (B, m, af), not yet bounded."""
        out: Tensor = self.follower.actor(state, self._seen(leader_action))
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
        out: Tensor = critic(torch.cat([state, action], -1), self.shared_by_followers(leader_action, population))
        return out

    def shared_by_followers(self, leader_action: Tensor, population: Tensor) -> Tensor:
        """What a follower's critic sees beside its own state and action: (a^l, L), (B, 1, k) or (B, m, k)."""
        seen = leader_action if self.settings.household_critic_sees_leader else leader_action[..., :0]
        seen = seen.unsqueeze(-2).expand(*population.shape[:-1], -1)
        return torch.cat([seen, population], -1)


def value_range(reward: Tensor) -> Tensor:
    """The least and the largest value (2,) that rewards like these (any shape) allow.

    A value is an average of coming rewards, and of zeros after the end: what a critic says beyond is extrapolation, and
    feeding it back is how critics diverge.
    """
    return torch.stack([reward.min().clamp(max=0.0), reward.max().clamp(min=0.0)])


@dataclass(frozen=True)
class NextYear:
    """Next year as the target policies would play it: actions, both kinds of what critics see, weight of its values.

    lead (B, al), follow (B, m, af), households (B, m, df + af), mean_field (B, k), population (B, 1, k), goes_on (B,):
    the discount, and 0 after a termination.
    """

    lead: Tensor
    follow: Tensor
    households: Tensor
    mean_field: Tensor
    population: Tensor
    goes_on: Tensor


@torch.no_grad()
def next_year(learners: Learners, batch: Batch) -> NextYear:
    """L' is the mean field of next states and target actions (algorithm 1): that of all N under the policies of the
    time, moved by what the target policies change for the sampled households. Without that control variate a small
    sample biases the leader.
    """
    c, leader, follower = learners.settings, learners.leader, learners.follower
    lead = learners.lead(leader.target_actor, batch.next_leader_state)
    follow = learners.follow(follower.target_actor, batch.next_follower_state, lead)
    households = torch.cat([batch.next_follower_state, follow], -1)
    recorded = torch.cat([batch.next_follower_state, batch.next_follower_action], -1)
    mean_field = moved(batch.next_mean_field, recorded, households, c.mean_field)
    population = population_view(c.follower_view, households, mean_field).unsqueeze(-2)
    return NextYear(lead, follow, households, mean_field, population, c.discount * (1.0 - batch.terminated))


def critic_losses(learners: Learners, batch: Batch) -> dict[str, Tensor]:
    """Temporal-difference losses of both critics, equation 2 of the paper and its follower counterpart.

    y = (1 - discount) r + discount Q_target(s', a', L'), with nothing after a termination. A follower critic that
    learns slopes (`follower_critic`) has none.
    """
    then = next_year(learners, batch)
    losses = {"leader": _leader_loss(learners, batch, then)}
    if not learners.settings.learns_slopes:
        losses["follower"] = _follower_loss(learners, batch, then)
    return losses


def _leader_loss(learners: Learners, batch: Batch, then: NextYear) -> Tensor:
    """Of values (B,); next values are kept within what rewards allow."""
    c, leader = learners.settings, learners.leader
    with torch.no_grad():
        next_value = learners.value_to_leader(
            leader.target_critic, batch.next_leader_state, then.lead, then.households, then.mean_field
        ).clamp(*batch.leader_value_range)
        target = (1.0 - c.discount) * batch.leader_reward + then.goes_on * next_value
    value = learners.value_to_leader(
        leader.critic, batch.leader_state, batch.leader_action, batch.households, batch.mean_field
    )
    return huber_loss(value, target, delta=c.huber_threshold)


def _follower_loss(learners: Learners, batch: Batch, then: NextYear) -> Tensor:
    """Of values (B, m), as the leader's."""
    c, follower = learners.settings, learners.follower
    with torch.no_grad():
        next_value = learners.value_to_follower(
            follower.target_critic, batch.next_follower_state, then.follow, then.lead, then.population
        ).clamp(*batch.follower_value_range)
        target = (1.0 - c.discount) * batch.follower_reward + then.goes_on.unsqueeze(-1) * next_value
    value = learners.value_to_follower(
        follower.critic, batch.follower_state, batch.follower_action, batch.leader_action, _recorded(learners, batch)
    )
    return huber_loss(value, target, delta=c.huber_threshold)


def _recorded(learners: Learners, batch: Batch) -> Tensor:
    """The population as recorded, as followers' critics see it, (B, 1, k)."""
    return population_view(learners.settings.follower_view, batch.households, batch.mean_field).unsqueeze(-2)


def envelope(learners: Learners, batch: Batch) -> tuple[Envelope, Tensor]:
    """The envelope condition of the followers' critic, and what that sees besides, (B, 1, ds)."""
    critic, target = learners.follower.critic, learners.follower.target_critic
    assert isinstance(critic, ForesightedCritic), "see LearningSettings"
    then = next_year(learners, batch)
    shared = learners.shared_by_followers(batch.leader_action, _recorded(learners, batch))

    def next_value(state: Tensor) -> Tensor:
        value = learners.value_to_follower(target, state, then.follow, then.lead, then.population)
        return then.goes_on.unsqueeze(-1) * value

    condition = critic.envelope(
        batch.follower_state, batch.follower_action, shared, batch.next_follower_state, next_value
    )
    return condition, shared


def leader_action_gradient(learners: Learners, batch: Batch, action: Tensor) -> Tensor:
    """dQ^l/da^l at actions (B, al).

    total:   dQ/da + dQ/dL dL/da, where L moves as the households react to the new action (stage Stackelberg)
    partial: dQ/da alone, L as recorded (algorithm 1 as printed)
    """
    c = learners.settings
    action = action.detach().requires_grad_()
    households, mean_field = batch.households, batch.mean_field
    if c.leader_gradient == "total" and c.leader_view != "own":
        reaction = learners.follow(learners.follower.actor, batch.follower_state, action)
        households = torch.cat([batch.follower_state, reaction], -1)
        mean_field = moved(mean_field, batch.households, households, c.mean_field)
    value = learners.value_to_leader(learners.leader.critic, batch.leader_state, action, households, mean_field)
    return torch.autograd.grad(value.sum(), action)[0]


def follower_action_gradient(learners: Learners, batch: Batch, action: Tensor) -> Tensor:
    """dQ^f/da^f at actions (B, m, af), after the recorded leader action.

    game: every household moves alone. It still moves the mean of N households by 1/N of its own step; that share
          belongs to the finite game's best response and vanishes with N. A critic that learns slopes alone does not
          know what the mean field is worth: its households take that as given, as in the limit of many.
    team: all households move together, each counted as what it does to everybody's value.
    """
    c = learners.settings
    action = action.detach().requires_grad_()
    households = torch.cat([batch.follower_state, action], -1)
    if c.follower_view == "own":
        population = batch.mean_field[..., :0].unsqueeze(-2)
    elif c.follower_gradient == "team":
        mean_field = moved(batch.mean_field, batch.households, households, c.mean_field)
        population = population_view(c.follower_view, households, mean_field).unsqueeze(-2)
    else:
        population = _population_around(learners, batch.households, households, batch.mean_field)
        if c.learns_slopes:
            population = population.detach()
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


def actor_loss(output: Tensor, action_gradient: Tensor, bound_penalty: float, squash: Squash = "clip") -> Tensor:
    """The deterministic policy gradient of algorithm 1, with outputs beyond [-1, 1] pulled back.

    dQ/da is scaled to unit size (the critic's scale carries no information for the actor). With `clip` it is passed
    on unchanged beyond a bound, so an actor rests at most 1 / (2 bound_penalty) or so outside, and comes back as soon
    as its critic says so; with `tanh` it passes through the derivative of tanh, which vanishes at the bounds.
    """
    size = action_gradient.square().mean().sqrt() + 1e-12
    followed = torch.tanh(output) if squash == "tanh" else output
    beyond = output - clip(output)
    return -(followed * (action_gradient / size)).mean() + bound_penalty * beyond.square().mean()


def saturation(output: Tensor) -> Tensor:
    """The share of outputs at or beyond a bound (for `tanh`: where 58 % of the gradient is lost)."""
    return (output.detach().abs() >= 1.0).float().mean()
