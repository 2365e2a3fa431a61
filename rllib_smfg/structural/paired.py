"""Slopes of a policy's worth without any derivative: two-sided differences on common random numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from rllib_smfg.rule import RuleActor


@torch.no_grad()
def paired_slope(
    network: nn.Module, worth: Callable[[], Tensor], pairs: int, width: float, random: np.random.Generator
) -> list[Tensor]:
    """The slope of `worth`, which plays the network, in each of its parameters; the network is left as it was.

    pairs: random directions; 0: one for each number that does something, along the axes. width: how far along one.
    """
    start = torch.nn.utils.parameters_to_vector(network.parameters())
    free = free_numbers(network)
    if pairs:
        drawn = torch.as_tensor(random.standard_normal((pairs, len(start))), dtype=start.dtype)
        directions = drawn.to(start.device) * free
    else:
        directions = torch.diag(free)[free > 0]
    slope = torch.zeros_like(start)
    for direction in directions:
        found = []
        for sign in (1.0, -1.0):
            torch.nn.utils.vector_to_parameters(start + sign * width * direction, network.parameters())
            found.append(worth())
        slope += direction * (found[0] - found[1]) / (2 * width)
    torch.nn.utils.vector_to_parameters(start, network.parameters())
    if pairs:
        slope /= pairs
    parts = torch.split(slope, [p.numel() for p in network.parameters()])
    return [part.view_as(p) for part, p in zip(parts, network.parameters(), strict=True)]


def free_numbers(network: nn.Module) -> Tensor:
    """1 for each number of a policy that does something, 0 for responses that its rule does not have."""
    whole = [torch.ones_like(p) for p in network.parameters()]
    if isinstance(network, RuleActor):
        whole = [torch.ones_like(network.constant), network.responds]
    return torch.cat([x.flatten() for x in whole])
