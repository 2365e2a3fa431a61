"""Means, inter-quartile means and bootstrap intervals of what seeds and episodes gave."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Numbers = NDArray[np.floating[Any]]
CONFIDENCE, RESAMPLES, BOOTSTRAP_SEED = 0.95, 10_000, 0
AT_ONCE = 500  # resamples held in memory


@dataclass(frozen=True)
class Summary:
    """One indicator over several runs: its mean with its 95 % interval (ci_low, ci_high), its inter-quartile mean with
    its own (iqm_low, iqm_high), and each seed's mean. `shown`: the statistic whose interval ci_low and ci_high are.
    """

    shown: ClassVar[str] = "mean"

    mean: float
    iqm: float
    ci_low: float
    ci_high: float
    per_seed: list[float]
    iqm_low: float = math.nan
    iqm_high: float = math.nan

    def designed(self) -> dict[str, Any]:
        """What summary.json and comparison.json say: all but the inter-quartile mean's interval."""
        return {name: value for name, value in asdict(self).items() if name not in ("iqm_low", "iqm_high")}


def summarise(per_seed: Sequence[Numbers]) -> Summary:
    """Sums up the episodes of each training seed, one array (E,) a seed.

    What counts as one observation is a seed's mean, as the seeds are what varies independently; where there is only
    one seed, each of its episodes. So with one seed the interval tells the luck of episodes and nothing of training.
    What is not a number (not defined in an episode) is left out.
    """
    means = [_mean(np.asarray(episodes, dtype=np.float64)) for episodes in per_seed]
    observations = np.array(means) if len(per_seed) > 1 else np.asarray(per_seed[0], dtype=np.float64)
    known = observations[~np.isnan(observations)]
    if not known.size:
        return Summary(math.nan, math.nan, math.nan, math.nan, means)
    of_mean, of_iqm = interval(known), interval(known, interquartile_means)
    return Summary(float(known.mean()), interquartile_mean(known), *of_mean, means, *of_iqm)


def _mean(episodes: Numbers) -> float:
    """Of the episodes in which something is defined; not a number where there are none."""
    known = episodes[~np.isnan(episodes)]
    return float(known.mean()) if known.size else math.nan


def read_summary(values: Mapping[str, Any]) -> Summary:
    """A summary out of JSON, whose null stands for what is not a number."""
    numbers = ("mean", "iqm", "ci_low", "ci_high", "iqm_low", "iqm_high")
    per_seed = [math.nan if each is None else each for each in values["per_seed"]]
    known = {name: math.nan if values.get(name) is None else values[name] for name in numbers}
    return Summary(**known, per_seed=per_seed)


def summarise_all(per_seed: Sequence[Mapping[str, Numbers]]) -> dict[str, Summary]:
    """`summarise` for every indicator of evaluations {name: (E,)}, one a training seed."""
    return {name: summarise([seed[name] for seed in per_seed]) for name in per_seed[0]}


def interquartile_mean(observations: Numbers) -> float:
    """The mean without the lowest and the highest quarter (rounded down to whole observations)."""
    return float(stats.trim_mean(observations, 0.25))


def interquartile_means(samples: Numbers, axis: int = -1) -> Numbers:
    """The same along an axis."""
    means: Numbers = np.asarray(stats.trim_mean(samples, 0.25, axis=axis))
    return means


def interval(observations: Numbers, statistic: Callable[..., Any] = np.mean) -> tuple[float, float]:
    """The 95 % percentile bootstrap interval of a statistic; the value itself where all observations are equal."""
    if np.ptp(observations) == 0:
        return float(observations[0]), float(observations[0])
    result = stats.bootstrap(
        (observations,),
        statistic,
        confidence_level=CONFIDENCE,
        n_resamples=RESAMPLES,
        method="percentile",
        rng=np.random.default_rng(BOOTSTRAP_SEED),
    )
    return float(result.confidence_interval.low), float(result.confidence_interval.high)


def resamples(shape: tuple[int, ...], seed: int = BOOTSTRAP_SEED) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Indices of training seeds (R, K) and of episodes (R, E) of `shape` (K, E), in portions of R."""
    random = np.random.default_rng(seed)
    training, episodes = shape
    return [
        (random.integers(training, size=(AT_ONCE, training)), random.integers(episodes, size=(AT_ONCE, episodes)))
        for _ in range(RESAMPLES // AT_ONCE)
    ]


def paired_draws(x: Numbers, y: Numbers) -> Iterator[Numbers]:
    """Resampled differences between means over training seeds, (K, E) and (L, E) given: portions of (R, E)."""
    drawn = zip(resamples(x.shape), resamples(y.shape, BOOTSTRAP_SEED + 1), strict=True)
    for (own, episodes), (others, _) in drawn:
        difference = x[own].mean(axis=1) - y[others].mean(axis=1)
        yield np.take_along_axis(difference, episodes, axis=1)


def percentile_interval(draws: Numbers) -> tuple[float, float]:
    """The 95 % interval of what resamples gave, (R,)."""
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    return float(low), float(high)
