"""Settings that change over the years of training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# a constant, or piecewise linear: [[0, value], [years, value], ...], and the last value ever after
Schedule = float | Sequence[Sequence[float]]


def value_at(schedule: Schedule, years: int) -> float:
    """The value after so many years have been played."""
    if isinstance(schedule, (int, float)):
        return float(schedule)
    when, values = zip(*schedule, strict=True)
    return float(np.interp(years, when, values))


def least(schedule: Schedule) -> float:
    """The smallest value it ever takes."""
    return float(schedule) if isinstance(schedule, (int, float)) else float(min(value for _, value in schedule))
