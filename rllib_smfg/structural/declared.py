"""Whether a game does what it declares: a wrong declaration would be learned from without a word.

What followers carry on, and that they take means as given, cannot be seen in what is learned; it can be seen in the
derivatives of one year.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial

import numpy as np
import torch
from torch import Tensor

from envs.arithmetic import ArithmeticGame, Mean, Outcome, plain_mean
from envs.game import InvalidSetting
from envs.registry import nearest
from rllib_smfg.structural.economies import State, own_share_mean, price_takers_mean, tensors
from rllib_smfg.structural.households import carried_names, saving_decisions, several
from rllib_smfg.structural.sides import Side

DOUBLE = torch.zeros((), dtype=torch.float64)
NOTHING = 1e-12  # of the largest derivative: rounding
YEARS = 4
REWARD, SEEN = "reward", "observed {}"
LEFT = 0.05  # of what a decision does, in discounted years: what may lie beyond the years that are seen


def check_declarations(game: ArithmeticGame, window_years: int) -> None:
    """Raises InvalidSetting, in one line, where a game's class attributes are not what its arithmetic does.

    window_years: of own play, after which a decision's consequences count by what is carried alone.
    """
    _check_names(game)
    first = tensors(game.first_state(np.random.default_rng(0), game.n_games), DOUBLE)
    _check_shapes(game, first, _year(game, first, plain_mean, 0)[1])
    if game.n_followers > 1:  # one follower's numbers cannot be told from the game's
        slopes = _slopes_of_what_is_own(game, first)
        _check_that_others_count_by_means_alone(game, slopes)
        states = {name: each for name, each in slopes.items() if name in first}
        _check_what_is_carried(game, states)
        _check_that_nothing_else_lasts(game, states, slopes[REWARD], window_years)


def _check_names(game: ArithmeticGame) -> None:
    boxes = {
        "leader_observes": game.leader_observation_space,
        "instruments": game.leader_action_space,
        "follower_observes": game.follower_observation_space,
        "decisions": game.follower_action_space,
    }
    for attribute, box in boxes.items():
        names, size = getattr(game, attribute), int(np.prod(box.shape))
        if len(names) != size:
            raise InvalidSetting(f"game '{game.name}': {attribute} names {len(names)}, and its box has {size}")
    for name in several(game.saved_by):
        if name not in game.decisions:
            raise InvalidSetting(f"game '{game.name}': saved_by = {name!r}{nearest(name, list(game.decisions))}")


def _year(game: ArithmeticGame, state: State, mean: Mean, year: int) -> tuple[Tensor, Outcome]:
    """Followers' outputs (B, N, af) somewhere near the middle of their range, and what their year comes to."""
    random = np.random.default_rng(year)
    shocks = tensors(game.shocks(random, np.full(game.n_games, year, dtype=np.int64)), DOUBLE)
    leader = Side.of(game.leader_scaling, game.leader_action_space, DOUBLE)
    follower = Side.of(game.follower_scaling, game.follower_action_space, DOUBLE)
    told = torch.as_tensor(random.uniform(-0.1, 0.1, (game.n_games, 1, len(game.instruments))))
    u = torch.as_tensor(random.uniform(-0.1, 0.1, (game.n_games, game.n_followers, len(game.decisions))))
    u.requires_grad_()
    try:
        return u, game.advance(state, leader.natural(told), follower.natural(u), shocks, mean)
    except (TypeError, AttributeError, RuntimeError) as error:
        what = next(iter(str(error).splitlines()), type(error).__name__)
        raise InvalidSetting(
            f"game '{game.name}': advance cannot be played by torch: {what}; use what numpy and torch both have,"
            " as by envs.arithmetic.namespace"
        ) from error


def _slopes_of_what_is_own(game: ArithmeticGame, first: State) -> dict[str, Slopes]:
    """Of followers' rewards, of each state that is theirs, and of what they see; some only move after a year or two."""
    mean = price_takers_mean if game.price_taking else partial(own_share_mean, followers=game.n_followers)
    own = [name for name, x in first.items() if x.shape[1:] == (game.n_followers,) and x.is_floating_point()]
    found = {name: Slopes() for name in (REWARD, *own, *map(SEEN.format, game.follower_observes))}
    state = first
    for year in range(YEARS):
        entering = {name: x.detach().requires_grad_(name in own) for name, x in state.items()}
        u, outcome = _year(game, entering, mean, year)
        _, seen = game.observe(entering, mean)
        met = {REWARD: outcome.follower_reward} | {name: outcome.state[name] for name in own}
        met |= {SEEN.format(name): x for name, x in zip(game.follower_observes, seen, strict=True)}
        for name, x in met.items():
            found[name].add(x, u, {each: entering[each] for each in own})
        with torch.no_grad():
            state = dict(_year(game, state, plain_mean, year)[1].state)
    return found


def _check_shapes(game: ArithmeticGame, state: State, outcome: Outcome) -> None:
    """What a year hands on is what the next is handed."""
    following = {name: tuple(x.shape) for name, x in outcome.state.items()}
    before = {name: tuple(x.shape) for name, x in state.items()}
    if following != before:
        raise InvalidSetting(f"game '{game.name}': a year hands on {following}, and was handed {before}")
    rewards = {
        "leader_reward": (outcome.leader_reward, 1),
        "follower_reward": (outcome.follower_reward, game.n_followers),
    }
    for name, (reward, width) in rewards.items():
        right = (game.n_games, width)
        if tuple(reward.shape) != right:
            raise InvalidSetting(f"game '{game.name}': {name} has shape {tuple(reward.shape)}, and must have {right}")


def _check_that_others_count_by_means_alone(game: ArithmeticGame, found: Mapping[str, Slopes]) -> None:
    """In nothing that is one follower's has what another does or owns a derivative that `mean` did not take out."""
    for name, slopes in found.items():
        if slopes.of_others:
            raise InvalidSetting(
                f"game '{game.name}': one follower's {name} moves with what another does or owns, other than by the"
                " function `mean` that the game is handed: take every mean over followers by it"
            )


def _check_what_is_carried(game: ArithmeticGame, states: Mapping[str, Slopes]) -> None:
    """`carried` are states that followers' own decisions move, `saved_by` decisions that do; without, there are none.

    states: what moves each state that is a follower's own.
    """
    moved, names = [name for name, slopes in states.items() if slopes.of_decisions], carried_names(game)
    if not names:
        if moved:
            raise InvalidSetting(
                f"game '{game.name}': followers move their own '{moved[0]}', and carried is None, so that they would"
                f" be learned as if it meant nothing to them; say carried = '{moved[0]}'"
            )
        return
    for name in names:
        if name not in states:
            raise InvalidSetting(f"game '{game.name}': carried = {name!r}{nearest(name, list(states))}")
        if name not in moved:
            raise InvalidSetting(f"game '{game.name}': carried = '{name}', which no decision of followers moves")
    saving = saving_decisions(game)
    if len(set(saving)) < len(names) or len(saving) > len(names) or max(saving) >= len(game.decisions):
        raise InvalidSetting(
            f"game '{game.name}': carried names {len(names)}, so that saved_by must name {len(names)} different"
            f" decisions of {', '.join(game.decisions)}"
        )
    for name, k in zip(names, saving, strict=True):
        moving = sorted(states[name].of_decisions)
        if k not in moving:
            raise InvalidSetting(
                f"game '{game.name}': '{game.decisions[k]}' does not move '{name}';"
                f" say saved_by = '{game.decisions[moving[0]]}'"
            )


def _check_that_nothing_else_lasts(
    game: ArithmeticGame, states: Mapping[str, Slopes], reward: Slopes, window_years: int
) -> None:
    """A state that followers move, and that means something to them, is carried, or over within the window's years."""
    names = carried_names(game)
    meant = _that_mean_something(states, reward)
    for name, slopes in states.items():
        kept = game.discount * slopes.of_states.get(name, 0.0)
        left = kept**window_years
        if name in names or name not in meant or not slopes.of_decisions or left < LEFT:
            continue
        years = math.ceil(math.log(LEFT) / math.log(kept)) if kept < 1 else game.horizon
        both = tuple(sorted({*names, name}, key=list(states).index))
        raise InvalidSetting(
            f"game '{game.name}': followers move their own '{name}' too, of whose worth {min(left, 1.0):.0%} comes"
            f" after the {window_years} years of own play that they see; say carried = {both}, with a decision in"
            f" saved_by for each, or window_years = {years}"
        )


def _that_mean_something(states: Mapping[str, Slopes], reward: Slopes) -> set[str]:
    """The states that move a reward, or another state that does."""
    meant = set(reward.of_states)
    for _ in states:
        meant |= {other for name in meant if name in states for other in states[name].of_states}
    return meant


class Slopes:
    """What moves a number of each follower's: whether others' decisions do, which of its own (their places), and by how
    much its own states, in the mean.
    """

    def __init__(self) -> None:
        self.of_others, self.of_decisions, self.of_states = False, set[int](), dict[str, float]()

    def add(self, x: Tensor, u: Tensor, states: Mapping[str, Tensor]) -> None:
        """Takes in the derivatives of x (B, N) in all outputs u (B, N, af) and in followers' states (B, N)."""
        whole = _slope(x, u)
        self.of_decisions |= {k for k in range(u.shape[-1]) if _any(whole[..., k], whole)}
        for each in (u, *states.values()):
            first = _slope(x[:, 0], each)
            self.of_others |= _any(first[:, 1:], first)
        for name, state in states.items():
            size = float(_slope(x, state).abs().mean())
            if size > NOTHING:
                self.of_states[name] = max(size, self.of_states.get(name, 0.0))


def _slope(x: Tensor, u: Tensor) -> Tensor:
    """d(sum x)/du, of the shape of u, 0 where it is no number."""
    if not x.requires_grad:
        return torch.zeros_like(u)
    (slope,) = torch.autograd.grad(x.sum(), u, retain_graph=True, allow_unused=True, materialize_grads=True)
    return torch.nan_to_num(slope, 0.0, 0.0, 0.0)


def _any(some: Tensor, whole: Tensor) -> bool:
    """Whether any of them is more than rounding."""
    return bool((some.abs() > NOTHING * whole.abs().max().clamp_min(NOTHING)).any())
