"""State-action pairs in network units: what an economy's follower observes, and what it should do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from envs.economy.game import Economy
from envs.game import Array
from rllib_smfg.cloning.households import Households
from rllib_smfg.cloning.targets import Targets
from rllib_smfg.networks import features, to_unit

# an economy leaves the survey: its assets grow by orders of magnitude, and abilities drift away from education codes
LARGEST_GROWTH, ABILITIES = 1e6, (0.1, 1e4)


@dataclass(frozen=True)
class Pairs:
    """`state` (R, df), features of order one; `action` (R, af), u in [-1, 1]."""

    state: Tensor
    action: Tensor

    def __len__(self) -> int:
        return len(self.state)

    def __add__(self, other: Pairs) -> Pairs:
        return Pairs(torch.cat([self.state, other.state]), torch.cat([self.action, other.action]))


def pairs(game: Economy, households: Households, targets: Targets) -> Pairs:
    """What the households observe in the game's first year, with their actions clipped to what the game allows."""
    states = _observed(game, households)
    actions = targets(game.parameters, households)
    return _in_network_units(game, states, actions)


def pairs_beyond(game: Economy, households: Households, targets: Targets, n: int, random: np.random.Generator) -> Pairs:
    """n pairs where no household was surveyed: the richest hundredth acts as it does, however rich and able it gets.

    Half of them keep their ability. Without these pairs a network would go wherever its last slopes lead.
    """
    rich = households.where(households.assets >= np.quantile(households.assets, 0.99))
    chosen = random.integers(len(rich), size=n)
    states, actions = _observed(game, rich)[chosen], targets(game.parameters, rich)[chosen]
    states[:, 1] = states[:, 1] * np.exp(random.uniform(0.0, np.log(LARGEST_GROWTH), n))
    low, high = np.log(ABILITIES)
    states[: n // 2, 0] = np.exp(random.uniform(low, high, n // 2))
    return _in_network_units(game, states, actions)


def _observed(game: Economy, households: Households) -> Array:
    """Observations (R, 2) of ability and assets, by the law that turns surveyed households into a first year."""
    ability, assets, income = (x[None] for x in (households.education, households.assets, households.income))
    no_superstar = np.zeros(ability.shape, dtype=bool)
    state = game.parameters.laws.initial_state(game.parameters, ability, no_superstar, assets, income)
    return np.stack([state.ability[0], state.assets[0]], -1)


def _in_network_units(game: Economy, states: Array, actions: Array) -> Pairs:
    box = game.follower_action_space
    unit = to_unit(np.clip(actions, box.low, box.high), box)
    return Pairs(torch.from_numpy(features(states, game.follower_scaling)), torch.from_numpy(unit))
