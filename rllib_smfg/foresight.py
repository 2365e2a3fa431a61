"""Critics that know a player's own budget, and learn only what comes after it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from gymnasium.spaces import Box
from torch import Tensor
from torch.func import jvp

from envs.outlook import Outlook
from envs.scaling import FeatureScaling, ShareBox, coordinate
from rllib_smfg.networks import Critic

LEAST_MARGIN = 1e-4  # in units of values: a smaller margin is nothing to divide by


@dataclass(frozen=True)
class Budget:
    """An outlook, and how network units become the natural units that it is written in.

    leader_action: None where the player is the leader, or does not see what the leader did.
    """

    outlook: Outlook
    scaling: FeatureScaling
    action: Box
    leader_action: Box | None = None

    def __call__(self, own: Tensor, shared: Tensor) -> tuple[Tensor, Tensor]:
        """Reward (...,) and what is carried (..., k) of states and actions (..., do), after a leader's (..., ds)."""
        split = len(self.scaling.unit)
        observation = [self.scaling.observed(k, own[..., k], torch) for k in range(split)]
        action = _natural(own[..., split:], self.action)
        seen = [] if self.leader_action is None else _natural(shared, self.leader_action)
        reward, carried = self.outlook(torch, observation, action, seen)
        return reward, torch.stack(torch.broadcast_tensors(*carried), -1)


def _natural(unit: Tensor, space: Box) -> list[Tensor]:
    """u in [-1, 1] as natural actions, component by component."""
    low, high = coordinate(space.low, space), coordinate(space.high, space)
    even = [low[k] + (unit[..., k] + 1.0) * (0.5 * (high[k] - low[k])) for k in range(len(low))]
    return [torch.sigmoid(x) for x in even] if isinstance(space, ShareBox) else even


class ForesightedCritic(Critic):
    """Q(s, a) = (1 - discount) r(s, a) + C(what is carried, what others do): r and the carried are the budget's.

    With them the state and action say nothing more, so C sees neither: what an action is worth later comes by way of
    what it leaves, whose value varies as smoothly as C. A plain critic has to find the small difference between
    utility now and utility later in sums of both.
    """

    def __init__(self, budget: Budget, shared: int, hidden: Sequence[int], quadratic: bool, discount: float) -> None:
        super().__init__(budget.outlook.carried, shared, hidden, quadratic)
        self.budget, self.weight = budget, 1.0 - discount

    def forward(self, own: Tensor, shared: Tensor) -> Tensor:
        """Values (...,)."""
        reward, carried = self.budget(own, shared)
        return self.weight * reward + super().forward(carried, shared)

    def envelope(
        self,
        state: Tensor,
        action: Tensor,
        shared: Tensor,
        next_state: Tensor,
        next_value: Callable[[Tensor], Tensor],
    ) -> Envelope:
        """What the slopes of C should be after recorded actions.

        By the envelope theorem (Benveniste and Scheinkman 1979) what an action is worth later changes with the action
        as next year's value does with what the action leaves, next year's action held fixed:

            dC(x(s, a), .)/da = d/da next_value(s'(a)),

        s'(a) being the recorded next state with what is seen again put in its place.

        state, action, next_state as in `losses.Batch`; shared (..., ds). next_value gives discounted values (...,) of
        states, its action and population fixed.
        """
        action = action.detach().requires_grad_()
        reward, carried = self.budget(torch.cat([state, action], -1), shared)
        now = slope(self.weight * reward, action)
        columns = carried.unbind(-1)
        following = list(next_state.unbind(-1))
        for place, feature in zip(
            self.budget.outlook.seen_again, self.budget.outlook.found(torch, columns), strict=True
        ):
            following[place] = feature
        wanted = slope(next_value(torch.stack(following, -1)), action)
        margin = now.abs() + wanted.abs() + LEAST_MARGIN
        by_action = torch.stack([slope(column, action) for column in columns], -1)
        return Envelope(carried.detach(), by_action, wanted, margin)


@dataclass(frozen=True)
class Envelope:
    """The envelope condition of households (...,) with actions of a components, of which k features are carried.

    carried (..., k) and its derivative by_action (..., a, k); wanted (..., a): what dC/da should be. margin (..., a):
    that between now and later, |dr/da| + |d next_value/da|. What is missed counts as a share of it, as in errors of
    Euler equations, so that poor and rich households count alike.
    """

    carried: Tensor
    by_action: Tensor
    wanted: Tensor
    margin: Tensor


def slope(value: Tensor, action: Tensor) -> Tensor:
    """Derivatives (..., a) of each row's value (...,) by its own action (..., a)."""
    (derivative,) = torch.autograd.grad(value.sum(), action, retain_graph=True, materialize_grads=True)
    return derivative


@torch.no_grad()
def fit_slopes(critic: Critic, envelope: Envelope, shared: Tensor, damping: float) -> Tensor:
    """One damped least-squares step of the weights theta that C is linear in; returns the mean square missed before it.

    Levenberg and Marquardt: theta <- theta + (A'A + damping d I)^-1 A'(wanted - A theta), rows of A being the slopes
    of `Network.terms` by one household's action, all in units of its margin, and d the mean of A'A's diagonal. What a
    batch says nothing of, above all what a hardly moving mean field would do, stays as it was.

    shared (..., ds) broadcasts against `envelope.carried`.
    """
    shared = shared.expand(*envelope.carried.shape[:-1], -1)
    terms = partial(critic.terms, shared=shared)
    rows = [jvp(terms, (envelope.carried,), (change,))[1] for change in envelope.by_action.unbind(-2)]
    a = (torch.stack(rows, -2) / envelope.margin.unsqueeze(-1)).flatten(0, -2).double()
    weights = critic.linear_weights()
    theta = torch.cat([weight.flatten() for weight in weights])
    missed = (envelope.wanted / envelope.margin).flatten() - a @ theta.double()
    gram = a.T @ a
    gram.diagonal().add_(damping * gram.diagonal().mean())
    step = torch.linalg.solve(gram, a.T @ missed).split([weight.numel() for weight in weights])
    for weight, change in zip(weights, step, strict=True):
        weight.add_(change.view_as(weight))
    return missed.square().mean()
