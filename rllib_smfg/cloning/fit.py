"""Fits a follower network to state-action pairs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rllib_smfg.cloning.networks import Loss, blind_to_leader
from rllib_smfg.cloning.pairs import Pairs

# a memory is fitted on strangers' states in a row: surveys have no histories, so it learns that none matters
YEARS_IN_A_ROW = 8
REGRESSION_RATE = 4e-3  # of Adam, at the start


@dataclass(frozen=True)
class Fitting:
    """How to fit: passes over the data, pairs of one step (a multiple of YEARS_IN_A_ROW), Adam's rate, seed."""

    epochs: int = 15
    batch: int = 256
    learning_rate: float = 2e-3
    seed: int = 1


@dataclass(frozen=True)
class EpochLosses:
    """The mean training loss of an epoch, and the loss of pairs held out, after it."""

    epoch: int
    training: float
    held_out: float


def fit(network: nn.Module, loss: Loss, training: Pairs, held_out: Pairs, how: Fitting) -> Iterator[EpochLosses]:
    """Fits the network in place, an epoch at a time; the rate falls to zero along a half cosine."""
    torch.manual_seed(how.seed)
    blind_to_leader(network)
    optimizer = torch.optim.Adam(network.parameters(), lr=how.learning_rate)
    steps = len(training) // how.batch
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, how.epochs * steps)
    for epoch in range(1, how.epochs + 1):
        order, total = torch.randperm(len(training)), 0.0
        for k in range(steps):
            rows = order[k * how.batch : (k + 1) * how.batch]
            value = loss(network, in_a_row(training.state[rows]), in_a_row(training.action[rows]))
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            schedule.step()
            total += value.item()
        yield EpochLosses(epoch, total / steps, evaluated(network, loss, held_out))


def regress(network: nn.Module, own: Tensor, shared: Tensor, target: Tensor, steps: int, rows: int) -> Iterator[Tensor]:
    """Fits network(own, shared) to target in place, by least squares; yields the mean squared error of each step.

    own, shared, target: (R, ...), of which each step draws `rows`, by torch's own luck.
    """
    optimizer = torch.optim.Adam(network.parameters(), lr=REGRESSION_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        drawn = torch.randint(len(target), (rows,))
        loss = (network(own[drawn], shared[drawn]) - target[drawn]).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        yield loss.detach()


@torch.no_grad()
def evaluated(network: nn.Module, loss: Loss, pairs: Pairs) -> float:
    """The loss over whole rows of YEARS_IN_A_ROW pairs."""
    return float(loss(network, in_a_row(pairs.state), in_a_row(pairs.action)))


def in_a_row(x: Tensor) -> Tensor:
    """(R, d) as (R / YEARS_IN_A_ROW, YEARS_IN_A_ROW, d); what is left over is left out."""
    rows: Tensor = x[: len(x) // YEARS_IN_A_ROW * YEARS_IN_A_ROW].unflatten(0, (-1, YEARS_IN_A_ROW))
    return rows
