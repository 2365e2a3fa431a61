"""What a critic is shown of the population: nothing, a summary of its state-action distribution, or all of it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from rllib_smfg.settings import Statistic, View

QUANTILES = (0.1, 0.5, 0.9)
STATISTIC_SIZE: dict[str, int] = {"mean": 1, "standard_deviation": 1, "quantiles": len(QUANTILES)}


def summary(population: Tensor, statistics: Sequence[Statistic]) -> Tensor:
    """The mean field L (..., k) of households (..., n, d): the mean, and where asked for more of the distribution."""
    parts = []
    for statistic in statistics:
        if statistic == "mean":
            parts.append(population.mean(-2))
        elif statistic == "standard_deviation":
            parts.append((population.var(-2, correction=0) + 1e-8).sqrt())
        else:
            levels = torch.tensor(QUANTILES, dtype=population.dtype, device=population.device)
            parts.append(torch.quantile(population, levels, dim=-2).movedim(0, -2).flatten(-2))
    return torch.cat(parts, -1)


def on_the_mean(step: Tensor, statistics: Sequence[Statistic]) -> Tensor:
    """What (..., d) added to the population's mean adds to its mean field (..., k)."""
    nothing = torch.zeros_like(step)
    parts = [step if s == "mean" else nothing for s in statistics for _ in range(STATISTIC_SIZE[s])]
    return torch.cat(parts, -1)


def view_size(view: View, household: int, followers: int, statistics: Sequence[Statistic]) -> int:
    """How many numbers a critic is shown of a population of `followers` households of `household` numbers each."""
    if view == "own":
        return 0
    if view == "joint":
        return household * followers
    return household * sum(STATISTIC_SIZE[statistic] for statistic in statistics)


def population_view(view: View, households: Tensor, mean_field: Tensor) -> Tensor:
    """What a critic sees of households (B, n, d) whose mean field over all N is `mean_field` (B, k)."""
    if view == "own":
        return mean_field[..., :0]
    return mean_field if view == "mean_field" else households.flatten(-2)


def moved(mean_field: Tensor, before: Tensor, after: Tensor, statistics: Sequence[Statistic]) -> Tensor:
    """The mean field of all N once its sampled households went from `before` to `after`, both (B, m, d).

    The known mean field of all N serves as control variate: only the sample's *change* is estimated, so the result is
    exact where nothing changed and for m = N.
    """
    return mean_field + summary(after, statistics) - summary(before, statistics)
