"""What the learned policy is worth: the same episodes under a free market, at random, and under constant actions."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from envs import make
from envs.game import Array, StackelbergMeanFieldGame
from experiments.algorithms import RuleAlgorithm
from experiments.config import Experiment
from experiments.constant_search import ConstantPolicy, best_constant_policy
from experiments.evaluate import one_thread
from experiments.files import write_json
from experiments.metrics import headlines
from experiments.statistics import Summary, summarise_all
from experiments.tables import comparison_table
from policies import FollowerPolicy, LeaderPolicy
from policies.constant import ConstantFollower, ConstantLeader
from policies.free_market import free_market
from policies.random import RandomFollower, RandomLeader
from rllib_smfg.export import TrainedPolicies
from rllib_smfg.rollout import evaluate

TITLES = {
    "free_market_learned": "free market, same households",
    "free_market_random": "free market, random households",
    "random": "random government and households",
    "best_constant": "best constant policy",
}
ONLY_IN_ECONOMIES = ("free_market_learned", "free_market_random")
COLUMNS = ("per_capita_gdp", "social_welfare", "income_gini", "wealth_gini", "years")

Evaluations = list[dict[str, Array]]  # one {indicator: (episodes,)} a training seed, or a single one
Pair = tuple[LeaderPolicy, FollowerPolicy]


def learned_row(experiment: Experiment) -> str:
    """What the row of the experiment's own policies is called."""
    if isinstance(experiment.algorithm, RuleAlgorithm):
        rules = experiment.algorithm
        return f"{rules.leader.name}, {rules.follower.name} households".replace("_", " ")
    return f"{experiment.algorithm.title} (learned)"


def compare(
    experiment: Experiment, trained: Sequence[TrainedPolicies], learned: Evaluations, folder: Path, command: str
) -> dict[str, dict[str, Summary]]:
    """Summaries by policy and indicator; the learned policies' evaluations are given, the rest is played here.

    All policies meet the same luck (`evaluation.seed`). The best constant policy is found once and kept in
    `folder/best_constant.json`; the table itself goes to `folder/comparison.json`.
    """
    players: dict[str, Callable[[StackelbergMeanFieldGame], list[Pair]]] = {
        "free_market_learned": lambda game: [
            (free_market(game), each.follower_policy(game, experiment.evaluation.seed)) for each in trained
        ],
        "free_market_random": lambda game: [(free_market(game), _random_households(game, experiment))],
        "random": lambda game: [
            (RandomLeader(game.leader_action_space, experiment.evaluation.seed), _random_households(game, experiment))
        ],
        "best_constant": lambda game: [_constant(_best_constant(experiment, folder, command))],
    }
    rows = {learned_row(experiment): summarise_all(learned)}
    for baseline in experiment.comparison.baselines:
        if baseline in ONLY_IN_ECONOMIES and experiment.game.name != "economy":
            continue
        rows[TITLES[baseline]] = summarise_all(_play(experiment, players[baseline]))
    content = {policy: {name: asdict(value) for name, value in row.items()} for policy, row in rows.items()}
    settings = {"episodes": experiment.evaluation.final_episodes, "seed": experiment.evaluation.seed}
    write_json(folder / "comparison.json", {"policies": content, **settings, "command": command})
    return rows


def show(console: Console, experiment: Experiment, rows: Mapping[str, Mapping[str, Summary]]) -> None:
    """Prints the comparison."""
    names = headlines(rows[learned_row(experiment)])
    columns = [name for name in COLUMNS if name in names] if "per_capita_gdp" in names else names
    seeds, episodes = len(experiment.training.seeds), experiment.evaluation.final_episodes
    over = f"{episodes} episodes" + (f"; what was learned, over {seeds} training seeds of as many" if seeds > 1 else "")
    title = f"{experiment.game.name}, N = {experiment.game.followers}: mean and 95 % interval over {over}"
    console.print(comparison_table(title, rows, columns))


def _play(experiment: Experiment, players: Callable[[StackelbergMeanFieldGame], list[Pair]]) -> Evaluations:
    game = make(**{**experiment.game.settings(), "games": experiment.evaluation.final_episodes})
    with one_thread():
        return [evaluate(game, *pair, seed=experiment.evaluation.seed) for pair in players(game)]


def _random_households(game: StackelbergMeanFieldGame, experiment: Experiment) -> RandomFollower:
    return RandomFollower(game.follower_action_space, experiment.evaluation.seed + 1)


def _constant(policy: ConstantPolicy) -> Pair:
    return ConstantLeader(policy.leader_action), ConstantFollower(policy.follower_action)


def _best_constant(experiment: Experiment, folder: Path, command: str) -> ConstantPolicy:
    """From the run's cache if it was found in the same game; otherwise searched, and kept with what led to it."""
    cache = folder / "best_constant.json"
    settings: dict[str, Any] = {"game": experiment.game.settings(), "search_seed": experiment.comparison.search_seed}
    if cache.is_file():
        known = json.loads(cache.read_text(encoding="utf-8"))
        if known["settings"] == settings:
            return ConstantPolicy(**known["policy"])
    policy = best_constant_policy(experiment.game.settings(), experiment.comparison.search_seed)
    write_json(cache, {"policy": asdict(policy), "settings": settings, "command": command})
    return policy
