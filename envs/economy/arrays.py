"""What the laws of an economy ask of arrays beside operators, the same for numpy and torch."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeVar

import numpy as np

from envs import arithmetic
from envs.game import Array

A = TypeVar("A")  # an array, of numpy or of torch
# a sum over households, (B, N) -> (B, 1), or (B, N) where it tells each household's own share of it apart
Total = Callable[[Any], Any]


def total(x: Array) -> Array:
    """Sum over households, (B, N) -> (B, 1), in float64 whatever the dtype of x; numpy alone."""
    # arguments by position (axis, dtype, out, keepdims) because this is called twenty times a year
    summed: Array = np.add.reduce(x, -1, np.float64, None, True)  # type: ignore[call-overload]
    return summed


def detached(x: A) -> A:
    """x without what it depends on."""
    y: Any = x
    if isinstance(y, np.ndarray):
        return x
    without: A = y.detach()
    return without


def total_by(mean: arithmetic.Mean) -> Total:
    """The sum over households by which a mean over households is taken: N times it."""
    return lambda x: mean(x) * x.shape[-1]


def namespace(x: Any) -> ModuleType:
    """The module whose functions fit x: numpy or torch."""
    return np if isinstance(x, np.ndarray) else arithmetic.namespace(x)


def cast(x: A, like: Any) -> A:
    """x in the dtype of `like`."""
    y: Any = x
    if y.dtype == like.dtype:
        return x
    y = y.astype(like.dtype) if isinstance(y, np.ndarray) else y.to(like.dtype)
    same: A = y
    return same


def at_least(x: A, least: float) -> A:
    """The larger of x and a number."""
    y: Any = x
    larger: A = np.maximum(y, least) if namespace(y) is np else y.clip(min=least)
    return larger


def positive(x: A) -> A:
    """What a logarithm or a power is taken of, or what is divided by: x itself, and in torch 1 where x is not above 0.

    Such a game has failed, and is set aside; a derivative of 1 / 0 would spoil those of all others.
    """
    y: Any = x
    if isinstance(y, np.ndarray) or namespace(y) is np:
        return x
    return fill(x, ~(y > 0), 1.0)


def power(x: A, exponent: Any) -> A:
    """x^exponent of amounts x >= 0; in torch its derivative at 0, which is infinite, counts as 0."""
    y: Any = x
    if isinstance(y, np.ndarray) or namespace(y) is np:
        raised: A = y**exponent
        return raised
    nothing = ~(y > 0)
    raised = fill(fill(y, nothing, 1.0) ** exponent, nothing, 0.0)
    return raised


def fill(x: A, where: Any, number: float) -> A:
    """x, and a number in its place where the mask (its shape, or (B, 1)) is true."""
    y: Any = x
    y = np.where(where, number, y) if namespace(y) is np else y.masked_fill(where, number)
    filled: A = y
    return filled


def change(x: Any, where: Any, law: Callable[[Any], Any], y: Any) -> Any:
    """x, and law(y) in its place where the mask is true; numpy changes x itself and works out only what it needs."""
    xp = namespace(x)
    if xp is not np:
        return xp.where(where, law(y), x)
    x[where] = law(y[where])
    return x


def lowest(x: Any) -> Any:
    """The smallest number of each game, (B, N) -> (B, 1)."""
    return x.min(axis=-1, keepdims=True) if namespace(x) is np else x.amin(dim=-1, keepdim=True)


def somewhere(x: Any) -> Any:
    """Whether something is so of a game, (B, 1), from what is so of a game or of its households, (B, 1) or (B, N)."""
    if x.shape[-1] == 1:
        return x
    return x.any(axis=-1, keepdims=True) if namespace(x) is np else x.any(dim=-1, keepdim=True)


def place(x: Any) -> Any:
    """How many households of a game have less, 0 .. N - 1, those with as much in the order of the array, (B, N)."""
    xp = namespace(x)
    if xp is np:
        return np.argsort(np.argsort(x, axis=-1, kind="stable"), axis=-1, kind="stable")
    return xp.argsort(xp.argsort(x.detach(), dim=-1, stable=True), dim=-1, stable=True)
