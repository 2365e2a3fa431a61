"""Inter-quartile means of episodes and of paired differences, with bootstrap intervals over seeds and episodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from envs.game import Array
from experiments.statistics import BOOTSTRAP_SEED, CONFIDENCE, RESAMPLES, Summary, interquartile_mean

AT_ONCE = 500  # resamples held in memory


@dataclass(frozen=True)
class Estimate(Summary):
    """As `Summary`, but the interval is that of the inter-quartile mean."""


def estimates(values: Mapping[str, Array]) -> dict[str, Estimate]:
    """Of each indicator, given as (training seeds K, episodes E).

    The bootstrap draws training seeds, and independently of them episodes; all K E values count in the mean.
    """
    result = {}
    for name, x in values.items():
        draws = [_pooled(x[seeds[:, :, None], episodes[:, None, :]]) for seeds, episodes in _resamples(x.shape)]
        result[name] = _estimate(x, np.concatenate(draws), [float(seed.mean()) for seed in x])
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
        draws = []
        resamples = zip(_resamples(x.shape), _resamples(y.shape, BOOTSTRAP_SEED + 1), strict=True)
        for (own, episodes), (others, _) in resamples:
            difference = x[own].mean(axis=1) - y[others].mean(axis=1)
            draws.append(_pooled(np.take_along_axis(difference, episodes, axis=1)))
        per_seed = [float(seed.mean()) for seed in x - y.mean(axis=0)]
        result[name] = _estimate(paired, np.concatenate(draws), per_seed)
    return result


def _resamples(shape: tuple[int, ...], seed: int = BOOTSTRAP_SEED) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Indices of training seeds (R, K) and of episodes (R, E), in portions of R."""
    random = np.random.default_rng(seed)
    training, episodes = shape
    return [
        (random.integers(training, size=(AT_ONCE, training)), random.integers(episodes, size=(AT_ONCE, episodes)))
        for _ in range(RESAMPLES // AT_ONCE)
    ]


def _pooled(drawn: Array) -> Array:
    """Inter-quartile means (R,) of whatever each of R resamples holds."""
    return np.asarray(stats.trim_mean(drawn.reshape(len(drawn), -1), 0.25, axis=1))


def _estimate(values: Array, draws: Array, per_seed: list[float]) -> Estimate:
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    return Estimate(float(values.mean()), interquartile_mean(values.ravel()), float(low), float(high), per_seed)
