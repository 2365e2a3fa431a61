"""The one loop that steps a game under two policies: training, evaluation and comparison all go through `play`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from envs.economy.game import Economy
from envs.economy.indicators import by_tenth
from envs.game import Array, BoolArray, Observations, StackelbergMeanFieldGame, Step
from policies import FollowerPolicy, LeaderPolicy
from policies.pairing import refuse_unread

# what is to be known of a year that has just been played: {name: (B,)}
Measure = Callable[[StackelbergMeanFieldGame, Step], dict[str, Array]]


@dataclass(frozen=True)
class PlayedYear:
    """One year of B games: what was seen, what was done, what followed."""

    observations: Observations
    leader_action: Array
    follower_action: Array
    step: Step


def play(
    game: StackelbergMeanFieldGame, leader: LeaderPolicy, follower: FollowerPolicy, observations: Observations
) -> Iterator[PlayedYear]:
    """Plays on, year after year: the leader acts, the followers see it and act, the game moves.

    What the leader announces is what it enacts: its action within the game's bounds, before anybody sees it.
    Raises InvalidSetting for followers who would read taxes out of an action that does not say them.
    """
    refuse_unread(leader, follower)
    follower.meet(leader)
    while True:
        leader_action = announced(game, leader, observations)
        follower_action = follower.act(observations.follower, leader_action)
        step = leader.enact(game, leader_action, follower_action)
        if step.done.any():
            leader.forget(step.done)
            follower.forget(step.done)
        yield PlayedYear(observations, leader_action, follower_action, step)
        observations = step.observations


def first_episodes(
    game: StackelbergMeanFieldGame, leader: LeaderPolicy, follower: FollowerPolicy, seed: int, years: int | None = None
) -> Iterator[tuple[PlayedYear, BoolArray]]:
    """The first episode of every game: each year with the games that live in it, (B,), until none does.

    The games begin, and the policies forget, at the call. years: the most that are played.
    """
    everyone = np.ones(game.n_games, dtype=bool)
    leader.forget(everyone)
    follower.forget(everyone)
    return _until_all_ended(islice(play(game, leader, follower, game.reset(seed)), years), everyone)


def _until_all_ended(years: Iterator[PlayedYear], alive: BoolArray) -> Iterator[tuple[PlayedYear, BoolArray]]:
    for year in years:
        yield year, alive
        alive = alive & ~year.step.done
        if not alive.any():
            return


def announced(game: StackelbergMeanFieldGame, leader: LeaderPolicy, observations: Observations) -> Array:
    """The leader's action (B, al) as everybody sees it: within the game's bounds, as it will be enacted."""
    space = game.leader_action_space
    action: Array = np.minimum(np.maximum(leader.act(observations.leader), space.low), space.high)
    return action


def indicators(game: StackelbergMeanFieldGame, step: Step) -> dict[str, Array]:
    """What the game itself reports of a year, (B,) each."""
    return step.indicators


@dataclass(frozen=True)
class Episodes:
    """The first episode of each of B games, from its start to its end.

    indicators: {name: (B,)}, see `evaluate`. ended_early: whether an episode ended before the game's horizon, (B,).
    worth: what an episode was worth to the tenths of its households by first wealth, poorest first, (B, 10), in rewards
    a year: of all years of the horizon, weighted by the game's discount factor to the power of their index. A year that
    an episode did not live counts as reward 0. In games without wealth all tenths are the mean household.
    """

    indicators: dict[str, Array]
    ended_early: BoolArray
    worth: Array


def evaluate(
    game: StackelbergMeanFieldGame,
    leader: LeaderPolicy,
    follower: FollowerPolicy,
    seed: int,
    measure: Measure = indicators,
) -> dict[str, Array]:
    """Plays the first episode of every game to its end; each value has shape (B,), one number an episode.

    What `measure` says of a year is averaged over the years an episode lived (those in which it is a number: what is
    not defined in any is not a number). `years` is its length; `leader_return` and `follower_return` are undiscounted
    sums over the episode, the latter the mean household's.
    """
    return episodes(game, leader, follower, seed, measure).indicators


def episodes(
    game: StackelbergMeanFieldGame,
    leader: LeaderPolicy,
    follower: FollowerPolicy,
    seed: int,
    measure: Measure = indicators,
) -> Episodes:
    """As `evaluate`, with what the episodes were worth to their households."""
    means, sums = _Sums(), _Sums()
    years, weight = np.zeros(game.n_games), 1.0
    played = first_episodes(game, leader, follower, seed)
    first_wealth = game.state.assets.astype(np.float64) if isinstance(game, Economy) else None
    lifetimes = np.zeros((game.n_games, game.n_followers))
    for year, alive in played:
        step = year.step
        means.add(measure(game, step), alive)
        sums.add({"leader_return": step.leader_reward, "follower_return": step.follower_reward.mean(-1)}, alive)
        lifetimes += weight * np.where(alive[:, None], step.follower_reward, 0.0)
        weight *= game.discount
        years += alive
    found = {**means.means(), **sums.totals, "years": years}
    return Episodes(found, years < game.horizon, _worth(game, lifetimes, first_wealth))


class _Sums:
    """Sums over years of what is a number, one each episode, and of how many years they are."""

    def __init__(self) -> None:
        self.totals: dict[str, Array] = {}
        self._years: dict[str, Array] = {}

    def add(self, values: dict[str, Array], alive: BoolArray) -> None:
        """Adds a year's values (B,) of the games that live."""
        for name, value in values.items():
            counts = alive & ~np.isnan(value)
            self.totals[name] = self.totals.get(name, 0.0) + np.where(counts, value, 0.0)
            self._years[name] = self._years.get(name, 0.0) + counts

    def means(self) -> dict[str, Array]:
        """Means over years; not a number where there was none."""
        with np.errstate(invalid="ignore"):
            return {name: total / self._years[name] for name, total in self.totals.items()}


def _worth(game: StackelbergMeanFieldGame, lifetimes: Array, first_wealth: Array | None) -> Array:
    """`Episodes.worth` of discounted sums of rewards (B, N)."""
    weights = float(np.sum(game.discount ** np.arange(game.horizon)))
    if first_wealth is None:
        return np.tile(lifetimes.mean(-1, keepdims=True) / weights, 10)
    return by_tenth(lifetimes, first_wealth) / weights
