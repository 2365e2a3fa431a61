"""How followers learn: by the Euler residuals of their own play, or along whole paths.

A household's problem is

    max E sum_t beta^t r(s_t, u_t; aggregates),     s_(t+1) = f(s_t, u_t; aggregates)

with aggregates given (a game; price takers). With lambda the worth of what is carried, its first-order condition is

    0 = dr_t/du + beta E[lambda_(t+1)] df_t/du,                                                               (1)

and the envelope condition says lambda from next year's own play alone: a household that follows it could consume what
it carries, at the rate at which its saving decision u_k trades reward for what is carried on,

    lambda_(t+1) = dr_(t+1)/ds - dr_(t+1)/du_k (df_(t+1)/ds) / (df_(t+1)/du_k).                               (2)

All derivatives are taken of the game's own arithmetic, at what each household really met one year later.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from envs.arithmetic import ArithmeticGame, Mean
from rllib_smfg.structural.economies import State
from rllib_smfg.structural.sides import Side

LEAST_CURVATURE = 0.05  # of its median: where a reward hardly bends, a residual asks for no endless step


@dataclass(frozen=True)
class Slopes:
    """How a household's year moves with its outputs u, (B, N, a) each: reward, its own curvature, what is carried."""

    reward: Tensor
    curvature: Tensor
    carried: Tensor | None


def year_slopes(
    game: ArithmeticGame, side: Side, state: State, leader: list[Tensor], output: Tensor, shocks: State, mean: Mean
) -> tuple[Slopes, State, Tensor | None]:
    """The slopes of one year in the households' outputs; the next state and which games ended come with them."""
    u = output.detach().requires_grad_()
    outcome = game.advance(state, leader, side.natural(u), shocks, mean)
    following = {name: x.detach() for name, x in outcome.state.items()}
    carried = None
    if game.carried is not None:
        (carried,) = torch.autograd.grad(outcome.state[game.carried].sum(), u, retain_graph=True)
    (reward,) = torch.autograd.grad(outcome.follower_reward.sum(), u, create_graph=True)
    bends = []
    for k in range(u.shape[-1]):
        if not reward.requires_grad:  # a reward that is linear in what households do
            bends.append(torch.zeros_like(reward[..., k]))
            continue
        (bend,) = torch.autograd.grad(
            reward[..., k].sum(), u, retain_graph=True, allow_unused=True, materialize_grads=True
        )
        bends.append(bend[..., k])
    return Slopes(reward.detach(), torch.stack(bends, -1), carried), following, outcome.ended


def worth_of_carried(
    game: ArithmeticGame, side: Side, state: State, leader: list[Tensor], output: Tensor, shocks: State, mean: Mean
) -> Tensor:
    """lambda (B, N) of eq. 2, at the outputs (B, N, a) of households' own play in this state."""
    assert game.carried is not None
    s = state[game.carried].detach().requires_grad_()
    u = output.detach().requires_grad_()
    outcome = game.advance({**state, game.carried: s}, leader, side.natural(u), shocks, mean)
    following = outcome.state[game.carried]
    kept_s, kept_u = torch.autograd.grad(following.sum(), (s, u), retain_graph=True)
    reward_s, reward_u = torch.autograd.grad(outcome.follower_reward.sum(), (s, u), materialize_grads=True)
    k = saving_decision(game)
    # at a price per unit carried on; where a decision moves nothing (a saturated share) what is carried is consumed
    price = reward_u[..., k] / kept_u[..., k]
    price = torch.where(kept_u[..., k].abs() > 1e-30, price, torch.zeros_like(price))
    return reward_s - price * kept_s


def saving_decision(game: ArithmeticGame) -> int:
    """The place of the decision that moves what is carried."""
    return 0 if game.saved_by is None else game.decisions.index(game.saved_by)


def residual(slopes: Slopes, worth: Tensor | None, discount: float) -> Tensor:
    """The left side of eq. 1, dr/du + beta lambda df/du, (B, N, a)."""
    if slopes.carried is None or worth is None:
        return slopes.reward
    return slopes.reward + discount * worth.unsqueeze(-1) * slopes.carried


def euler_loss(
    found: Tensor, output: Tensor, curvature: Tensor, side: Side, floor: float, alive: Tensor | None
) -> Tensor:
    """A loss that moves outputs u (B, N, a) by Newton's step for the residual `found`, were all else to stay.

    The residual is divided by the curvature of the year's reward in u, so that rich and poor, and games in whatever
    units, count by how far they are from what they ask for. Shares are log odds, in which a step means the less the
    nearer it is to the end: it counts in natural units, at least as if a share were `floor` from its end. Nothing is
    asked of a decision that rests at a bound it would rather pass. Games that ended are left out: what a failed economy
    says about saving is nothing that its households could have chosen.
    """
    size = curvature.abs()
    usual = torch.nan_to_num(size, 0.0, 0.0, 0.0).flatten(0, 1).median(0).values
    step = found / (size + LEAST_CURVATURE * usual + 1e-30)
    if side.shares:
        share = torch.sigmoid(side.low + (output.detach() + 1) * (0.5 * (side.high - side.low)))
        step = step * torch.minimum(share, 1 - share).clamp_min(floor)
    u = output.detach()
    bound = ((u <= -1) & (step < 0)) | ((u >= 1) & (step > 0))
    usable = step.isfinite() & ~bound
    if alive is not None:
        usable = usable & alive.unsqueeze(-1)
    step = torch.where(usable, step, torch.zeros_like(step))
    return -(step * output).sum(-1).mean()
