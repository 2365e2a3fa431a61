"""Whether two runs stand at exactly the same point: networks, optimisers, replay, games, random states."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rllib_smfg.storage.checkpoints import STATE
from rllib_smfg.storage.ownership import refuse_strangers_files

# RLlib counts seconds and calls in its metrics; everything else must be equal
OF_TRAINING = ("replay", "play", "torch_random_state")


def training_state(checkpoint: Path) -> dict[str, Any]:
    """All that decides how training goes on from one of our own checkpoints, by name. Unpickles it."""
    refuse_strangers_files(checkpoint)
    folder = checkpoint / STATE
    algorithm = _unpickled(folder / "algorithm_state.pkl")
    state = {name: algorithm[name] for name in OF_TRAINING}
    learner = folder / "learner_group" / "learner"
    state["optimizers"] = _unpickled(learner / "state.pkl")["optimizer"]
    for side in ("leader", "follower"):
        state[f"networks/{side}"] = _unpickled(learner / "rl_module" / side / "module_state.pkl")
    return dict(_flat(state, ""))


def differences(one: Path, other: Path) -> list[str]:
    """The names of what is not the same, bit for bit, in two checkpoints."""
    first, second = training_state(one), training_state(other)
    missing = sorted(set(first) ^ set(second))
    return missing + [name for name in first if name in second and not _same(first[name], second[name])]


def _unpickled(path: Path) -> Any:
    return pickle.loads(path.read_bytes())


def _flat(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, np.random.Generator):
        value = value.bit_generator.state
    if isinstance(value, Mapping):
        for key in value:
            yield from _flat(value[key], f"{name}/{key}")
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        for number, item in enumerate(value):
            yield from _flat(item, f"{name}/{number}")
    elif hasattr(value, "__dataclass_fields__"):
        yield from _flat(vars(value), name)
    else:
        yield name, value


def _same(one: Any, other: Any) -> bool:
    if hasattr(one, "__array__"):
        first, second = np.asarray(one), np.asarray(other)
        return first.dtype == second.dtype and np.array_equal(first, second, equal_nan=first.dtype.kind == "f")
    return bool(one == other)
