"""What the learned policy is worth: the same episodes under a free market, at random, and under constant actions."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from envs import make
from envs.game import Array, StackelbergMeanFieldGame
from experiments.configuration.config import Experiment
from experiments.results.reference import reference_of
from experiments.results.tables import comparison_table
from experiments.results.welfare_tables import LIVED, Standing, Standings, standings_of, welfare_table, welfare_title
from policies import FollowerPolicy, LeaderPolicy
from policies.constant import ConstantFollower, ConstantLeader
from policies.free_market import free_market
from policies.random import RandomFollower, RandomLeader
from rllib_smfg.configuration.sections import RuleAlgorithm
from rllib_smfg.economics import welfare
from rllib_smfg.economics.constant_search import ConstantPolicy, best_constant_policy
from rllib_smfg.export import TrainedPolicies
from rllib_smfg.metrics import headlines
from rllib_smfg.playing import play_pair
from rllib_smfg.rollout import Episodes
from rllib_smfg.statistics.summaries import Summary, read_summary, summarise_all
from rllib_smfg.storage.files import write_json

# the strongest first
TITLES = {
    "best_constant": "best constant policy",
    "free_market_learned": "free market, same households",
    "free_market_random": "free market, random households",
    "random": "random government and households",
}
ONLY_IN_ECONOMIES = ("free_market_learned", "free_market_random")
FILE = "comparison.json"
COLUMNS = ("per_capita_gdp", "social_welfare", "income_gini", "wealth_gini", "years")

Evaluations = list[dict[str, Array]]  # one {indicator: (episodes,)} a training seed, or a single one
PolicyPair = tuple[LeaderPolicy, FollowerPolicy]


def learned_row(experiment: Experiment) -> str:
    """What the row of the experiment's own policies is called."""
    if isinstance(experiment.algorithm, RuleAlgorithm):
        rules = experiment.algorithm
        return f"{rules.leader.name}, {rules.follower.name} households".replace("_", " ")
    return f"{experiment.algorithm.title} (learned)"


def compare_policies(
    experiment: Experiment, trained: Sequence[TrainedPolicies], learned: Evaluations, folder: Path, command: str
) -> dict[str, dict[str, Summary]]:
    """Summaries by policy and indicator; of the learned policies they are those of the evaluations that are given.

    All policies meet the same luck (`evaluation.seed`). In an economy with consumption equivalents the first row is the
    US system's, which they are told against. The best constant policy is found once and kept in
    `folder/best_constant.json`; the table itself goes to `folder/comparison.json`.
    """
    game = make(**{**experiment.game.settings(), "games": experiment.evaluation.final_episodes})
    reference = reference_of(trained[0], game) if trained else None
    own, seed = learned_row(experiment), experiment.evaluation.seed
    played = _baselines(experiment, trained, game, lambda: _best_constant(experiment, folder, command))
    standings: dict[str, Standing] = {}
    if reference and not reference.obstacle:
        again = {own: [play_pair(game, each.policies(game, seed), seed) for each in trained]}
        played = {reference.name: [play_pair(game, reference.pair(game, seed), seed)], **again, **played}
        standings = reference.standings(played)
    evaluated = {row: [each.indicators for each in found] for row, found in played.items()} | {own: learned}
    first = [reference.name] if standings and reference else []
    rows = {row: summarise_all(evaluated[row]) for row in dict.fromkeys([*first, own, *played])}
    content = {row: _content(game.horizon, rows[row], evaluated[row], standings.get(row)) for row in rows}
    settings = {"episodes": experiment.evaluation.final_episodes, "seed": seed}
    why = {"no_consumption_equivalent": reference.obstacle if reference else ""}
    write_json(folder / FILE, {"policies": content, **settings, **why, "command": command})
    return rows


def _baselines(
    experiment: Experiment,
    trained: Sequence[TrainedPolicies],
    game: StackelbergMeanFieldGame,
    best_constant: Callable[[], ConstantPolicy],
) -> dict[str, list[Episodes]]:
    """Episodes of the baselines that the configuration names, by title."""
    seed = experiment.evaluation.seed
    players: dict[str, Callable[[], list[PolicyPair]]] = {
        "free_market_learned": lambda: [(free_market(game), each.follower_policy(game, seed)) for each in trained],
        "free_market_random": lambda: [(free_market(game), _random_households(game, experiment))],
        "random": lambda: [(RandomLeader(game.leader_action_space, seed), _random_households(game, experiment))],
        "best_constant": lambda: [_constant(best_constant())],
    }
    return {
        TITLES[baseline]: [play_pair(game, pair, seed) for pair in players[baseline]()]
        for baseline in experiment.comparison.baselines
        if baseline not in ONLY_IN_ECONOMIES or experiment.game.name == "economy"
    }


def _content(
    horizon: int, summaries: Mapping[str, Summary], evaluated: Evaluations, standing: Standing | None
) -> dict[str, Any]:
    """A row of the JSON: indicators by name, and what `welfare.content` says."""
    years = np.concatenate([each["years"] for each in evaluated])
    gain = standing.gain if standing else None
    told = welfare.content(gain, years, years < horizon, gain.reference if gain else None)
    return {**{name: value.designed() for name, value in summaries.items()}, **told}


def read_rows(file: Path) -> tuple[dict[str, dict[str, Summary]], Standings]:
    """Summaries and standings (empty without consumption equivalents) by row, out of what `compare_policies` wrote."""
    content = json.loads(file.read_text(encoding="utf-8"))["policies"]
    rows = {
        row: {name: read_summary(value) for name, value in values.items() if name not in welfare.ROW}
        for row, values in content.items()
    }
    return rows, standings_of(content, rows)


def kept_obstacle(file: Path) -> str:
    """Why `compare_policies` found no consumption equivalents, where there is anything to say."""
    content = json.loads(file.read_text(encoding="utf-8"))
    return str(content.get("no_consumption_equivalent", ""))


def show(
    console: Console,
    experiment: Experiment,
    rows: Mapping[str, Mapping[str, Summary]],
    standings: Standings | None = None,
) -> None:
    """Prints the comparison; `standings` as of `read_standings`."""
    names = headlines(rows[learned_row(experiment)])
    columns = [name for name in COLUMNS if name in names] if "per_capita_gdp" in names else names
    seeds, episodes = len(experiment.training.seeds), experiment.evaluation.final_episodes
    if standings:
        reference = next(iter(standings.values())).gain.reference
        console.print(welfare_table(welfare_title(reference, episodes, "mean"), standings, experiment.game.followers))
    over = f"{episodes} episodes" + (f"; what was learned, over {seeds} training seeds of as many" if seeds > 1 else "")
    heading = f"{experiment.game.name}, N = {experiment.game.followers}: mean and 95 % interval over {over}"
    console.print(comparison_table(heading, rows, columns))
    horizon = make(**{**experiment.game.settings(), "games": 1}).horizon
    early = [row for row, found in rows.items() if found["years"].mean < horizon]
    if early:
        console.print(f"Ends early: {', '.join(early)}. {LIVED}", highlight=False, markup=False)


def _random_households(game: StackelbergMeanFieldGame, experiment: Experiment) -> RandomFollower:
    return RandomFollower(game.follower_action_space, experiment.evaluation.seed + 1)


def _constant(policy: ConstantPolicy) -> PolicyPair:
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
