"""`smfg evaluate CHECKPOINT`: plays whole episodes with trained policies, without Ray, and unpickles nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import torch
from rich.console import Console

from envs import InvalidSetting
from envs.game import Array
from experiments import checkpoints
from experiments.config import Evaluation
from experiments.files import write_json
from experiments.metrics import headlines
from experiments.statistics import summarise_all
from experiments.tables import indicator_table
from rllib_smfg.export import TrainedPolicies
from rllib_smfg.memory import keep_freed_memory
from rllib_smfg.rollout import evaluate


def evaluate_policies(
    policies: TrainedPolicies, *, episodes: int, seed: int, followers: int | None = None
) -> dict[str, Array]:
    """Each indicator of `episodes` episodes, (episodes,); see `rollout.evaluate`. On one thread, to be repeatable."""
    changes = {} if followers is None else {"followers": followers}
    game = policies.make_game(games=episodes, **changes)
    with one_thread():
        return evaluate(game, *policies.policies(game, seed), seed=seed)


def run(
    console: Console, path: Path, *, episodes: int | None, seed: int | None, followers: int | None, json: Path | None
) -> None:
    """Evaluates a checkpoint and prints the indicators; what is not given is as in the checkpoint's configuration."""
    checkpoint = checkpoints.find(path)
    policies = checkpoints.read_policies(checkpoint)
    experiment = checkpoints.read_experiment(checkpoint)
    defaults = experiment.evaluation if experiment else Evaluation()
    episodes = _at_least("--episodes", defaults.final_episodes if episodes is None else episodes, 1)
    seed = _at_least("--seed", defaults.seed if seed is None else seed, 0)
    followers = _at_least("--followers", policies.interface.followers if followers is None else followers, 1)
    results = evaluate_policies(policies, episodes=episodes, seed=seed, followers=followers)
    summary = summarise_all([results])
    content = {
        "indicators": {name: asdict(value) for name, value in summary.items()},
        "checkpoint": str(checkpoint),
        "game": policies.game | {"games": episodes, "followers": followers},
        "episodes": episodes,
        "seed": seed,
    }
    if json is not None:
        write_json(json, content)
    shown = {name: summary[name] for name in headlines(summary)}
    console.print(f"{checkpoint}: {episodes} episodes, seed {seed}, N = {followers}", soft_wrap=True, highlight=False)
    console.print(indicator_table(shown))


@contextmanager
def one_thread() -> Iterator[None]:
    """One torch thread inside the block; the process keeps the memory of its arrays, then and afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    keep_freed_memory()
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _at_least(name: str, value: int, least: int) -> int:
    if value < least:
        raise InvalidSetting(f"{name} {value}: must be at least {least}")
    return value
