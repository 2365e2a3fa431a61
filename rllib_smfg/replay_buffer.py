"""Replay as arrays: the last `capacity` transitions, each with m of its households, so memory does not grow with N."""

from __future__ import annotations

from typing import Any

import numpy as np

ReplayArrays = dict[str, np.ndarray]


class ReplayBuffer:
    """A ring of transitions. Arrays are made at the first `add`, after the shapes of what is added."""

    def __init__(self, capacity: int, seed: int | None) -> None:
        self.capacity, self.size, self._next = capacity, 0, 0
        self._arrays: ReplayArrays = {}
        self._random = np.random.default_rng(seed)

    def add(self, transitions: ReplayArrays) -> None:
        """Adds arrays (n, ...), one row a transition; the oldest rows give way."""
        n = len(next(iter(transitions.values())))
        if not self._arrays:
            self._arrays = {k: np.zeros((self.capacity, *v.shape[1:]), dtype=v.dtype) for k, v in transitions.items()}
        rows = (self._next + np.arange(n)) % self.capacity
        for name, values in transitions.items():
            self._arrays[name][rows] = values
        self._next = (self._next + n) % self.capacity
        self.size = min(self.size + n, self.capacity)

    def sample(self, n: int) -> ReplayArrays:
        """n transitions drawn with replacement, arrays (n, ...). Raises ValueError when there is none."""
        if not self.size:
            raise ValueError("the replay buffer is empty: sample some years first")
        rows = self._random.integers(self.size, size=n)
        return {name: values[rows] for name, values in self._arrays.items()}

    def get_state(self) -> dict[str, Any]:
        """Contents and random state; only the rows in use."""
        arrays = {name: values[: self.size].copy() for name, values in self._arrays.items()}
        return {"arrays": arrays, "size": self.size, "next": self._next, "random": self._random.bit_generator.state}

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes back to a state from `get_state` of a buffer of at most this capacity."""
        self.size, self._next = state["size"], state["next"] % self.capacity
        self._random.bit_generator.state = state["random"]
        self._arrays = {}
        for name, values in state["arrays"].items():
            self._arrays[name] = np.zeros((self.capacity, *values.shape[1:]), dtype=values.dtype)
            self._arrays[name][: self.size] = values
