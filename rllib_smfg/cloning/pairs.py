"""State-action pairs in network units: what an economy's follower observes, and what it should do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from gymnasium.spaces import Box
from torch import Tensor

from envs.economy.ability import AbilityDraws, ability_of_education
from envs.economy.game import Economy
from envs.economy.observation import observe
from envs.economy.parameters import Abilities
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


def cloned_box(game: Economy) -> Box:
    """The followers' actions on their natural scale: hours are 0 or full-time, which log odds would tear apart."""
    space = game.follower_action_space
    return Box(space.low, space.high, dtype=np.float64)


def observed(game: Economy, households: Households, random: np.random.Generator) -> Array:
    """Observations (R, df) of the households, all in one economy, by the laws that make its first year.

    Where abilities are education codes they are those of the survey, without the draw that moves them in a game.
    """
    parameters, laws = game.parameters, game.parameters.laws
    education, assets, income = (x[None] for x in (households.education, households.assets, households.income))
    abilities: Abilities = education, np.zeros(education.shape, dtype=bool)
    if laws.first_ability is not ability_of_education:
        draws = AbilityDraws.sample(random, 1, len(households))
        abilities = laws.first_ability(parameters, education, income, draws)
    states: Array = observe(parameters, laws.initial_state(parameters, *abilities, assets, income)).follower[0]
    return states


def pairs(game: Economy, households: Households, targets: Targets, states: Array) -> Pairs:
    """What the households observe, with their actions clipped to what the game allows."""
    return _in_network_units(game, states, targets(game.parameters, households))


def pairs_beyond(
    game: Economy, households: Households, targets: Targets, states: Array, n: int, random: np.random.Generator
) -> Pairs:
    """n pairs where no household was surveyed: the richest hundredth acts as it does, however rich and able it gets.

    Half of them keep their ability. Without these pairs a network would go wherever its last slopes lead.
    """
    richest = households.assets >= np.quantile(households.assets, 0.99)
    rich, states = households.where(richest), states[richest]
    chosen = random.integers(len(rich), size=n)
    states, actions = states[chosen], targets(game.parameters, rich)[chosen]
    states[:, 1] = states[:, 1] * np.exp(random.uniform(0.0, np.log(LARGEST_GROWTH), n))
    low, high = np.log(ABILITIES)
    states[: n // 2, 0] = np.exp(random.uniform(low, high, n // 2))
    return _in_network_units(game, states, actions)


def _in_network_units(game: Economy, states: Array, actions: Array) -> Pairs:
    box = cloned_box(game)
    unit = to_unit(np.clip(actions, box.low, box.high), box)
    return Pairs(torch.from_numpy(features(states, game.follower_scaling)), torch.from_numpy(unit))
