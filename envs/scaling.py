"""Stateless scaling of natural units into network inputs: nothing to learn, nothing to save beside the weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray


@dataclass(frozen=True)
class FeatureScaling:
    """How each of d observed numbers becomes a feature of order one.

    linear:       (x - shift) / width
    logarithmic:  (sign(x) ln(1 + |x| / unit) - shift) / width,   for amounts that span many orders of magnitude

    All four are sequences of length d; `unit` is used by the logarithmic entries only.
    """

    logarithmic: Sequence[bool]
    unit: Sequence[float]
    shift: Sequence[float]
    width: Sequence[float]

    def __post_init__(self) -> None:
        if len({len(self.logarithmic), len(self.unit), len(self.shift), len(self.width)}) != 1:
            raise ValueError("logarithmic, unit, shift and width must have one entry per observed number")

    def feature(self, k: int, x: Any, xp: ModuleType = np) -> Any:
        """The feature of observed numbers x in place k; arrays of `xp`, numpy or torch."""
        if self.logarithmic[k]:
            x = xp.sign(x) * xp.log1p(xp.abs(x) / self.unit[k])
        return (x - self.shift[k]) / self.width[k]

    def observed(self, k: int, feature: Any, xp: ModuleType = np) -> Any:
        """The inverse of `feature`."""
        x = feature * self.width[k] + self.shift[k]
        return xp.sign(x) * self.unit[k] * xp.expm1(xp.abs(x)) if self.logarithmic[k] else x

    @classmethod
    def linear(cls, width: Sequence[float], shift: Sequence[float] | None = None) -> FeatureScaling:
        """Features (x - shift) / width."""
        n = len(width)
        return cls((False,) * n, (1.0,) * n, tuple(shift or (0.0,) * n), tuple(width))

    @classmethod
    def log(cls, unit: Sequence[float], shift: Sequence[float], width: Sequence[float]) -> FeatureScaling:
        """Features (sign(x) ln(1 + |x| / unit) - shift) / width."""
        return cls((True,) * len(unit), tuple(unit), tuple(shift), tuple(width))


class ShareBox(Box):
    """Shares strictly between 0 and 1 whose natural scale is their log odds, ln(a / (1 - a)).

    Networks, their noise and their critics then see a scale on which ln a and ln(1 - a), the usual rewards of dividing
    something, are nearly linear; close to 0 they are anything but smooth in the share itself.
    """


def coordinate(action: NDArray[np.floating], space: Box) -> NDArray[np.float64]:
    """Actions (..., a) on the scale on which a space is even: log odds of a `ShareBox`, the action itself of others."""
    x = np.asarray(action, dtype=np.float64)
    return np.log(x / (1 - x)) if isinstance(space, ShareBox) else x


def from_coordinate(x: NDArray[np.float64], space: Box) -> NDArray[np.float64]:
    """The inverse of `coordinate`."""
    return 1 / (1 + np.exp(-x)) if isinstance(space, ShareBox) else x
