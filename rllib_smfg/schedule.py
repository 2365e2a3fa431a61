"""Settings that change over the years of training."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from envs.game import InvalidSetting

# a constant, or piecewise linear: [[0, value], [years, value], ...], and the last value ever after
Scheduled = float | Sequence[Sequence[float]]


def value_at(schedule: Scheduled, years: int) -> float:
    """The value after so many years have been played."""
    when, values = zip(*_points(schedule), strict=True)
    return float(np.interp(years, when, values))


def least_value(schedule: Scheduled) -> float:
    """The smallest value it ever takes."""
    return min(value for _, value in _points(schedule))


def check_rising(schedule: Scheduled) -> None:
    """Raises InvalidSetting for a schedule that does not start at 0 or go up in years."""
    fault = InvalidSetting("a schedule must be [[0, value], [years, value], ...] with rising years")
    try:
        years = [float(when) for when, _ in _points(schedule)]
    except (TypeError, ValueError):  # no pairs, or no numbers
        raise fault from None
    if not years or years[0] != 0 or not all(math.isfinite(when) for when in years) or years != sorted(set(years)):
        raise fault


def _points(schedule: Scheduled) -> Sequence[Sequence[float]]:
    return schedule if isinstance(schedule, Sequence) else [(0.0, schedule)]
