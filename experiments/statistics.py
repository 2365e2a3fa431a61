"""Means, inter-quartile means and bootstrap intervals of what seeds and episodes gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Numbers = NDArray[np.floating[Any]]
CONFIDENCE, RESAMPLES, BOOTSTRAP_SEED = 0.95, 10_000, 0


@dataclass(frozen=True)
class Summary:
    """One indicator over several runs: mean, inter-quartile mean, 95 % interval of the mean, and each seed's mean."""

    mean: float
    iqm: float
    ci_low: float
    ci_high: float
    per_seed: list[float]


def summarise(per_seed: Sequence[Numbers]) -> Summary:
    """Sums up the episodes of each training seed, one array (E,) a seed.

    What counts as one observation is a seed's mean, as the seeds are what varies independently; where there is only
    one seed, each of its episodes. So with one seed the interval tells the luck of episodes and nothing of training.
    """
    means = [float(np.mean(episodes)) for episodes in per_seed]
    observations = np.array(means) if len(per_seed) > 1 else np.asarray(per_seed[0], dtype=np.float64)
    low, high = interval(observations)
    return Summary(float(observations.mean()), interquartile_mean(observations), low, high, means)


def summarise_all(per_seed: Sequence[Mapping[str, Numbers]]) -> dict[str, Summary]:
    """`summarise` for every indicator of evaluations {name: (E,)}, one a training seed."""
    return {name: summarise([seed[name] for seed in per_seed]) for name in per_seed[0]}


def interquartile_mean(observations: Numbers) -> float:
    """The mean without the lowest and the highest quarter (rounded down to whole observations)."""
    return float(stats.trim_mean(observations, 0.25))


def interval(observations: Numbers) -> tuple[float, float]:
    """The 95 % percentile bootstrap interval of the mean; the value itself where all observations are equal."""
    if np.ptp(observations) == 0:
        return float(observations[0]), float(observations[0])
    result = stats.bootstrap(
        (observations,),
        np.mean,
        confidence_level=CONFIDENCE,
        n_resamples=RESAMPLES,
        method="percentile",
        rng=np.random.default_rng(BOOTSTRAP_SEED),
    )
    return float(result.confidence_interval.low), float(result.confidence_interval.high)
