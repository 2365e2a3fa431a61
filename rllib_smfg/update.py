"""One update of both sides, as gradients; whoever holds the optimisers applies them."""

from __future__ import annotations

from itertools import islice

import torch
from torch import Tensor

from rllib_smfg.foresight import fit_slopes
from rllib_smfg.losses import (
    Batch,
    Learners,
    actor_loss,
    critic_losses,
    envelope,
    follower_action_gradient,
    leader_action_gradient,
    saturation,
)

SIDES = ("leader", "follower")
Gradients = dict[tuple[str, str], tuple[Tensor, ...]]


def gradients(
    learners: Learners, batch: Batch, actors: tuple[str, ...] = SIDES, critics: tuple[str, ...] = SIDES
) -> tuple[Gradients, dict[str, Tensor]]:
    """Gradients of each network's own loss, by (side, "critic" or "actor"), and what there is to log.

    `actors` names the sides whose actor learns (a side held still keeps learning its critic), `critics` those whose
    critic does (a side that is given learns neither).
    """
    c = learners.settings
    logs: dict[str, Tensor] = {}
    losses = {(side, "critic"): loss for side, loss in critic_losses(learners, batch).items() if side in critics}
    for side in actors:
        actor = getattr(learners, side).actor
        if side == "leader":
            output = learners.lead_output(batch.leader_state)
            ascent = leader_action_gradient(learners, batch, actor.to_action(output))
        else:
            output = learners.follow_output(batch.follower_state, batch.leader_action)
            ascent = follower_action_gradient(learners, batch, actor.to_action(output))
        losses[side, "actor"] = actor_loss(output, ascent, c.bound_penalty, c.squash)
        logs[f"{side}/action_gradient"] = ascent.square().mean().sqrt()
        logs[f"{side}/saturation"] = saturation(output)
    logs |= {f"{side}/{network}_loss": loss.detach() for (side, network), loss in losses.items()}
    return _own_gradients(learners, losses), logs


def _own_gradients(learners: Learners, losses: dict[tuple[str, str], Tensor]) -> Gradients:
    """Of each network's own loss: no loss depends on another's network, so one pass backwards serves all of them."""
    networks = {key: list(getattr(getattr(learners, key[0]), key[1]).parameters()) for key in losses}
    every = [parameter for parameters in networks.values() for parameter in parameters]
    found = iter(torch.autograd.grad(list(losses.values()), every))
    return {key: tuple(islice(found, len(parameters))) for key, parameters in networks.items()}


def solve_slopes(learners: Learners, batch: Batch, damping: float) -> dict[str, Tensor]:
    """One step of a follower critic that learns slopes, in place, and what there is to log."""
    condition, shared = envelope(learners, batch)
    missed = fit_slopes(learners.follower.critic, condition, shared, damping)
    return {"follower/critic_loss": missed}


@torch.no_grad()
def move_targets(learners: Learners) -> None:
    """Targets <- (1 - step) targets + step networks, for all four (last lines of algorithm 1)."""
    targets, networks = learners.pursuit
    torch._foreach_lerp_(targets, networks, learners.settings.target_step)
