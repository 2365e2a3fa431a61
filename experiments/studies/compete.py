"""`smfg compete households|government FILE:CLASS`: scores a submitted policy beside the predefined ones.

The households track mixes the submission's households with predefined ones in several shares and takes the average
utility of its own; the government track lets the submission govern several populations and takes its return. Every
composition is played in a process of its own, under the same luck. See docs/competition.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from envs import InvalidSetting, StackelbergMeanFieldGame, make
from envs.game import Array
from experiments.configuration.loading import load_experiment
from experiments.results.tables import label, number, span
from experiments.results.welfare_tables import LIVED
from policies import FollowerPolicy, LeaderPolicy
from policies.mixed import MixedFollowers
from policies.submission import Limits, Submission, SubmissionFailed, SubmittedFollower, SubmittedLeader, find
from rllib_smfg import named_policies
from rllib_smfg.groups import evaluate_groups
from rllib_smfg.playing import one_thread
from rllib_smfg.statistics.summaries import Summary, summarise, summarise_all
from rllib_smfg.storage import checkpoints
from rllib_smfg.storage.files import write_json

Track = Literal["households", "government"]
Shares = dict[str, float]

YOURS = "yours"
METRICS: dict[Track, str] = {"households": "average_utility_of_your_agent", "government": "government_return"}
SHARES = (0.75, 0.5, 0.25)
SHOWN = ("per_capita_gdp", "wealth_gini", "years")
FREE_MARKET = "free_market"
FAILED = 1  # exit code
REAL_DATA = "real_data"
MISSING = {
    "smfrl": "without SMFRL households: give --checkpoint RUN (make one: smfg train quickstart)",
    "real": "without real-data households, as the shipped ones do not fit this game: give --real FOLDER"
    " (make one: smfg pretrain pretrain_survey)",
}
# the smallest population in which nobody's share is nobody
LEAST_FOLLOWERS = 4


@dataclass(frozen=True)
class Contest:
    """What a submission is scored in.

    game: settings for `envs.make`. households: predefined household policies by the name of their kind, as
    `named_policies.follower` takes them. government: that of the households track, as `named_policies.leader` takes it.
    episodes: games of each composition, side by side, each with luck of its own; seed: of that luck.
    """

    game: Mapping[str, Any]
    households: Mapping[str, str]
    government: str
    episodes: int = 16
    seed: int = 1_000_000
    limits: Limits = field(default_factory=Limits)

    def new_game(self) -> StackelbergMeanFieldGame:
        """As many games as there are episodes."""
        return make(**{**self.game, "games": self.episodes})


@dataclass(frozen=True)
class Score:
    """What became of a submission: `failure` is empty, or says why and where it cannot be scored.

    metric: over all compositions; None after a failure. compositions: summaries of the metric and of indicators.
    isolated: whether the kernel kept it apart from other processes and the network.
    """

    track: Track
    metric: Summary | None
    compositions: dict[str, dict[str, Summary]]
    isolated: bool
    failure: str = ""


# --- scoring ---------------------------------------------------------------------------------------------------------
def score(track: Track, source: str, contest: Contest, heard: Callable[[str], None] = lambda _: None) -> Score:
    """Scores the submission FILE:CLASS; a submission that fails gets a score of failure, whatever it does.

    `heard` is told of every composition that has been played. Raises InvalidSetting if there is no such file.
    """
    find(source)
    game = contest.new_game()
    if game.n_followers < LEAST_FOLLOWERS:
        raise InvalidSetting(f"followers = {game.n_followers}: a mixed population needs at least {LEAST_FOLLOWERS}")
    for kind in contest.households:
        _predefined(contest, kind, game)
    results: dict[str, dict[str, Array]] = {}
    isolated = True
    for shares in compositions(track, list(contest.households)):
        name = title(shares)
        try:
            with Submission(source, contest.seed, contest.limits) as submission, one_thread():
                isolated = isolated and submission.isolated
                results[name] = _play(track, submission, contest, shares)
        except SubmissionFailed as failure:
            return Score(track, None, {}, isolated, f"{failure} (playing {name})")
        heard(name)
    metric = np.mean([each[METRICS[track]] for each in results.values()], axis=0)
    return Score(track, summarise([metric]), {name: summarise_all([each]) for name, each in results.items()}, isolated)


def compositions(track: Track, predefined: list[str]) -> list[Shares]:
    """Who makes up the population, by shares.

    Households: the submission alone, with each predefined policy in several shares, and as a quarter among all of them.
    Government: every set of predefined policies, in equal shares.
    """
    if track == "government":
        sets = [names for size in range(1, len(predefined) + 1) for names in combinations(predefined, size)]
        return [dict.fromkeys(names, 1 / len(names)) for names in sets]
    mixed = [{YOURS: share, other: 1 - share} for other in predefined for share in SHARES]
    if len(predefined) > 1:
        mixed.append({YOURS: 0.25, **dict.fromkeys(predefined, 0.75 / len(predefined))})
    return [{YOURS: 1.0}, *mixed]


def title(shares: Mapping[str, float]) -> str:
    """'25 % yours, 75 % random'."""
    return ", ".join(f"{100 * share:.0f} % {name}" for name, share in shares.items())


def _play(track: Track, submission: Submission, contest: Contest, shares: Shares) -> dict[str, Array]:
    """The metric and the indicators of every episode, (episodes,) each."""
    game = contest.new_game()
    households: dict[str, FollowerPolicy] = {
        name: SubmittedFollower(submission, game) if name == YOURS else _predefined(contest, name, game)
        for name in shares
    }
    government: LeaderPolicy = SubmittedLeader(submission, game)
    if track == "households":
        government = named_policies.leader(contest.government, game, contest.seed + 2)
    results = evaluate_groups(game, government, MixedFollowers(households, shares, game.n_followers), contest.seed)
    if track == "government":
        return {METRICS[track]: results.population["leader_return"], **results.population}
    others = [group["utility"] for name, group in results.groups.items() if name != YOURS]
    beside = {"utility_of_others": np.mean(others, axis=0)} if others else {}
    return {METRICS[track]: results.groups[YOURS]["utility"], **beside, **results.population}


def _predefined(contest: Contest, kind: str, game: StackelbergMeanFieldGame) -> FollowerPolicy:
    return named_policies.follower(contest.households[kind], game, contest.seed + 1)


# --- the command -----------------------------------------------------------------------------------------------------
def run(console: Console, track: Track, source: str, contest: Contest, json: Path | None) -> int:
    """Scores a submission, prints and writes the result; returns the exit code, 1 if the submission failed."""
    find(source)  # before anything is said
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


def _show(console: Console, source: str, contest: Contest, result: Score) -> None:
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
