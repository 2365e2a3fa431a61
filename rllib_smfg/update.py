"""One update of both sides, as gradients; whoever holds the optimisers applies them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rllib_smfg.losses import (
    Batch,
    Learners,
    actor_loss,
    critic_losses,
    follower_action_gradient,
    leader_action_gradient,
    saturation,
)

SIDES = ("leader", "follower")
Gradients = dict[tuple[str, str], tuple[Tensor, ...]]


def gradients(learners: Learners, batch: Batch, actors: tuple[str, ...] = SIDES) -> tuple[Gradients, dict[str, Tensor]]:
    """Gradients of each network's own loss, by (side, "critic" or "actor"), and what there is to log.

    `actors` names the sides whose actor learns (a side held still keeps learning its critic).
    """
    result: Gradients = {}
    logs: dict[str, Tensor] = {}
    losses = critic_losses(learners, batch)
    for side in SIDES:
        critic = getattr(learners, side).critic
        result[side, "critic"] = torch.autograd.grad(losses[side], list(critic.parameters()))
        logs[f"{side}/critic_loss"] = losses[side].detach()
    for side in actors:
        actor = getattr(learners, side).actor
        if side == "leader":
            output = learners.lead_output(batch.leader_state)
            ascent = leader_action_gradient(learners, batch, actor.to_action(output))
        else:
            output = learners.follow_output(batch.follower_state, batch.leader_action)
            ascent = follower_action_gradient(learners, batch, actor.to_action(output))
        loss = actor_loss(output, ascent, learners.settings.bound_penalty, learners.settings.squash)
        result[side, "actor"] = torch.autograd.grad(loss, list(actor.parameters()))
        logs[f"{side}/actor_loss"] = loss.detach()
        logs[f"{side}/action_gradient"] = ascent.square().mean().sqrt()
        logs[f"{side}/saturation"] = saturation(output)
    return result, logs


@torch.no_grad()
def move_targets(learners: Learners) -> None:
    """Targets <- (1 - step) targets + step networks, for all four (last lines of algorithm 1)."""
    for side in SIDES:
        player = getattr(learners, side)
        for network, target in ((player.actor, player.target_actor), (player.critic, player.target_critic)):
            _move(network, target, learners.settings.target_step)


def _move(network: nn.Module, target: nn.Module, step: float) -> None:
    torch._foreach_lerp_(list(target.parameters()), list(network.parameters()), step)
