"""`smfg evaluate CHECKPOINT`: plays whole episodes with trained policies, without Ray, and unpickles nothing."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from envs import InvalidSetting
from experiments.configuration.config import Evaluation
from experiments.configuration.loading import read_experiment
from experiments.results.reference import reference_of
from experiments.results.tables import indicator_table
from experiments.results.welfare_tables import (
    LIVED,
    Standings,
    by_wealth_table,
    by_wealth_title,
    welfare_table,
    welfare_title,
)
from rllib_smfg.economics import welfare
from rllib_smfg.metrics import headlines
from rllib_smfg.playing import play_pair, play_policies
from rllib_smfg.statistics.summaries import summarise_all
from rllib_smfg.storage import checkpoints
from rllib_smfg.storage.files import write_json

OWN = "these policies"


def run(
    console: Console,
    path: Path,
    *,
    episodes: int | None,
    seed: int | None,
    followers: int | None,
    json: Path | None,
    reference: str | None = None,
    by_wealth: bool = False,
) -> None:
    """Evaluates a checkpoint and prints the indicators; what is not given is as in the checkpoint's configuration.

    reference: the government that consumption equivalents are told against, see `reference.Reference`; by_wealth:
    whether they are printed by tenth of wealth.
    """
    checkpoint = checkpoints.find(path)
    policies = checkpoints.read_policies(checkpoint)
    experiment = read_experiment(checkpoint)
    defaults = experiment.evaluation if experiment else Evaluation()
    episodes = _at_least("--episodes", defaults.final_episodes if episodes is None else episodes, 1)
    seed = _at_least("--seed", defaults.seed if seed is None else seed, 0)
    followers = _at_least("--followers", policies.interface.followers if followers is None else followers, 1)
    game = policies.make_game(games=episodes, followers=followers)
    base = reference_of(policies, game, reference)
    played = play_policies(policies, episodes=episodes, seed=seed, followers=followers)
    summary = summarise_all([played.indicators])
    standings = {}
    if base and not base.obstacle:
        standings = base.standings({base.name: [play_pair(game, base.pair(game, seed), seed)], OWN: [played]})
    obstacle, against = (base.obstacle, base.name) if base else ("", None)
    gain = standings[OWN].gain if standings else None
    content = {
        **welfare.content(gain, played.indicators["years"], played.ended_early, against),
        "no_consumption_equivalent": obstacle,
        "indicators": {name: value.designed() for name, value in summary.items()},
        "iqm_intervals": {name: [value.iqm_low, value.iqm_high] for name, value in summary.items()},
        "checkpoint": str(checkpoint),
        "game": policies.game | {"games": episodes, "followers": followers},
        "episodes": episodes,
        "seed": seed,
    }
    if json is not None:
        write_json(json, content)
    _say(console, f"{checkpoint}: {episodes} episodes, seed {seed}, N = {followers}")
    mark = welfare.ending(played.indicators["years"], played.ended_early)
    if mark:
        _say(console, f"{mark}: {LIVED}")
    if obstacle:
        _say(console, f"no consumption equivalent: {obstacle}")
    _show_standings(console, standings, episodes, followers, by_wealth)
    console.print(indicator_table({name: summary[name] for name in headlines(summary)}))


def _show_standings(console: Console, standings: Standings, episodes: int, followers: int, by_wealth: bool) -> None:
    """The table of consumption equivalents, and that by tenth of wealth; nothing without them."""
    if not standings:
        return
    reference = standings[OWN].gain.reference
    console.print(welfare_table(welfare_title(reference, episodes, "mean"), standings, followers))
    if by_wealth:
        console.print(by_wealth_table(by_wealth_title(reference), standings))


def _say(console: Console, text: str) -> None:
    console.print(text, soft_wrap=True, highlight=False, markup=False)


def _at_least(name: str, value: int, least: int) -> int:
    if value < least:
        raise InvalidSetting(f"{name} {value}: must be at least {least}")
    return value
