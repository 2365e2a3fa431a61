"""Critics that know a player's own budget, and learn only what comes after it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from gymnasium.spaces import Box
from torch import Tensor

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

    def envelope_loss(
        self,
        state: Tensor,
        action: Tensor,
        shared: Tensor,
        next_state: Tensor,
        next_value: Callable[[Tensor], Tensor],
    ) -> Tensor:
        """Mean square of what the slopes of C miss of the envelope condition, as shares of the margin.

        By the envelope theorem (Benveniste and Scheinkman 1979) what an action is worth later changes with the action
        as next year's value does with what the action leaves, next year's action held fixed:

            dC(x(s, a), .)/da = d/da next_value(s'(a)),

        s'(a) being the recorded next state with the features that are seen again put in their places. An actor climbs
        these slopes; a critic that learns values alone gets them only as differences of nearly equal numbers. The
        margin is that between now and later, |dr/da| + |d next_value/da|, so poor and rich households count alike, as
        in errors of Euler equations.

        state, action, next_state as in `losses.Batch`; shared (..., ds). next_value gives discounted values (...,) of
        states, its action and population fixed.
        """
        action = action.detach().requires_grad_()
        reward, carried = self.budget(torch.cat([state, action], -1), shared)
        (now,) = torch.autograd.grad(self.weight * reward.sum(), action, retain_graph=True)
        following = list(next_state.unbind(-1))
        for place, seen in self.budget.outlook.seen_again:
            following[seen] = carried[..., place]
        value = next_value(torch.stack(following, -1))
        (wanted,) = torch.autograd.grad(value.sum(), action, retain_graph=True)
        (later,) = torch.autograd.grad(super().forward(carried, shared).sum(), action, create_graph=True)
        margin = now.abs() + wanted.abs() + LEAST_MARGIN
        return ((later - wanted) / margin).square().mean()
