"""Games as tensors: the numpy game draws starts and shocks, torch plays and differentiates its years."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from envs.arithmetic import ArithmeticGame, Arrays
from rllib_smfg.structural.together import Together

State = dict[str, Tensor]


def tensors(arrays: Arrays, like: Tensor) -> State:
    """Arrays by name as tensors; floating ones in the dtype of `like`, all on its device."""
    found = {}
    for name, x in arrays.items():
        tensor = torch.as_tensor(np.asarray(x))
        floating = tensor.is_floating_point()
        found[name] = tensor.to(device=like.device, dtype=like.dtype if floating else tensor.dtype)
    return found


def part(state: Mapping[str, Tensor], games: slice) -> State:
    """A state, or shocks, of some of the games."""
    return {name: x[games] for name, x in state.items()}


def detached(state: Mapping[str, Tensor]) -> State:
    """A state without what led to it."""
    return {name: x.detach() for name, x in state.items()}


def price_takers_mean(x: Tensor) -> Tensor:
    """The mean (B, 1) as nobody's own doing."""
    return x.detach().mean(-1, keepdim=True)


def own_share_mean(x: Tensor, followers: int) -> Tensor:
    """The mean as each of N households moves it, (B, N): the others' part is given, its own share is 1/N."""
    given = x.detach()
    return given.mean(-1, keepdim=True) + (x - given) / followers


class Economies:
    """B games of staggered ages that are played on and on, so that a batch holds young and old ones.

    Half of them live for the game's horizon, the others for as long as a future counts (geometric with the discount),
    so that starts and long runs are both seen. `luck` is the one random stream of starts, shocks and ages.
    A learner among several has the ages of all games, and the state and shocks of its `own`.
    """

    def __init__(self, game: ArithmeticGame, seed: Any, like: Tensor, together: Together | None = None) -> None:
        self.game, self.like, self.together = game, like, together or Together()
        self.own = self.together.own(game.n_games)
        self.luck = np.random.default_rng(seed)
        self.whole = tensors(game.first_state(self.luck, game.n_games), like)  # of all games, when last told
        self.state = part(self.whole, self.own)
        self.lives = self._lifetimes(game.n_games)
        self.age = (self.luck.random(game.n_games) * self.lives).astype(np.int64)
        self.fresh = np.ones(game.n_games, dtype=bool)  # games that have just begun, whose offsets are to be drawn

    def shocks(self) -> State:
        """This year's shocks."""
        drawn = self.game.shocks(self.luck, self.age)
        return tensors({name: x[self.own] for name, x in drawn.items()}, self.like)

    def move_on(self, following: Mapping[str, Tensor], ended: Tensor | None) -> None:
        """Goes on from the state that followed; games that ended, failed or are old enough start anew."""
        self.age += 1
        state = detached(following)
        failed = ~_finite(state)
        if ended is not None:
            failed = failed | ended[:, 0]
        over = (self.age >= self.lives) | self.together.each(failed).flatten().cpu().numpy()
        self.fresh = over
        (which,) = over.nonzero()
        if which.size:
            (mine,) = ((which >= self.own.start) & (which < self.own.stop)).nonzero()
            drawn = self.game.first_state(self.luck, which.size)
            begun = tensors({name: x[mine] for name, x in drawn.items()}, self.like)
            index = torch.as_tensor(which[mine] - self.own.start, device=self.like.device)
            state = {name: x.index_copy(0, index, begun[name]) for name, x in state.items()}
            self.age[which] = 0
            self.lives[which] = self._lifetimes(which.size)
        self.state = state

    def tell(self) -> None:
        """Brings together where play stands in all learners' games, for `get_state`, which asks one of them alone."""
        self.whole = {name: self.together.each(x).flatten(0, 1) for name, x in self.state.items()}

    def get_state(self) -> dict[str, Any]:
        """Where play stands, in all games; with several learners as of the last `tell`."""
        if self.together.size == 1:
            self.tell()
        return {
            "state": {name: x.cpu() for name, x in self.whole.items()},
            "age": self.age.copy(),
            "lives": self.lives.copy(),
            "fresh": self.fresh.copy(),
            "luck": self.luck.bit_generator.state,
        }

    def set_state(self, known: dict[str, Any]) -> None:
        """Goes back to a state from `get_state`."""
        self.whole = {name: x.to(self.like.device) for name, x in known["state"].items()}
        self.state = part(self.whole, self.own)
        self.age, self.lives, self.fresh = known["age"].copy(), known["lives"].copy(), known["fresh"].copy()
        self.luck.bit_generator.state = known["luck"]

    def _lifetimes(self, games: int) -> np.ndarray:
        discount = self.game.discount
        counted = self.luck.geometric(max(1 - discount, 1e-3), games)
        whole = self.luck.random(games) < 0.5
        return np.where(whole, self.game.horizon, np.minimum(counted, self.game.horizon))


def _finite(state: State) -> Tensor:
    """Games (B,) in which every number is one."""
    whole = [x.isfinite().flatten(1).all(1) for x in state.values() if x.is_floating_point()]
    return torch.stack(whole).all(0)
