"""Critics that know a player's own budget, and learn only what comes after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from gymnasium.spaces import Box
from torch import Tensor

from envs.outlook import Outlook
from envs.scaling import FeatureScaling, ShareBox, coordinate
from rllib_smfg.networks import Critic


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
