"""How followers learn: by the Euler residuals of their own play.

A household's problem is

    max E sum_t beta^t r(s_t, u_t; aggregates),     s_(t+1) = f(s_t, u_t; aggregates)

with aggregates given (a game; price takers). With lambda the worth of what is carried, its first-order condition is

    0 = dr_t/du + beta E[lambda_(t+1)] df_t/du,                                                               (1)

and the envelope condition says lambda from next year's own play alone: a household that follows it could consume what
it carries, at the rate at which its saving decision u_k trades reward for what is carried on,

    lambda_(t+1) = dr_(t+1)/ds - dr_(t+1)/du_k (df_(t+1)/ds) / (df_(t+1)/du_k).                               (2)

Condition (1) alone says little of a household whose saving hardly moves its own income: it consumes what it earns next
year as well, and (1) hardly tells one level of consumption from another. So a residual follows n years of own play
before (2) says what is then carried,

    0 = d/du_t [ r_t + beta r_(t+1) + ... + beta^(n-1) r_(t+n-1) + beta^n lambda_(t+n) s_(t+n) ],              (3)

which has the same solution, at which each of the years' own conditions holds, and n = 1 is (1). All derivatives are
taken of the game's own arithmetic, at what each household really met.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from envs.arithmetic import ArithmeticGame, Mean
from rllib_smfg.structural.economies import State, detached
from rllib_smfg.structural.sides import Side
from rllib_smfg.structural.together import Together

LARGEST_STEP = 1e3  # half ranges: where play explodes within a window a residual means no more than its sign
LEAST_CURVATURE = 0.05  # of its median: where a reward hardly bends, a residual asks for no endless step


@dataclass(frozen=True)
class Year:
    """One year of all games as it is met; told: the leader's outputs, output: households'."""

    state: State
    leader: list[Tensor]
    told: Tensor
    shocks: State
    output: Tensor


@dataclass(frozen=True)
class Window:
    """Years in a row under households' own play, and which games (B, 1) came to an end within them (None: no end)."""

    years: list[Year]
    reward: Tensor  # sum over years of beta^t r_t and over households and games, with its graph
    following: State
    ended: Tensor | None


def play_window(
    game: ArithmeticGame,
    side: Side,
    state: State,
    shocks: Sequence[State],
    meet: Callable[[int, State], tuple[list[Tensor], Tensor, Tensor]],
    mean: Mean,
) -> Window:
    """Plays a year for each of `shocks`; meet(year, state) -> the leader's action and outputs, households' outputs.

    What a household carries stays in the graph from year to year, so that a reward knows all earlier outputs; a game
    that ended stands still, and its households' later years count nothing.
    """
    years, reward, weight, ended = [], torch.zeros(()).to(next(iter(state.values())).device), 1.0, None
    for t, draw in enumerate(shocks):
        leader, told, output = meet(t, state)
        outcome = game.advance(state, leader, side.natural(output), draw, mean)
        years.append(Year(detached(state), leader, told, draw, output))
        met = outcome.follower_reward
        if outcome.ended is not None:
            ended = outcome.ended if ended is None else ended | outcome.ended
            met = torch.where(ended, torch.zeros_like(met), met)
            reached = {name: torch.where(ended, state[name], x) for name, x in outcome.state.items()}
        else:
            reached = dict(outcome.state)
        reward = reward + weight * met.sum()
        state, weight = reached, weight * game.discount
    return Window(years, reward, state, ended)


def window_residuals(game: ArithmeticGame, window: Window, worth: Tensor | None) -> list[Tensor]:
    """The left side of eq. 3, (B, N, a) for each year of the window; worth (B, N): lambda after its last year."""
    whole = window.reward
    if game.carried is not None and worth is not None:
        kept = window.following[game.carried]
        whole = whole + game.discount ** len(window.years) * (worth * kept).sum()
    outputs = [year.output for year in window.years]
    slopes = torch.autograd.grad(whole, outputs, allow_unused=True, materialize_grads=True)
    return [slope / game.discount**t for t, slope in enumerate(slopes)]


def curvature(game: ArithmeticGame, side: Side, year: Year, mean: Mean) -> Tensor:
    """d2r/du2 (B, N, a), each output's own, of the year's reward."""
    u = year.output.detach().requires_grad_()
    outcome = game.advance(year.state, year.leader, side.natural(u), year.shocks, mean)
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
    return torch.stack(bends, -1)


def joined(years: Sequence[Year]) -> Year:
    """Years side by side, as if they were so many more games."""
    first = years[0]
    return Year(
        {name: torch.cat([year.state[name] for year in years]) for name in first.state},
        [torch.cat([year.leader[k] for year in years]) for k in range(len(first.leader))],
        torch.cat([year.told for year in years]),
        {name: torch.cat([year.shocks[name] for year in years]) for name in first.shocks},
        torch.cat([year.output for year in years]),
    )


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


def euler_loss(
    found: Tensor,
    output: Tensor,
    curvature: Tensor,
    side: Side,
    floor: float,
    alive: Tensor | None,
    together: Together | None = None,
) -> Tensor:
    """A loss (B, N) that moves outputs u (B, N, a) by Newton's step for the residual `found`, were all else to stay.

    The residual is divided by the curvature of the year's reward in u, so that rich and poor, and games in whatever
    units, count by how far they are from what they ask for. Shares are log odds, in which a step means the less the
    nearer it is to the end: it counts in natural units, at least as if a share were `floor` from its end, where .5 is
    everywhere alike. Nothing is
    asked of a decision that rests at a bound it would rather pass. Games that ended are left out: what a failed economy
    says about saving is nothing that its households could have chosen. What curvature is usual, all learners'
    games say together.
    """
    size = curvature.abs()
    usual = (together or Together()).median(torch.nan_to_num(size, 0.0, 0.0, 0.0).flatten(0, 1))
    step = found / (size + LEAST_CURVATURE * usual + 1e-30)
    if side.shares:
        share = torch.sigmoid(side.low + (output.detach() + 1) * (0.5 * (side.high - side.low)))
        step = step * torch.minimum(share, 1 - share).clamp_min(floor)
    u = output.detach()
    bound = ((u <= -1) & (step < 0)) | ((u >= 1) & (step > 0))
    usable = step.isfinite() & ~bound
    if alive is not None:
        usable = usable & alive.unsqueeze(-1)
    step = torch.where(usable, step.clamp(-LARGEST_STEP, LARGEST_STEP), torch.zeros_like(step))
    return -(step * output).sum(-1)
