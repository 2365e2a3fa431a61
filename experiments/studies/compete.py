"""`smfg compete households|government FILE:CLASS`: scores a submitted policy beside the predefined ones.

The households track mixes the submission's households with predefined ones in several shares and takes the average
utility of its own; the government track lets the submission govern several populations and takes its return. Every
composition is played in a process of its own, under the same luck. See docs/competition.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from envs import InvalidSetting, make
from experiments.configuration.loading import load_experiment
from experiments.results.tables import label, number, span
from experiments.results.welfare_tables import LIVED
from policies.submission import Limits, find_class
from rllib_smfg import named_policies
from rllib_smfg.contest import METRICS, Contest, ContestScore, Track, score
from rllib_smfg.storage import checkpoints
from rllib_smfg.storage.files import write_json

SHOWN = ("per_capita_gdp", "wealth_gini", "years")
FREE_MARKET = "free_market"
FAILED = 1  # exit code
REAL_DATA = "real_data"
MISSING = {
    "smfrl": "without SMFRL households: give --checkpoint RUN (make one: smfg train quickstart)",
    "real": "without real-data households, as the shipped ones do not fit this game: give --real FOLDER"
    " (make one: smfg pretrain pretrain_survey)",
}


# --- scoring ---------------------------------------------------------------------------------------------------------


# --- the command -----------------------------------------------------------------------------------------------------
def run(console: Console, track: Track, source: str, contest: Contest, json: Path | None) -> int:
    """Scores a submission, prints and writes the result; returns the exit code, 1 if the submission failed."""
    find_class(source)  # before anything is said
    for kind, note in MISSING.items():
        if kind not in contest.households:
            _say(console, note)
    if track == "households":
        _say(console, f"government: {contest.government}")
    result = score(track, source, contest, heard=lambda name: _say(console, f"played: {name}"))
    if not result.isolated:
        _say(console, "note: the kernel refused namespaces, so the submission was held by its limits alone")
    _show(console, source, contest, result)
    if json is not None:
        write_json(json, {"submission": source, **asdict(result), "contest": asdict(contest)})
    return FAILED if result.failure else 0


def contest_of(
    *,
    checkpoint: Path | None,
    real: Path | None,
    government: str | None,
    config: str | None,
    followers: int | None,
    episodes: int,
    seed: int,
    limits: Limits,
) -> Contest:
    """Plays the game of `config`, else the one the checkpoint was trained in, else the economy as it is."""
    game: dict[str, Any] = {"name": "economy"}
    if checkpoint is not None:
        game = checkpoints.read_policies(checkpoints.find(checkpoint)).game
    if config is not None:
        game = load_experiment(config).game.settings()
    if followers is not None:
        game = {**game, "followers": followers}
    if game["name"] != "economy":
        raise InvalidSetting(f"game '{game['name']}': the competition is held in an economy, must be 'economy'")
    households = {} if checkpoint is None else {"smfrl": str(checkpoint)}
    if real is not None or _real_data_fits(game):
        households["real"] = REAL_DATA if real is None else str(real)
    households["random"] = "random"
    governs = government or (str(checkpoint) if checkpoint else FREE_MARKET)
    return Contest(game, households, governs, episodes, seed, limits)


def _real_data_fits(game: Mapping[str, Any]) -> bool:
    """Whether the real-data households that come with the program live in this economy."""
    try:
        named_policies.follower(REAL_DATA, make(**{**game, "games": 1}), seed=0)
    except InvalidSetting:
        return False
    return True


def _show(console: Console, source: str, contest: Contest, result: ContestScore) -> None:
    if result.metric is None:
        _say(console, f"failed: {result.failure}")
        return
    metric = METRICS[result.track]
    columns = [metric, *(["utility_of_others"] if result.track == "households" else []), *SHOWN]
    title = f"{escape(source)}: means and 95 % intervals over {contest.episodes} episodes"
    table = Table(title=title, box=SIMPLE_HEAD, padding=(0, 0, 1, 0), pad_edge=False)  # fits 80 columns
    table.add_column("population")
    for name in columns:
        table.add_column(label(name).replace(" ", "\n"), justify="right", no_wrap=True)
    for population, row in result.compositions.items():
        cells = (f"{number(row[name].mean)}\n{span(row[name])}" if name in row else "" for name in columns)
        table.add_row(population, *cells)
    console.print(table)
    horizon = contest.new_game().horizon
    early = [population for population, row in result.compositions.items() if row["years"].mean < horizon]
    if early:
        _say(console, f"ends early: {'; '.join(early)}. {LIVED}")
    _say(console, f"{label(metric)}: {number(result.metric.mean)}, 95 % interval {span(result.metric)}")


def _say(console: Console, text: str) -> None:
    console.print(text, soft_wrap=True, highlight=False, markup=False)
