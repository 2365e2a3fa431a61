"""Inter-quartile means of episodes and of paired differences, with bootstrap intervals over seeds and episodes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from envs.game import Array
from rllib_smfg.statistics.summaries import (
    interquartile_mean,
    interquartile_means,
    paired_draws,
    percentile_interval,
    resamples,
)


@dataclass(frozen=True)
class Estimate:
    """One indicator of a row: its inter-quartile mean with its 95 % interval (ci_low, ci_high), its mean with its own
    (mean_low, mean_high), and each training seed's mean. What is not defined in any episode is not a number.
    """

    shown: ClassVar[str] = "iqm"

    mean: float
    iqm: float
    ci_low: float
    ci_high: float
    per_seed: list[float]
    mean_low: float
    mean_high: float


def estimates(values: Mapping[str, Array]) -> dict[str, Estimate]:
    """Of each indicator, given as (training seeds K, episodes E).

    The bootstrap draws training seeds, and independently of them episodes; all K E values count in the mean.
    """
    result = {}
    for name, x in values.items():
        draws = (x[seeds[:, :, None], episodes[:, None, :]] for seeds, episodes in resamples(x.shape))
        result[name] = _estimate(x, draws, [float(seed.mean()) for seed in x])
    return result


def differences(values: Mapping[str, Array], reference: Mapping[str, Array]) -> dict[str, Estimate]:
    """Of each indicator's difference to the reference in the same episode, (K, E) and (L, E) given.

    An episode's difference is between means over training seeds. The bootstrap draws both rows' training seeds
    separately and the same episodes for both.
    """
    result = {}
    for name, x in values.items():
        y = reference[name]
        paired = x.mean(axis=0) - y.mean(axis=0)
        draws = paired_draws(x, y)
        per_seed = [float(seed.mean()) for seed in x - y.mean(axis=0)]
        result[name] = _estimate(paired, draws, per_seed)
    return result


def _estimate(values: Array, draws: Iterable[Array], per_seed: list[float]) -> Estimate:
    """Of values (...), and of what resamples held of them, portions of (R, ...)."""
    of_iqm, of_mean = [], []
    for each in draws:
        flat = each.reshape(len(each), -1)
        of_iqm.append(interquartile_means(flat, axis=1))
        of_mean.append(flat.mean(axis=1))
    iqm_interval = percentile_interval(np.concatenate(of_iqm))
    mean_interval = percentile_interval(np.concatenate(of_mean))
    iqm = interquartile_mean(values.ravel())
    return Estimate(float(values.mean()), iqm, *iqm_interval, per_seed, *mean_interval)
