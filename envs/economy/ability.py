"""How earning ability moves: an autoregression in logs, and rare superstars (Mi et al., arXiv 2309.16307, sec. 3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from envs.economy.parameters import EconomyParameters
from envs.game import Array, BoolArray


@dataclass(frozen=True)
class AbilityDraws:
    """One year's luck, (B, N) each: standard normals, and uniforms on [0, 1)."""

    normal: Array
    uniform: Array

    @classmethod
    def sample(cls, rng: np.random.Generator, games: int, households: int) -> AbilityDraws:
        """Draws in float64 whatever the economy's dtype, so that the luck does not depend on it."""
        return cls(rng.standard_normal((games, households)), rng.random((games, households)))


def next_ability(
    parameters: EconomyParameters, ability: Array, superstar: BoolArray, draws: AbilityDraws
) -> tuple[Array, BoolArray]:
    """Ability of the new year and who is a superstar in it, (B, N) each.

    Normal: log e' = rho log e + sd eps. With probability p a normal household becomes a superstar; a superstar stays
    one with probability q. Either then has e' = 504.3 times the mean of the normal households' e; a superstar that
    falls restarts uniformly between the smallest and the largest normal e.
    """
    drift = parameters.ability_persistence * np.log(ability)
    following = np.exp(drift + (parameters.ability_sd * draws.normal).astype(ability.dtype, copy=False))
    rises = draws.uniform < parameters.superstar_entry
    if not (rises.any() or superstar.any()):
        return following, rises
    shining = np.where(superstar, draws.uniform < parameters.superstar_stay, rises)
    for game in np.flatnonzero((shining | superstar).any(axis=-1)):
        shines, falls = shining[game], superstar[game] & ~shining[game]
        normal = _normal_abilities(parameters, ability[game], superstar[game])
        following[game, shines] = parameters.superstar_multiple * normal.mean(dtype=np.float64)
        # given that it falls, a superstar's uniform number is itself uniform on [q, 1)
        place = (draws.uniform[game, falls] - parameters.superstar_stay) / (1 - parameters.superstar_stay)
        following[game, falls] = normal.min() + place * (normal.max() - normal.min())
    return following, shining


def _normal_abilities(parameters: EconomyParameters, ability: Array, superstar: BoolArray) -> Array:
    """Abilities of one game's normal households; where all are superstars, those a 504.3rd as able stand for them."""
    normal = ability[~superstar]
    return normal if normal.size else ability / parameters.superstar_multiple
