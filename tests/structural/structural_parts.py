"""Small games in double precision, exact rules as network outputs, and a learner that is hardly any work."""

from __future__ import annotations

import shutil
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box
from torch import Tensor, nn

import envs
from envs.arithmetic import ArithmeticGame
from envs.game import Array
from envs.scaling import coordinate
from rllib_smfg.networks import SmoothActor
from rllib_smfg.rllib.game_config import ASKED_FOLLOWERS, ASKED_GAMES
from rllib_smfg.rule import RuleActor, responding
from rllib_smfg.structural.learner import StructuralLearner
from rllib_smfg.structural.settings import StructuralSettings
from rllib_smfg.structural.sides import Side

DOUBLE = torch.zeros(1, dtype=torch.float64)
MANY = {"games": ASKED_GAMES, "followers": ASKED_FOLLOWERS}
needs_compiler = pytest.mark.skipif(not (shutil.which("g++") or shutil.which("clang++")), reason="no C++ compiler here")


def built(name: str, **settings: Any) -> ArithmeticGame:
    game = envs.make(name, **settings)
    assert isinstance(game, ArithmeticGame)
    return game


def sides(game: ArithmeticGame, like: Tensor = DOUBLE) -> tuple[Side, Side]:
    return (
        Side.of(game.leader_scaling, game.leader_action_space, like),
        Side.of(game.follower_scaling, game.follower_action_space, like),
    )


def outputs(action: Array, box: Box) -> Tensor:
    """Natural actions (..., a) as network outputs u, in double precision."""
    low, high = coordinate(box.low, box), coordinate(box.high, box)
    return torch.from_numpy(2 * (coordinate(action, box) - low) / (high - low) - 1)


def networks(game: ArithmeticGame, hidden: tuple[int, ...] = (8,), seed: int = 0) -> tuple[nn.Module, nn.Module]:
    """A leader's and a followers' network that are far from constant, in double precision.

    They begin in the middle of their ranges; in an economy, where it holds for some years.
    """
    torch.manual_seed(seed)
    first: tuple[list[float] | None, list[float] | None] = (None, None)
    if game.name == "economy":
        first = ([0.3, 0.2, 0.01, 0.01, 0.15], [0.75, 0.4])
    leader = SmoothActor(len(game.leader_observes), 0, hidden, game.leader_action_space, first[0])
    seen = len(game.instruments)
    follower = SmoothActor(len(game.follower_observes), seen, hidden, game.follower_action_space, first[1])
    for network in (leader, follower):
        with torch.no_grad():
            network.last.weight.mul_(5.0)
    return leader.double(), follower.double()


def constant_rule(game: ArithmeticGame, u: list[float]) -> RuleActor:
    """A leader that always does u, in network units."""
    rule = RuleActor(len(game.leader_observes), game.leader_action_space, None, None).double()
    with torch.no_grad():
        rule.constant.copy_(torch.tensor(u, dtype=torch.float64))
    return rule


def columns(x: Any) -> list[Any]:
    """Actions (..., a) one by one."""
    return [np.asarray(x[..., k]) for k in range(x.shape[-1])]


def learner(
    name: str,
    settings: StructuralSettings,
    seed: int = 1,
    starts: Any = (None, None),
    rule: Any = None,
    device: str = "cpu",
    **game: Any,
) -> StructuralLearner:
    make_game = partial(built, name, **game)
    one = make_game(games=1)
    torch.manual_seed(seed)
    leader: nn.Module
    if settings.leader_policy == "rule":
        responds = responding(rule or {}, one.instruments, one.leader_observes)
        leader = RuleActor(len(one.leader_observes), one.leader_action_space, starts[0], responds)
    else:
        leader = SmoothActor(len(one.leader_observes), 0, settings.hidden, one.leader_action_space, starts[0])
    seen, af = len(one.follower_observes), len(one.instruments)
    follower = SmoothActor(seen, af, settings.hidden, one.follower_action_space, starts[1])
    return StructuralLearner(made(make_game), leader.to(device), follower.to(device), settings, seed)


def made(make_game: Any) -> Any:
    """As RLlib's learner makes its games: followers may be fewer than the game's."""

    def make(games: int, followers: int | None = None) -> ArithmeticGame:
        game = make_game(games=games) if followers is None else make_game(**{"games": games, "followers": followers})
        assert isinstance(game, ArithmeticGame)
        return game

    return make


QUICK = {
    "updates": 8,
    "follower_steps": 2,
    "economies": 4,
    "hidden": (8,),
    "household_years": 2000,
    "compile_paths": False,  # takes longer than a test
}


def traced(program: Any, **_: Any) -> Any:
    """In the place of `torch.compile`, which takes longer than a test: the trace that it would compile."""
    return program
