"""Generalised advantage estimation (Schulman et al. 2016), in units of the reward scale."""

from __future__ import annotations

import torch
from torch import Tensor


def advantages(
    reward: Tensor, value: Tensor, next_value: Tensor, terminated: Tensor, ended: Tensor, discount: float, decay: float
) -> Tensor:
    """Advantages (R, T) of R trajectories of T years; value + advantage is what the value should have been.

    A_t = delta_t + discount decay A_(t+1) within an episode, delta = (1 - discount) r + discount V(s') - V(s). Values
    are discounted rewards times (1 - discount). Nothing follows a termination; an episode that ended otherwise, and the
    last year, count V(s'). reward, value, next_value, terminated, ended: (R, T); next_value is that of the state before
    a restart.
    """
    surprise = (1 - discount) * reward + discount * (1 - terminated) * next_value - value
    result = torch.empty_like(surprise)
    following = torch.zeros_like(surprise[:, 0])
    for year in reversed(range(surprise.shape[1])):
        following = surprise[:, year] + discount * decay * (1 - ended[:, year]) * following
        result[:, year] = following
    return result
