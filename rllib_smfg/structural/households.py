"""How followers learn: by the Euler residuals of their own play.

A household's problem is

    max E sum_t beta^t r(s_t, u_t; aggregates),     s_(t+1) = f(s_t, u_t; aggregates)

with aggregates given (a game; price takers). With lambda the worth of what is carried, its first-order condition is

    0 = dr_t/du + beta E[lambda_(t+1)] df_t/du,                                                               (1)

and the envelope condition says lambda from next year's own play alone: a household that follows it could consume what
it carries, at the rate at which its saving decision u_k trades reward for what is carried on,

    lambda_(t+1) = dr_(t+1)/ds - dr_(t+1)/du_k (df_(t+1)/ds) / (df_(t+1)/du_k).                               (2)

Where several numbers are carried, s and f are vectors, there are as many saving decisions, and (2) divides by a matrix.

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
LEAST_MOVED = 1e-9  # of the most that decisions move: less is nothing that could be divided by
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
    """The left side of eq. 3, (B, N, a) for each year of the window; worth (B, N, m): lambda after its last year."""
    whole = window.reward
    if worth is not None:
        for name, each in zip(carried_names(game), worth.unbind(-1), strict=True):
            whole = whole + game.discount ** len(window.years) * (each * window.following[name]).sum()
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
    """lambda (B, N, m) of eq. 2, of m carried numbers, at the outputs (B, N, a) of households' own play."""
    names, k = carried_names(game), list(saving_decisions(game))
    s = [state[name].detach().requires_grad_() for name in names]
    u = output.detach().requires_grad_()
    entering = {**state, **dict(zip(names, s, strict=True))}
    outcome = game.advance(entering, leader, side.natural(u), shocks, mean)
    moved = [_slopes(outcome.state[name], [*s, u]) for name in names]
    *reward_s, reward_u = _slopes(outcome.follower_reward, [*s, u])
    # at a price per unit carried on; where a decision moves nothing (a saturated share) what is carried is consumed
    prices = _divided(reward_u[..., k], torch.stack([slopes[-1][..., k] for slopes in moved], -1))
    worth = reward_s
    for slopes, price in zip(moved, prices.unbind(-1), strict=True):
        worth = [each - price * kept for each, kept in zip(worth, slopes[:-1], strict=True)]
    return torch.stack(worth, -1)


def _slopes(x: Tensor, of: list[Tensor]) -> list[Tensor]:
    return list(torch.autograd.grad(x.sum(), of, retain_graph=True, allow_unused=True, materialize_grads=True))


def _divided(reward: Tensor, kept: Tensor) -> Tensor:
    """Prices p (B, N, m) with kept p = reward, of `kept` (B, N, decision, carried); 0 of what no decision moves."""
    if kept.shape[-1] == 1:
        price = reward / kept[..., 0]
        return torch.where(kept[..., 0].abs() > 1e-30, price, torch.zeros_like(price))
    inverse = torch.linalg.pinv(torch.nan_to_num(kept, 0.0, 0.0, 0.0).double(), rtol=LEAST_MOVED)
    prices: Tensor = (inverse @ reward.double().unsqueeze(-1)).squeeze(-1)
    return prices.to(reward.dtype)


def carried_names(game: ArithmeticGame) -> tuple[str, ...]:
    """The numbers that a household's own actions carry from year to year."""
    return several(game.carried)


def saving_decisions(game: ArithmeticGame) -> tuple[int, ...]:
    """The places of the decisions that move what is carried, one for each number."""
    by = several(game.saved_by)
    return tuple(game.decisions.index(name) for name in by) if by else tuple(range(len(carried_names(game))))


def several(names: str | tuple[str, ...] | None) -> tuple[str, ...]:
    """What a game declares of one name, of several or of none."""
    return () if names is None else (names,) if isinstance(names, str) else tuple(names)


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
