"""Rows of a comparison as policies that can play, and the episodes they play."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs import InvalidSetting, StackelbergMeanFieldGame, make
from envs.game import Array, BoolArray
from experiments.compare.config import EvaluationLuck, Row
from experiments.configuration.shipped import shipped
from policies import FollowerPolicy, LeaderPolicy, registry
from policies.given import Given
from policies.pairing import check_pair
from rllib_smfg import named_policies
from rllib_smfg.configuration.sections import Rule
from rllib_smfg.export import TrainedPolicies
from rllib_smfg.playing import one_thread
from rllib_smfg.rollout import Episodes, episodes
from rllib_smfg.storage import checkpoints

Source = Given | TrainedPolicies


@dataclass(frozen=True)
class Pair:
    """Who governs and who lives in an economy; it can be sent to another process."""

    leader: Source
    follower: Source

    def policies(self, game: StackelbergMeanFieldGame, seed: int) -> tuple[LeaderPolicy, FollowerPolicy]:
        """Both for a game; those that draw have luck of their own from `seed`."""
        leader, follower = self.leader, self.follower
        return (
            leader.leader(game, seed + 2) if isinstance(leader, Given) else leader.leader_policy(game, seed),
            follower.follower(game, seed + 1) if isinstance(follower, Given) else follower.follower_policy(game, seed),
        )


@dataclass(frozen=True)
class EpisodeBatch:
    """Episodes of one pair with one seed; `of` says which row, training seed and evaluation seed they are."""

    of: tuple[int, int, int]
    pair: Pair
    game: dict[str, Any]
    episodes: int
    seed: int
    warm_up: int

    def play(self) -> Episodes:
        """The episodes; see `rollout.episodes`."""
        game = make(**{**self.game, "games": self.episodes})
        policies = self.pair.policies(game, self.seed)
        with one_thread():
            for before in range(self.warm_up):
                other_luck = int(np.random.SeedSequence([self.seed, before]).generate_state(1)[0])
                episodes(game, *policies, seed=other_luck)
            return episodes(game, *policies, seed=self.seed)


def pairs(row: Row, trained: Path, game: dict[str, Any]) -> list[Pair]:
    """The pairs of a row, one a training seed; `trained` is the run's folder of a row that was trained here.

    Raises InvalidSetting for what does not exist, is damaged, was made for another kind of game, or does not fit
    together; the row is named.
    """
    try:
        return _pairs(row, trained, game)
    except InvalidSetting as error:
        raise error if f"row '{row.name}'" in str(error) else InvalidSetting(f"row '{row.name}': {error}") from None


def _pairs(row: Row, trained: Path, game: dict[str, Any]) -> list[Pair]:
    if row.leader is not None and row.follower is not None:
        found = crossed(row, _sources(row.leader, "leader", game), _sources(row.follower, "follower", game))
    else:
        learned = [_trained(path, game, []) for path in _checkpoints(trained if row.train else Path(str(row.policies)))]
        found = [Pair(each, each) for each in learned]
    small = make(**{**game, "games": 1})
    for pair in found:
        check_pair(small, *pair.policies(small, 0))
    return found


def batches(
    contenders: Sequence[tuple[Row, list[Pair]]], game: dict[str, Any], luck: EvaluationLuck
) -> Iterator[EpisodeBatch]:
    """All that is to be played."""
    for r, (row, found) in enumerate(contenders):
        for k, pair in enumerate(found):
            for s, seed in enumerate(luck.seeds):
                yield EpisodeBatch((r, k, s), pair, game, luck.episodes, seed, row.warm_up)


Played = dict[tuple[int, int, int], Episodes]


@dataclass(frozen=True)
class Together:
    """All episodes of a row, (training seeds, episodes of all evaluation seeds, ...) each; see `rollout.Episodes`."""

    indicators: dict[str, Array]
    ended_early: BoolArray
    worth: Array


def together(results: Played, row: int) -> Together:
    """A row's episodes."""
    own = {(k, s): found for (r, k, s), found in results.items() if r == row}
    training, luck = max(k for k, _ in own) + 1, max(s for _, s in own) + 1

    def joined(part: Callable[[Episodes], NDArray[Any]]) -> NDArray[Any]:
        return np.stack([np.concatenate([part(own[k, s]) for s in range(luck)]) for k in range(training)])

    def of(name: str) -> Array:
        return joined(lambda found: found.indicators[name])

    indicators = {name: of(name) for name in own[0, 0].indicators}
    return Together(indicators, joined(lambda found: found.ended_early), joined(lambda found: found.worth))


def crossed(row: Row, leaders: Sequence[Source], followers: Sequence[Source]) -> list[Pair]:
    """Seed by seed where both sides were learned; a side with one policy meets all of the other's."""
    if 1 not in (len(leaders), len(followers)) and len(leaders) != len(followers):
        raise InvalidSetting(f"row '{row.name}': {len(leaders)} seeds of the leader, {len(followers)} of the follower")
    most = max(len(leaders), len(followers))
    return [Pair(leaders[k % len(leaders)], followers[k % len(followers)]) for k in range(most)]


def _sources(rule: Rule, side: str, game: dict[str, Any]) -> list[Source]:
    """A rule by itself, or what was learned in a folder: all seeds of a run."""
    rules = registry.LEADERS if side == "leader" else registry.FOLLOWERS
    known, given = list(rules), rule.given()
    if registry.is_rule(given.name, rules):
        return [given]
    if given.settings:
        raise InvalidSetting(f"{side} '{given.name}': what was learned has no setting '{next(iter(given.settings))}'")
    return [_trained(path, game, known) for path in _checkpoints(Path(given.name))]


def _trained(path: str | Path, game: dict[str, Any], rules: list[str]) -> TrainedPolicies:
    return named_policies.trained(str(path), make(**{**game, "games": 1}), rules, shipped())


def _checkpoints(folder: Path) -> list[Path]:
    """A folder itself, or those of all seeds of a run."""
    return [checkpoints.find(path) for path in checkpoints.seed_folders(folder)] or [folder]
