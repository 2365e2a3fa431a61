"""`smfg frontier CONFIG`: what constant policies can reach in an economy, between growth, welfare and equality."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table

from envs import make
from experiments.configuration.loading import load_experiment
from experiments.results.tables import label, number
from rllib_smfg.economics.frontier import constant_frontier

SHOWN = ("per_capita_gdp", "social_welfare", "income_gini", "wealth_gini", "years")


def run(console: Console, config: str, *, overrides: list[str], seed: int | None, json: Path | None) -> None:
    """Prints the frontier of a configuration's game; `json` is where it is kept and found again."""
    experiment = load_experiment(config, overrides)
    points = constant_frontier(
        experiment.game.settings(), experiment.comparison.search_seed if seed is None else seed, json
    )
    title = "constant policies that no other surpasses; welfare is the sum of all households"
    table = Table("government", "households", *map(label, SHOWN), title=title)
    for point in points:
        actions = (" ".join(map(number, action)) for action in (point.leader_action, point.follower_action))
        table.add_row(*actions, *(number(point.indicators[name]) for name in SHOWN))
    console.print(table)
    horizon = make(**{**experiment.game.settings(), "games": 1}).horizon
    early = sum(point.indicators["years"] < horizon for point in points)
    if early:
        console.print(f"{early} of them end before year {horizon}: their columns are means over the years they lived.")
