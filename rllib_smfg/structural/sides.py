"""One side of the game in torch: what it sees as features, its network, and its actions in natural units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from gymnasium.spaces import Box
from torch import Tensor, nn

from envs.scaling import FeatureScaling, ShareBox, coordinate


@dataclass(frozen=True)
class Side:
    """The units of one side.

    `low` and `high` (a,) are the ends of its actions on the scale on which they are even (log odds of shares); network
    outputs u run from -1 to 1 between them.
    """

    scaling: FeatureScaling
    low: Tensor
    high: Tensor
    shares: bool

    @classmethod
    def of(cls, scaling: FeatureScaling, box: Box, like: Tensor) -> Side:
        """The units of a box, in the dtype and on the device of `like`."""
        ends = [
            torch.as_tensor(coordinate(end, box), dtype=like.dtype, device=like.device) for end in (box.low, box.high)
        ]
        return cls(scaling, ends[0], ends[1], isinstance(box, ShareBox))

    def features(self, observed: Sequence[Tensor], places: Sequence[int] | None = None) -> Tensor:
        """What is seen, (B, 1) or (B, N) each, as features (B, 1 or N, d) of order one.

        places: those that are looked at at all; others are 0, and need not be worked out.
        """
        if places is None:
            scaled = [self.scaling.feature(k, x, torch) for k, x in enumerate(observed)]
            return torch.stack(torch.broadcast_tensors(*scaled), -1)
        known = {k: self.scaling.feature(k, observed[k], torch) for k in places}
        blank = torch.zeros_like(next(iter(known.values()), observed[0]))
        return torch.stack([known.get(k, blank) for k in range(len(self.scaling.unit))], -1)

    def natural(self, u: Tensor) -> list[Tensor]:
        """Actions in natural units, a of shape (B, 1 or N), of outputs u (B, 1 or N, a), which may lie outside [-1, 1].

        Outputs are clipped, and the derivative passes straight through.
        """
        within = u + (u.clamp(-1.0, 1.0) - u).detach()
        even = self.low + (within + 1) * (0.5 * (self.high - self.low))
        if self.shares:
            even = torch.sigmoid(even)
        return list(even.unbind(-1))


def outside(u: Tensor) -> Tensor:
    """Squared distances of outputs from [-1, 1], which draw them back."""
    return (u - u.clamp(-1.0, 1.0)).square()


class Averaged:
    """A network whose weights are an average of those of another over its updates (exponential, bias corrected)."""

    def __init__(self, network: nn.Module, average: nn.Module, rate: float) -> None:
        self.network, self.average, self.rate = network, average, rate
        self.average.requires_grad_(False)
        self.average.load_state_dict(network.state_dict())
        self.steps = 0

    @torch.no_grad()
    def follow(self) -> None:
        """Moves the average towards the network by one step."""
        self.steps += 1
        kept = min(self.rate, self.steps / (self.steps + 9))
        for mean, value in zip(self.average.parameters(), self.network.parameters(), strict=True):
            mean.lerp_(value, 1 - kept)
