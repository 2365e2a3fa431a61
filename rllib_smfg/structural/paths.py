"""Whole paths of play as one graph: what the leader, and a team, differentiate."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from itertools import accumulate, repeat
from operator import mul
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from envs.arithmetic import ArithmeticGame, Arrays, plain_mean
from rllib_smfg.structural.compiled import Carried, Compiled, Weights, playing_by, weights_of
from rllib_smfg.structural.economies import State, tensors
from rllib_smfg.structural.settings import StructuralSettings
from rllib_smfg.structural.sides import Side, outside

Act = Callable[[Tensor, Tensor], Tensor]
ALL = slice(None)
LEAST_PATHS = 4
LEAST_YEARS = 10_000  # played in a run: fewer do not repay some ten seconds of compiling
# household-years whose derivative is one graph, of some 500 bytes each in the calibrated economy; of more, only the
# state every STRETCH years is kept, and what is between is played again when its derivative is taken
ONE_GRAPH = 4_000_000
STRETCH = 4
USUALLY_LIVED = 0.95  # of a path's discounted weight


@dataclass(frozen=True)
class Luck:
    """Starts and shocks of paths, drawn beforehand: common random numbers for all policies that are compared."""

    first: State
    shocks: list[State]


def draw_luck(game: ArithmeticGame, seed: Any, years: int, like: Tensor, own: slice = ALL) -> Luck:
    """Paths of so many years from fresh starts: drawn for all games of `game`, kept of those that are `own`."""
    random = np.random.default_rng(seed)

    def kept(drawn: Arrays) -> State:
        return tensors({name: x[own] for name, x in drawn.items()}, like)

    first = kept(game.first_state(random, game.n_games))
    shocks = [kept(game.shocks(random, np.full(game.n_games, year, dtype=np.int64))) for year in range(years)]
    return Luck(first, shocks)


def path_years(discount: float, tail: float, horizon: int, ends: bool) -> int:
    """Years until the discounted weight that is left is below `tail`: a path cut short is another game.

    A game whose horizon merely truncates it goes on beyond it; `ends` says that the horizon is its end.
    """
    if discount <= 0:
        return 1
    years = math.ceil(math.log(tail) / math.log(discount)) if discount < 1 else horizon
    return min(years, horizon) if ends else years


def path_count(settings: StructuralSettings, followers: int, years: int) -> int:
    """How many paths of so many years, of so many followers each, the leader's `household_years` make."""
    trained_on = min(followers, settings.population)
    return min(settings.economies, max(LEAST_PATHS, settings.household_years // (trained_on * years)))


def in_one_graph(game: ArithmeticGame, years: int) -> bool:
    """Whether paths of so many years are differentiated as a whole."""
    return game.n_games * game.n_followers * years <= ONE_GRAPH


@dataclass(frozen=True)
class Returns:
    """Discounted sums per game (B,), in units of the game's reward scales, and what acting out of bounds cost.

    leader, follower (the mean household's), strain (of coming near an end), outside (mean squared distance of the
    leader's outputs from [-1, 1]), follower_outside (of households', 0 where they do not learn by the path), lived:
    share of the discounted weight before an end.
    """

    leader: Tensor
    follower: Tensor
    strain: Tensor
    outside: Tensor
    follower_outside: Tensor
    lived: Tensor


@dataclass(frozen=True)
class Play:
    """Who acts how on a path.

    leader(features (B, 1, dl), nothing) -> outputs (B, 1, al); follower(features, leader's outputs) -> (B, N, af).
    seen_leader: the leader as followers see it; where it is the same network without a derivative in its weights, their
    reaction to a change of this year's action is left out of the derivative (concept `partial`), everything that
    follows from the state is in.
    """

    game: ArithmeticGame
    leader_side: Side
    follower_side: Side
    leader: Act
    follower: Act
    seen_leader: Act | None = None
    places: Sequence[int] | None = None  # observations that the leader looks at; None: all
    followers_learn: bool = False  # else what households are worth has no derivative


# a year of paths: (play, first states, shocks, weight (), sums so far, state, alive (B, 1)) -> sums, state, alive
Year = Callable[[Play, State, State, Tensor, Returns, State, Tensor], tuple[Returns, State, Tensor]]


def next_year(
    play: Play, first: State, shocks: State, weight: Tensor, total: Returns, state: State, alive: Tensor
) -> tuple[Returns, State, Tensor]:
    """A year that counts `weight`: sums (B, 1) with it, the state that follows, and which games (B, 1) live on."""
    total, state, ended = _year(play, shocks, weight * alive, total, state)
    if ended is not None:
        alive = alive * (~ended).to(alive.dtype)
        state = begun_anew(state, alive, first)
    return total, state, alive


class CompiledYear:
    """Plays a year like `next_year`, compiled when it is first played: for one game and one kind of leader.

    Raises ValueError where it is asked to play another game, whose numbers would be those of the first.
    """

    def __init__(self) -> None:
        self.compiled = Compiled("a year of the leader's paths")
        self.game: ArithmeticGame | None = None
        self.play: Play | None = None  # the latest, of whose networks the weights are
        self.weights: list[Weights] = []

    def __call__(
        self, play: Play, first: State, shocks: State, weight: Tensor, total: Returns, state: State, alive: Tensor
    ) -> tuple[Returns, State, Tensor]:
        """The year of `next_year`."""
        self.game = self.game or play.game
        if play.game is not self.game:
            raise ValueError(
                "a compiled year plays the game it was compiled for; another game needs a CompiledYear of its own"
            )
        networks = play.leader, play.follower, play.seen_leader
        if play is not self.play:
            self.play, self.weights = play, [weights_of(network) for network in networks]

        def written(fixed: Any, carried: Carried) -> Carried:
            weights, first, shocks, weight = fixed
            leader, follower, seen = (_acting(*each) for each in zip(networks, weights, strict=True))
            by_weights = replace(play, leader=leader, follower=follower, seen_leader=seen)
            return _told(*next_year(by_weights, first, shocks, weight, *_heard(carried)))

        fixed = self.weights, first, shocks, weight
        return _heard(self.compiled(written, fixed, _told(total, state, alive)))


def year_played(settings: StructuralSettings, game: ArithmeticGame, years: int, plays: int) -> Year:
    """How a year of a game's paths is played that are played so many times: compiled where that pays.

    Where a graph would be too large to be held, what is played twice anyway is played as it is written.
    """
    pays = settings.compile_paths and years * plays >= LEAST_YEARS and in_one_graph(game, years)
    return CompiledYear() if pays else next_year


def _acting(network: Any, weights: Weights) -> Any:
    return None if network is None else playing_by(network, weights)


def _told(total: Returns, state: State, alive: Tensor) -> Carried:
    """What a year is handed, by one name each."""
    sums = {f"sum/{name}": x for name, x in vars(total).items()}
    return sums | {f"state/{name}": x for name, x in state.items()} | {"alive": alive}


def _heard(carried: Carried) -> tuple[Returns, State, Tensor]:
    sums = Returns(*(carried[f"sum/{field.name}"] for field in fields(Returns)))
    state = {name.removeprefix("state/"): x for name, x in carried.items() if name.startswith("state/")}
    return sums, state, carried["alive"]


def unseen_ends(found: Returns) -> str:
    """What there is to say of paths that end early at no price that a derivative could see; empty where they do not."""
    lived = float(found.lived.detach().mean())
    if lived >= USUALLY_LIVED or bool(found.strain.detach().any()):
        return ""
    return (
        f"the leader's paths end early (they live for {lived:.0%} of what counts), which its derivative does not see:"
        " let the game state what coming near an end costs (strain of envs.arithmetic.Outcome),"
        " or say leader_search = paired, of a network with search_pairs = 16"
    )


def returns(play: Play, luck: Luck, discount: float, year: Year = next_year) -> Returns:
    """Plays the paths with all means in the graph, which holds a few years at a time where it would be too large."""
    state, years = luck.first, len(luck.shocks)
    some = next(x for x in state.values() if x.is_floating_point())
    zero = torch.zeros(len(some), 1, dtype=some.dtype, device=some.device)
    total = Returns(*(zero.clone() for _ in fields(Returns)))
    alive = torch.ones_like(zero)
    discounted = list(accumulate(repeat(discount, years - 1), mul, initial=1.0))
    weights = torch.tensor(discounted, dtype=some.dtype, device=some.device)
    stretch = years if in_one_graph(play.game, years) else STRETCH
    for start in range(0, years, stretch):
        part = slice(start, start + stretch)
        arguments = (play, luck.first, luck.shocks[part], weights[part], total, state, alive, year)
        if stretch == years:
            total, state, alive = _stretch(*arguments)
        else:
            total, state, alive = checkpoint(_stretch, *arguments, use_reentrant=False, preserve_rng_state=False)
    weight = sum(discounted)
    return Returns(
        total.leader[:, 0],
        total.follower[:, 0],
        total.strain[:, 0],
        total.outside[:, 0] / weight,
        total.follower_outside[:, 0] / weight,
        total.lived[:, 0] / weight,
    )


def _stretch(
    play: Play,
    first: State,
    luck: list[State],
    weights: Tensor,
    total: Returns,
    state: State,
    alive: Tensor,
    year: Year,
) -> tuple[Returns, State, Tensor]:
    """Years in a row."""
    for shocks, weight in zip(luck, weights, strict=True):
        total, state, alive = year(play, first, shocks, weight, total, state, alive)
    return total, state, alive


def _year(
    play: Play, shocks: State, counted: Tensor, total: Returns, state: State
) -> tuple[Returns, State, Tensor | None]:
    """A year that counts (B, 1): sums with it, the state that follows, and which games it ended."""
    game = play.game
    seen, household_sees = game.observe(state, plain_mean)
    features = play.leader_side.features(seen, play.places)
    u = play.leader(features, features[..., :0])
    told = u if play.seen_leader is None else play.seen_leader(features, features[..., :0])
    answer = play.follower(play.follower_side.features(household_sees), told.clamp(-1.0, 1.0))
    actions = play.leader_side.natural(u), play.follower_side.natural(answer)
    outcome = game.advance(state, *actions, shocks, plain_mean)
    household = outcome.follower_reward.mean(-1, keepdim=True)
    # where games have no end, all are alive
    alive = None if outcome.ended is None else counted > 0
    beyond, strain = total.follower_outside, total.strain
    if play.followers_learn:
        beyond = beyond + counted * outside(answer).sum(-1).mean(-1, keepdim=True)
    else:
        household = household.detach()
    if outcome.strain is not None:
        strain = strain + counted * _where(alive, outcome.strain) / game.leader_reward_scale
    total = Returns(
        total.leader + counted * _where(alive, outcome.leader_reward) / game.leader_reward_scale,
        total.follower + counted * _where(alive, household) / game.follower_reward_scale,
        strain,
        total.outside + counted * outside(u).mean(-1),
        beyond,
        total.lived + counted,
    )
    return total, dict(outcome.state), outcome.ended


def begun_anew(state: State, alive: Tensor, first: State) -> State:
    """The state, with that of games that ended put back to their first: nothing more counts there, but 0 times the
    derivative of what is no number is no number, and would be everybody's.
    """
    return {name: torch.where(alive > 0, x, first[name]) for name, x in state.items()}


def _where(alive: Tensor | None, x: Tensor) -> Tensor:
    """x of games that are alive (None: all are); others have neither value nor derivative."""
    return x if alive is None else torch.where(alive, x, torch.zeros_like(x))
