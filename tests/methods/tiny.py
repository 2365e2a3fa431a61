"""Shipped configurations, cut down until they train in a moment."""

from __future__ import annotations

from typing import Any

import numpy as np

from experiments.configuration.config import Experiment
from experiments.configuration.loading import load_experiment
from experiments.configuration.shipped import shipped

# the shipped configurations that name a method: all but those of other commands
OTHERS = ("\nrows:", "\nsurvey:", "base: calibrated_rules")
CONFIGS = sorted(
    name for name, path in shipped().items() if not any(other in path.read_text(encoding="utf-8") for other in OTHERS)
)

SMALL = [
    "game.followers=6",
    "game.games=2",
    "game.horizon=4",
    "training.iterations=2",
    "training.seeds=[1]",
    "training.checkpoint_interval=1",
    "evaluation.episodes=2",
    "evaluation.final_episodes=2",
    "comparison.baselines=[]",
]
FEW = {
    "gradient": ["years_per_iteration=8", "warm_up_years=8", "updates_per_iteration=2", "transitions_per_update=4"],
    "proximal": ["years_per_iteration=8", "sequence_years=4", "households_per_game=3", "num_epochs=1", "minibatches=2"],
    "rules": [],
}


def tiny(name: str, *overrides: str) -> Experiment:
    """A shipped configuration at N = 6, of two iterations of 8 years."""
    algorithm = load_experiment(name).algorithm
    few = [f"algorithm.{setting}" for setting in FEW[algorithm.family]]
    if algorithm.family != "rules" and algorithm.pretrain is None:
        few.append("algorithm.hidden=[8, 8]")
    held = [f"algorithm.{name}=0" for name in ("leader_held_years", "free_market_years") if hasattr(algorithm, name)]
    return load_experiment(name, [*SMALL, *few, *held, *overrides])


def parameters(algorithm: Any) -> dict[str, np.ndarray]:
    """All weights of both sides, critics and targets included; none where nothing learns."""
    if not hasattr(algorithm, "learner_group"):
        return {}
    state = algorithm.learner_group._learner.module.get_state()
    return {f"{side}/{name}": np.array(x) for side, weights in state.items() for name, x in weights.items()}


def same(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> bool:
    return first.keys() == second.keys() and all(np.array_equal(first[name], second[name]) for name in first)
