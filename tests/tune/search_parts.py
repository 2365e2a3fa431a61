"""A small search, and what its trials and checkpoints hold."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import yaml


def search_file(folder: Path, tiny: Path, **sections: Any) -> Path:
    content = {
        "search": {"base": str(tiny), "metric": "leader_return", "parallel": 2},
        "changes": {"training": {"iterations": 6, "keep_checkpoints": 100}, "evaluation": {"interval": 2}},
        "space": {
            "algorithm": {
                "actor_lr": {"log_uniform": [1e-4, 1e-1]},
                "leader_noise": {"uniform": [0.05, 0.5]},
                "transitions_per_update": {"choice": [16, 32]},
            }
        },
    }
    for name, values in sections.items():
        content[name] = {**content.get(name, {}), **values}
    path = folder / "search.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def parameters(checkpoint: Path) -> dict[str, np.ndarray]:
    """Every weight of both sides' actors, critics and targets."""
    folder = checkpoint / "rllib" / "learner_group" / "learner" / "rl_module"
    sides = {side: pickle.loads((folder / side / "module_state.pkl").read_bytes()) for side in ("leader", "follower")}
    return {f"{side}/{name}": np.asarray(x) for side, weights in sides.items() for name, x in weights.items()}


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return all(np.array_equal(one[name], other[name]) for name in one | other)


# --- successive halving ----------------------------------------------------------------------------------------------


def trials(folder: Path) -> list[Path]:
    return sorted(folder.glob("trial_*"))
