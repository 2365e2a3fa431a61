"""What several training seeds allow to be said (Agarwal et al., "Deep RL at the edge of the statistical precipice").

One observation is one training seed. Inter-quartile means are told with stratified bootstrap intervals: seeds are drawn
again within each setting, never across settings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rllib_smfg.statistics.summaries import BOOTSTRAP_SEED, CONFIDENCE, RESAMPLES, interquartile_mean

SeedValues = NDArray[np.float64]
ENOUGH_SEEDS = 5


@dataclass(frozen=True)
class SeedEstimate:
    """A number with its 95 % bootstrap interval, and the seeds behind it."""

    value: float
    low: float
    high: float
    seeds: int


def iqm(seeds: ArrayLike) -> SeedEstimate:
    """The inter-quartile mean over seeds (S,) of one setting."""
    values = np.asarray(seeds, dtype=np.float64)
    resampled = np.sort(_resampled(values), axis=-1)
    cut = len(values) // 4
    return SeedEstimate(
        interquartile_mean(values), *_bounds(resampled[:, cut : len(values) - cut].mean(-1)), len(values)
    )


def iqm_over_settings(settings: Sequence[ArrayLike]) -> SeedEstimate:
    """The inter-quartile mean over all seeds of several settings; each setting's seeds are drawn again apart."""
    strata = [np.asarray(each, dtype=np.float64) for each in settings]
    resampled = np.sort(np.concatenate([_resampled(each, k) for k, each in enumerate(strata)], axis=-1), axis=-1)
    together = np.concatenate(strata)
    cut = len(together) // 4
    low, high = _bounds(resampled[:, cut : len(together) - cut].mean(-1))
    return SeedEstimate(interquartile_mean(together), low, high, min(map(len, strata)))


def iqm_curve(seeds: SeedValues) -> tuple[SeedValues, SeedValues, SeedValues]:
    """The inter-quartile mean over seeds (S, T) at every point, and its 95 % interval, (T,) each."""
    count = len(seeds)
    draws = np.random.default_rng(BOOTSTRAP_SEED).integers(0, count, (1000, count))
    resampled = np.sort(seeds[draws], axis=1)[:, count // 4 : count - count // 4].mean(1)
    edge = (1 - CONFIDENCE) / 2
    low, high = np.quantile(resampled, (edge, 1 - edge), axis=0)
    return np.array([interquartile_mean(column) for column in seeds.T]), low, high


def probability_of_improvement(ours: ArrayLike, theirs: ArrayLike) -> SeedEstimate:
    """P(a seed of `ours` exceeds a seed of `theirs`), ties counted half; each side's seeds are drawn again apart."""
    x, y = np.asarray(ours, dtype=np.float64), np.asarray(theirs, dtype=np.float64)
    a, b = _resampled(x, 0), _resampled(y, 1)
    exceeds = (a[:, :, None] > b[:, None, :]) + 0.5 * (a[:, :, None] == b[:, None, :])
    value = float(((x[:, None] > y) + 0.5 * (x[:, None] == y)).mean())
    return SeedEstimate(value, *_bounds(exceeds.mean((1, 2))), min(len(x), len(y)))


def _resampled(values: SeedValues, stratum: int = 0) -> SeedValues:
    """Bootstrap samples (RESAMPLES, S) of seeds (S,)."""
    random = np.random.default_rng([BOOTSTRAP_SEED, stratum])
    return values[random.integers(0, len(values), (RESAMPLES, len(values)))]


def _bounds(samples: SeedValues) -> tuple[float, float]:
    edge = (1 - CONFIDENCE) / 2
    low, high = np.quantile(samples, (edge, 1 - edge))
    return float(low), float(high)
