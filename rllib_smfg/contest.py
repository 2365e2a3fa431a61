"""Scores a submitted policy beside predefined ones, in several compositions of the population."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, Literal

import numpy as np

from envs import InvalidSetting, StackelbergMeanFieldGame, make
from envs.game import Array
from policies import FollowerPolicy, LeaderPolicy
from policies.mixed import MixedFollowers
from policies.submission import Limits, Submission, SubmissionFailed, SubmittedFollower, SubmittedLeader, find_class
from rllib_smfg import named_policies
from rllib_smfg.groups import evaluate_groups
from rllib_smfg.playing import one_thread
from rllib_smfg.statistics.summaries import Summary, summarise, summarise_all

Track = Literal["households", "government"]
Shares = dict[str, float]
YOURS = "yours"
METRICS: dict[Track, str] = {"households": "average_utility_of_your_agent", "government": "government_return"}
SHARES = (0.75, 0.5, 0.25)
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
class ContestScore:
    """What became of a submission: `failure` is empty, or says why and where it cannot be scored.

    metric: over all compositions; None after a failure. compositions: summaries of the metric and of indicators.
    isolated: whether the kernel kept it apart from other processes and the network.
    """

    track: Track
    metric: Summary | None
    compositions: dict[str, dict[str, Summary]]
    isolated: bool
    failure: str = ""


def score(track: Track, source: str, contest: Contest, heard: Callable[[str], None] = lambda _: None) -> ContestScore:
    """Scores the submission FILE:CLASS; a submission that fails gets a score of failure, whatever it does.

    `heard` is told of every composition that has been played. Raises InvalidSetting if there is no such file.
    """
    find_class(source)
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
                results[name] = _play_composition(track, submission, contest, shares)
        except SubmissionFailed as failure:
            return ContestScore(track, None, {}, isolated, f"{failure} (playing {name})")
        heard(name)
    metric = np.mean([each[METRICS[track]] for each in results.values()], axis=0)
    return ContestScore(
        track, summarise([metric]), {name: summarise_all([each]) for name, each in results.items()}, isolated
    )


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


def _play_composition(track: Track, submission: Submission, contest: Contest, shares: Shares) -> dict[str, Array]:
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
