"""What a government could still gain while households answer as they do: pathwise ascent and paired search."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from envs.arithmetic import ArithmeticGame
from rllib_smfg.rule import RuleActor
from rllib_smfg.structural.paths import Act, Luck, Play, draw_luck, path_years, returns
from rllib_smfg.structural.sides import Side

Network = TypeVar("Network", bound=nn.Module)
CONFIDENCE = 1.96
TAIL = 0.002
START_SPREAD = 0.05  # of the second and third start, in network units


@dataclass(frozen=True)
class LeaderGain:
    """The best of several searches: its gain over the learned leader on fresh luck.

    gain, low, high: in per cent of all consumption (95 % interval over paired games); starts: the gain of each start,
    searched by derivatives from the learned leader and from two places near it, and by paired differences.
    """

    gain: float
    low: float
    high: float
    starts: dict[str, float]
    years: int
    games: int


def leader_gain(
    make_game: Callable[..., ArithmeticGame],
    leader: nn.Module,
    follower: nn.Module,
    seed: int,
    utility_unit: float,
    *,
    steps: int = 8,
    rate: float = 0.02,
    games: int = 4,
    judged: int = 8,
    tail: float = TAIL,
) -> LeaderGain:
    """Searches for a better leader against frozen households, and judges what is found on luck of its own.

    make_game(games=): the economy. utility_unit: of its rewards, which turns differences of reward into consumption.
    tail: the share of a path's discounted weight that is cut off; of a path that ends while something is still owned, a
    leader gains by using it up.
    """
    judging = LeaderPaths(make_game(games=judged), follower.requires_grad_(False), like_of(follower), tail)
    fresh = judging.luck([seed, 1])
    own = judging.worth(leader, fresh)
    searching = LeaderPaths(make_game(games=games), follower, like_of(follower), tail)
    leaders = better_leaders(searching, leader, seed, steps, rate)
    found = {name: judging.worth(better, fresh) - own for name, better in leaders.items()}
    best = max(found.values(), key=_mean_or_worst)
    differences = 100 * np.expm1(utility_unit * best.numpy().astype(np.float64))
    reach = CONFIDENCE * differences.std(ddof=1) / np.sqrt(len(differences))
    # the learned leader itself is one of the answers; where no search ends in numbers, nothing is certified
    gain = float(np.maximum(0.0, differences.mean()))
    return LeaderGain(
        gain,
        float(differences.mean() - reach),
        float(differences.mean() + reach),
        {name: float(100 * np.expm1(utility_unit * float(each.mean()))) for name, each in found.items()},
        judging.years,
        judged,
    )


def better_leaders(
    paths: LeaderPaths, leader: nn.Module, seed: int, steps: int = 8, rate: float = 0.02
) -> dict[str, nn.Module]:
    """Leaders that are worth more on some paths than a learned one is, by the search that found them."""
    random = torch.Generator().manual_seed(seed)
    starts = {"derivatives": leader}
    for k in (1, 2):
        starts[f"derivatives, start {k + 1}"] = _moved(leader, random)
    luck = paths.luck([seed, 2])
    found = {name: paths.climbed(start, luck, steps, rate) for name, start in starts.items()}
    if isinstance(leader, RuleActor):
        found["paired search"] = paths.searched(leader, paths.luck([seed, 3]), rate)
    return found


def ascended(network: Network, worth: Callable[[Network], Tensor], steps: int, rate: float) -> Network:
    """A copy after so many steps of Adam up its worth (), at a rate that falls to 0; no step without finite slopes."""
    better = deepcopy(network).requires_grad_(True)
    optimizer = torch.optim.Adam(better.parameters(), lr=rate)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate * (1 - step / steps)
        loss = -worth(better)
        optimizer.zero_grad()
        loss.backward()
        if all(p.grad is None or bool(p.grad.isfinite().all()) for p in better.parameters()):
            optimizer.step()
    return better


def like_of(network: nn.Module) -> Tensor:
    """A number of the dtype, and on the device, of a network."""
    return next(network.parameters()).detach()


class LeaderPaths:
    """Paths of a game with frozen households, who answer features (B, N, df) and the leader's outputs (B, 1, al).

    tail: the share of a path's discounted weight that is cut off. selfish: whether the leader is worth what it is
    rewarded with, and not what the mean household is.
    """

    def __init__(
        self, game: ArithmeticGame, follower: Act, like: Tensor, tail: float = TAIL, selfish: bool = False
    ) -> None:
        self.game, self.follower, self.like, self.selfish = game, follower, like, selfish
        self.years = path_years(game.discount, tail, game.horizon, ends=False)
        self.sides = (
            Side.of(game.leader_scaling, game.leader_action_space, like),
            Side.of(game.follower_scaling, game.follower_action_space, like),
        )

    def luck(self, seed: Sequence[int]) -> Luck:
        """Starts and shocks of all the paths."""
        return draw_luck(self.game, seed, self.years, self.like)

    def reward(self, leader: nn.Module, luck: Luck) -> Tensor:
        """What the leader is worth, discounted, as an average year, (B,)."""
        places = leader.places() if isinstance(leader, RuleActor) else None
        play = Play(self.game, *self.sides, leader, self.follower, None, places, followers_learn=not self.selfish)
        found = returns(play, luck, self.game.discount)
        whole = sum(self.game.discount**k for k in range(len(luck.shocks)))
        if self.selfish:
            return (found.leader - found.strain) * self.game.leader_reward_scale / whole
        return (found.follower * self.game.follower_reward_scale - found.strain) / whole

    @torch.no_grad()
    def worth(self, leader: nn.Module, luck: Luck) -> Tensor:
        """`reward`, without a derivative."""
        return self.reward(leader, luck).cpu()

    def climbed(self, leader: nn.Module, luck: Luck, steps: int, rate: float) -> nn.Module:
        """The leader after so many steps of Adam up its own paths."""
        return ascended(leader, lambda better: self.reward(better, luck).mean(), steps, rate)

    def searched(self, leader: RuleActor, luck: Luck, width: float, rounds: int = 1) -> nn.Module:
        """The rule after moving each of its constants up or down where that is better, on common random numbers."""
        better = deepcopy(leader).requires_grad_(False)
        best = float(self.worth(better, luck).mean())
        for _ in range(rounds):
            for k in range(len(better.constant)):
                for sign in (1.0, -1.0):
                    better.constant[k] += sign * width
                    now = float(self.worth(better, luck).mean())
                    if now > best:
                        best = now
                        break
                    better.constant[k] -= sign * width
            width /= 2
        return better


def _mean_or_worst(differences: Tensor) -> float:
    """The mean, or the worst there is where it is no number: a search that ran away is not the best."""
    mean = float(differences.mean())
    return mean if np.isfinite(mean) else -np.inf


def _moved(leader: nn.Module, random: torch.Generator) -> nn.Module:
    moved = deepcopy(leader)
    with torch.no_grad():
        for parameter in moved.parameters():
            parameter.add_(START_SPREAD * torch.randn(parameter.shape, generator=random))
    return moved
