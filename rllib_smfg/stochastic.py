"""Stochastic policies: a normal distribution of u for each component of an action, with and without a memory.

u is the action in network units, [-1, 1]; what is drawn beyond them counts as the bound (`networks.to_natural` clips).
Networks give `logits` (..., 2 a): the means of u, then the logarithms of their standard deviations.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from gymnasium.spaces import Box
from torch import Tensor, nn

from rllib_smfg.networks import Actor, Network, clip, linear, to_unit

# means stay within reach of the bounds, and spreads between 1/20 and 2 of half an action's range
MEAN_BOUND = 1.25
LOG_SPREAD_LOW, LOG_SPREAD_HIGH = math.log(0.05), math.log(2.0)


def bounded(outputs: Tensor) -> Tensor:
    """Raw outputs (..., 2 a) as logits (..., 2 a)."""
    mean, log_spread = outputs.chunk(2, -1)
    middle, half = (LOG_SPREAD_HIGH + LOG_SPREAD_LOW) / 2, (LOG_SPREAD_HIGH - LOG_SPREAD_LOW) / 2
    return torch.cat([MEAN_BOUND * torch.tanh(mean / MEAN_BOUND), middle + half * torch.tanh(log_spread)], -1)


def mean_of(logits: Tensor) -> Tensor:
    """The means of u, (..., a)."""
    return logits.chunk(2, -1)[0]


def log_density(logits: Tensor, action: Tensor) -> Tensor:
    """ln pi(u), (...,), of actions u (..., a), their components being independent."""
    mean, log_spread = logits.chunk(2, -1)
    deviation = (action - mean) / log_spread.exp()
    return (-0.5 * deviation.square() - log_spread - 0.5 * math.log(2 * math.pi)).sum(-1)


class GaussianActor(Actor):
    """A multilayer perceptron with a normal head; as a function it gives the mean, so it can act as an actor."""

    def __init__(
        self, own: int, shared: int, hidden: Sequence[int], action: Box, start: Sequence[float] | None
    ) -> None:
        Network.__init__(self, own, shared, hidden, 2 * int(np.prod(action.shape)))
        self.to_action = clip
        _start_at(self.last, action, start)

    def logits(self, own: Tensor, shared: Tensor) -> Tensor:
        """Logits (..., 2 a)."""
        return bounded(super().forward(own, shared))

    def forward(self, own: Tensor, shared: Tensor) -> Tensor:
        """The means of u, (..., a)."""
        return mean_of(self.logits(own, shared))


class RecurrentActor(nn.Module):
    """The AI Economist's network (Zheng et al. 2022): perceptron, LSTM, perceptron, and a normal head.

    hidden: units of the first perceptron, then of memory and second perceptron. Memories are (R, 2 units), zero at the
    start of an episode.
    """

    def __init__(
        self, own: int, shared: int, hidden: Sequence[int], action: Box, start: Sequence[float] | None
    ) -> None:
        super().__init__()
        first, self.units = hidden[0], hidden[-1]
        self.first_own = nn.Linear(own, first)
        self.first_shared = linear(shared, first)
        self.memory = nn.LSTMCell(first, self.units)
        self.middle = nn.Linear(self.units, self.units)
        self.last = nn.Linear(self.units, 2 * int(np.prod(action.shape)))
        with torch.no_grad():  # start from an almost constant function
            self.last.weight.mul_(0.1)
            self.last.bias.zero_()
        _start_at(self.last, action, start)

    def blank(self, rows: int) -> Tensor:
        """The memories (R, 2 units) of rows that have seen nothing yet."""
        return torch.zeros(rows, 2 * self.units)

    def logits(
        self, own: Tensor, shared: Tensor, memory: Tensor, starts: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Logits (R, T, 2 a) of T successive years, and the memories (R, 2 units) after them.

        own (R, T, do), shared (R or 1, T, ds). Where `starts` (R, T) is 1, a year is the first of an episode: what came
        before is forgotten.
        """
        seen = torch.relu(self.first_own(own) + self.first_shared(shared))
        h, c = memory.chunk(2, -1)
        recalled = []
        for year in range(seen.shape[1]):
            if starts is not None:
                keep = 1.0 - starts[:, year, None]
                h, c = h * keep, c * keep
            h, c = self.memory(seen[:, year], (h, c))
            recalled.append(h)
        outputs = self.last(torch.relu(self.middle(torch.stack(recalled, 1))))
        return bounded(outputs), torch.cat([h, c], -1)


def _start_at(last: nn.Linear, action: Box, start: Sequence[float] | None) -> None:
    """Makes `start` (natural units) the mean action before learning."""
    if start is None:
        return
    unit = torch.from_numpy(to_unit(np.asarray(start, dtype=np.float64), action))
    with torch.no_grad():
        last.bias[: len(unit)] = MEAN_BOUND * torch.atanh(unit.clamp(-1.0, 1.0) / MEAN_BOUND)
