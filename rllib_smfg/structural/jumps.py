"""Whether what somebody does acts by jumps, which no derivative sees: luck that a decision decides, a threshold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from envs.arithmetic import ArithmeticGame, Outcome, plain_mean
from rllib_smfg.structural.economies import State, tensors
from rllib_smfg.structural.households import carried_names
from rllib_smfg.structural.sides import Side

DOUBLE = torch.zeros((), dtype=torch.float64)
YEARS = 2
REACH = 0.9  # of what is done, in network units
WIDTHS = (0.04, 0.01)  # of a move, in network units, and as a share of what is carried
LARGEST = 0.05  # share of an effect that may be unseen
NOTHING = 1e-6  # of a number, as an effect on it
# of what is unseen of a move, what is left of a move a quarter as wide: all of a jump, a quarter of a kink, no curve
LASTS = 0.5
TINIEST = 1e-300
INSTRUMENT = "instrument"

Numbers = dict[str, Tensor]  # what comes out of a year, by name
Moved = Callable[[Tensor], Numbers]  # a year in which something is moved by a number ()


@dataclass
class Effect:
    """What moves of one width do to a number, and how much of it derivatives do not see, summed."""

    size: float = 0.0
    whole: float = 0.0
    unseen: float = 0.0

    def add(self, other: Effect) -> None:
        """Takes in another year's."""
        self.size += other.size
        self.whole += other.whole
        self.unseen += other.unseen

    @property
    def share(self) -> float:
        """What is unseen, of the whole."""
        return self.unseen / max(self.whole, TINIEST)


def unseen_jumps(game: ArithmeticGame, instruments: bool = True) -> str:
    """What there is to say of a game in which more than `LARGEST` of an effect is unseen; empty where none is.

    game: of some tens of games and followers, as jumps are rare. instruments: whether the leader's own are asked about,
    too.

    A year is played with a decision, an instrument or what is carried moved to either side, everybody's at once and by
    the same luck: what that does to a number is compared with what derivatives at both ends say that it does.
    """
    wide, narrow = (_all_effects(game, width, instruments) for width in WIDTHS)
    jumps = {place: effect.share for place, effect in narrow.items() if _jumps(effect, wide[place])}
    if not jumps:
        return ""
    what, name = max(jumps, key=lambda place: jumps[place])
    instead = "leader_search = paired" if what.startswith(INSTRUMENT) else "method smfrl"
    return (
        f"game '{game.name}': {jumps[what, name]:.0%} of what {what} does to {name} comes by jumps, which no derivative"
        " sees, so that it is learned as if it did not: let what follows be smooth in it (a share in the place of"
        f" luck), or use {instead}"
    )


def _all_effects(game: ArithmeticGame, width: float, instruments: bool) -> dict[tuple[str, str], Effect]:
    """What moves of one width do, by what is moved and what that does something to."""
    found: dict[tuple[str, str], Effect] = {}
    for entering, (told, output), shocks in _years(game):
        for what, move in _moves(game, entering, told, output, shocks).items():
            if instruments or not what.startswith(INSTRUMENT):
                for name, effect in _effects(move, width).items():
                    found.setdefault((what, name), Effect()).add(effect)
    return found


def _jumps(effect: Effect, of_wider: Effect) -> bool:
    """Whether too much of it is unseen, and no less where a move is narrow: that is neither a curve nor a kink."""
    if effect.whole < NOTHING * effect.size:
        return False
    return effect.share > LARGEST and of_wider.share > LARGEST and effect.share > LASTS * of_wider.share


def _years(game: ArithmeticGame) -> Iterator[tuple[State, tuple[Tensor, Tensor], State]]:
    """States, both sides' outputs all over their ranges and shocks of the first years."""
    random = np.random.default_rng(0)
    state = tensors(game.first_state(random, game.n_games), DOUBLE)
    for year in range(YEARS):
        shocks = tensors(game.shocks(random, np.full(game.n_games, year, dtype=np.int64)), DOUBLE)
        told = random.uniform(-REACH, REACH, (game.n_games, 1, len(game.instruments)))
        output = random.uniform(-REACH, REACH, (game.n_games, game.n_followers, len(game.decisions)))
        acts = torch.as_tensor(told), torch.as_tensor(output)
        yield state, acts, shocks
        state = dict(_advanced(game, state, *acts, shocks).state)


def _advanced(game: ArithmeticGame, state: State, told: Tensor, output: Tensor, shocks: State) -> Outcome:
    leader = Side.of(game.leader_scaling, game.leader_action_space, DOUBLE)
    follower = Side.of(game.follower_scaling, game.follower_action_space, DOUBLE)
    return game.advance(state, leader.natural(told), follower.natural(output), shocks, plain_mean)


def _played(game: ArithmeticGame, state: State, told: Tensor, output: Tensor, shocks: State) -> Numbers:
    """All numbers that come out of a year, by name."""
    outcome = _advanced(game, state, told, output, shocks)
    numbers = {"leader's reward": outcome.leader_reward, "follower's reward": outcome.follower_reward}
    numbers |= {f"'{name}'": x for name, x in outcome.state.items()}
    return {name: x.to(DOUBLE.dtype) for name, x in numbers.items()}


def _moves(game: ArithmeticGame, state: State, told: Tensor, output: Tensor, shocks: State) -> dict[str, Moved]:
    """A year in which one thing is moved, by what is moved."""

    def instrument(k: int) -> Moved:
        along = torch.eye(told.shape[-1], dtype=told.dtype)[k]
        return lambda move: _played(game, state, told + move * along, output, shocks)

    def decision(k: int) -> Moved:
        along = torch.eye(output.shape[-1], dtype=output.dtype)[k]
        return lambda move: _played(game, state, told, output + move * along, shocks)

    def carried(name: str) -> Moved:
        return lambda move: _played(game, {**state, name: state[name] * (1 + move)}, told, output, shocks)

    moves = {f"{INSTRUMENT} '{name}'": instrument(k) for k, name in enumerate(game.instruments) if game.governed}
    moves |= {f"decision '{name}'": decision(k) for k, name in enumerate(game.decisions)}
    return moves | {f"carried '{name}'": carried(name) for name in carried_names(game)}


def _effects(move: Moved, width: float) -> dict[str, Effect]:
    """What a move to either side does to each number, and how much of it is neither derivative's, per unit moved."""
    (below, slopes_below), (above, slopes_above) = (_with_slopes(move, sign * width) for sign in (-1.0, 1.0))
    found = {}
    for name, low in below.items():
        whole = (above[name] - low) / (2 * width)
        seen = (slopes_below[name] + slopes_above[name]) / 2
        known = whole.isfinite() & seen.isfinite()
        found[name] = Effect(*(float(x[known].abs().sum()) for x in (low, whole, whole - seen)))
    return found


def _with_slopes(move: Moved, by: float) -> tuple[Numbers, Numbers]:
    """What comes out of a year in which something is moved `by` so much, and its derivatives in that."""
    moved = torch.full((), by, dtype=DOUBLE.dtype, requires_grad=True)
    numbers = move(moved)
    slopes = {name: _slopes(x, moved) for name, x in numbers.items()}
    return {name: x.detach() for name, x in numbers.items()}, slopes


def _slopes(x: Tensor, moved: Tensor) -> Tensor:
    """dx/dmoved, of x's shape, of the one number `moved` (): the derivative of v x in it is linear in v."""
    v = torch.zeros_like(x, requires_grad=True)
    if not x.requires_grad:
        return v.detach()
    (whole,) = torch.autograd.grad(x, moved, v, create_graph=True, materialize_grads=True)
    if not whole.requires_grad:  # of a step function, which has no slope
        return v.detach()
    (slopes,) = torch.autograd.grad(whole, v, retain_graph=True, materialize_grads=True)
    return slopes
