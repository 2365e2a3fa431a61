"""How earning ability moves: an autoregression in logs, and rare superstars (Mi et al., arXiv 2309.16307, sec. 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import ndtri

from envs.economy.arrays import Total, cast, change, namespace, place, positive, total
from envs.economy.parameters import Abilities, EconomyParameters
from envs.economy.state import EconomyState
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


def ability_of_education(
    parameters: EconomyParameters, education: Array, income: Array, draws: AbilityDraws
) -> Abilities:
    """Ability at the start is the education code, moved by one draw (presets `paper` and `taxai`), (B, N)."""
    return next_ability(parameters, education, np.zeros(education.shape, dtype=bool), draws)


def ability_of_earnings(
    parameters: EconomyParameters, education: Array, income: Array, draws: AbilityDraws
) -> Abilities:
    """Ability at the start has its stationary distribution, in the order of the survey's incomes, (B, N).

    The household of rank k = 0 .. N - 1 gets quantile (k + u) / N with a uniform u; the top quantiles are superstars.
    """
    households = income.shape[-1]
    quantile = (place(income) + draws.uniform) / households
    normal_share = 1 - superstar_share(parameters)
    superstar = quantile >= normal_share
    sd = stationary_sd(parameters)
    position = np.clip(quantile / normal_share, 1e-12, 1 - 1e-12)
    ability = np.exp(sd * ndtri(position) - sd**2 / 2)
    ability[superstar] = parameters.superstar_multiple
    return ability / mean_ability(parameters), superstar


def stationary_sd(parameters: EconomyParameters) -> float:
    """Standard deviation of normal log abilities in the long run: sd / sqrt(1 - persistence^2)."""
    return float(parameters.ability_sd / np.sqrt(1 - parameters.ability_persistence**2))


def superstar_share(parameters: EconomyParameters) -> float:
    """The share of superstars in the long run: entry / (entry + 1 - stay)."""
    entry, leave = parameters.superstar_entry, 1 - parameters.superstar_stay
    return entry / (entry + leave) if entry > 0 else 0.0


def mean_ability(parameters: EconomyParameters) -> float:
    """Mean ability in the long run where that of the normal households is 1: 1 + share (multiple - 1)."""
    return 1 + superstar_share(parameters) * (parameters.superstar_multiple - 1)


def drawn_after_choices(state: EconomyState, drawn: Abilities) -> Abilities:
    """Households choose before this year's ability is drawn, and work with it (presets `paper` and `taxai`)."""
    return drawn


def drawn_before_choices(state: EconomyState, drawn: Abilities) -> Abilities:
    """Households work with the ability they see when they choose (preset `calibrated`)."""
    return state.ability, state.superstar


def see_the_past(state: EconomyState, drawn: Abilities) -> EconomyState:
    """After a year households see the ability they worked with."""
    return state


def see_the_draw(state: EconomyState, drawn: Abilities) -> EconomyState:
    """After a year households see the ability they will work with."""
    return replace(state, ability=drawn[0], superstar=drawn[1])


def next_stationary_ability(
    parameters: EconomyParameters, ability: Array, superstar: BoolArray, draws: AbilityDraws, total: Total = total
) -> Abilities:
    """Ability of the new year and who is a superstar in it, (B, N) each, with mean ability 1 in the long run.

    Normal: log e' = rho log e + (1 - rho) m + sd eps, where m makes the mean of normal abilities 1 / `mean_ability`.
    Superstars have the same multiple of that mean; one that falls restarts from the normal households' long-run
    distribution. No household's ability depends on another's.
    """
    sd, unit = stationary_sd(parameters), mean_ability(parameters)
    centre = -(sd**2) / 2 - np.log(unit)
    rho, xp = parameters.ability_persistence, namespace(ability)
    normal = cast(draws.normal, ability)
    following = xp.exp(rho * xp.log(positive(ability)) + (1 - rho) * centre + parameters.ability_sd * normal)
    shining = xp.where(superstar, draws.uniform < parameters.superstar_stay, draws.uniform < parameters.superstar_entry)
    following = change(following, superstar & ~shining, lambda luck: xp.exp(sd * luck + centre), normal)
    following = change(following, shining, lambda _: parameters.superstar_multiple / unit, normal)
    return cast(following, ability), shining


def next_ability(
    parameters: EconomyParameters, ability: Array, superstar: BoolArray, draws: AbilityDraws, total: Total = total
) -> Abilities:
    """Ability of the new year and who is a superstar in it, (B, N) each.

    Normal: log e' = rho log e + sd eps. With probability p a normal household becomes a superstar; a superstar stays
    one with probability q. Either then has e' = 504.3 times the mean of the normal households' e; a superstar that
    falls restarts uniformly between the smallest and the largest normal e.
    """
    p, xp = parameters, namespace(ability)
    drift = p.ability_persistence * xp.log(positive(ability))
    following = xp.exp(drift + cast(p.ability_sd * draws.normal, ability))
    rises = draws.uniform < p.superstar_entry
    if xp is not np:
        shining = xp.where(superstar, draws.uniform < p.superstar_stay, rises)
        falls, others = superstar & ~shining, _among_others(parameters, ability, superstar, total)
        return xp.where(
            shining, _risen(p, others), xp.where(falls, _fallen(p, others, draws.uniform), following)
        ), shining
    if not (rises | superstar).any():
        return following, rises
    shining = np.where(superstar, draws.uniform < p.superstar_stay, rises)
    for game in np.flatnonzero((shining | superstar).any(axis=-1)):
        shines, falls = shining[game], superstar[game] & ~shining[game]
        normal = _normal_abilities(p, ability[game], superstar[game])
        others = normal.mean(dtype=np.float64), normal.min(), normal.max()
        following[game, shines] = _risen(p, others)
        following[game, falls] = _fallen(p, others, draws.uniform[game, falls])
    return following, shining


def _risen(parameters: EconomyParameters, others: Sequence[Any]) -> Any:
    """The ability of superstars, where mean, smallest and largest of the others' are given."""
    return parameters.superstar_multiple * others[0]


def _fallen(parameters: EconomyParameters, others: Sequence[Any], uniform: Array) -> Any:
    """The ability of those who fall: given that they do, their uniform number is itself uniform on [q, 1)."""
    along = (uniform - parameters.superstar_stay) / (1 - parameters.superstar_stay)
    return others[1] + along * (others[2] - others[1])


def _normal_abilities(parameters: EconomyParameters, ability: Array, superstar: BoolArray) -> Array:
    """Abilities of one game's normal households; where all are superstars, those a 504.3rd as able stand for them."""
    normal = ability[~superstar]
    return normal if normal.size else ability / parameters.superstar_multiple


def _among_others(parameters: EconomyParameters, ability: Any, superstar: Any, total: Total) -> Sequence[Any]:
    """Mean, smallest and largest of these, (B, 1) each, in torch."""
    xp, everybody = namespace(ability), superstar.all(dim=-1, keepdim=True)
    ability = xp.where(everybody, ability / parameters.superstar_multiple, ability)
    counts = ~superstar | everybody
    least = xp.where(counts, ability, float("inf")).amin(dim=-1, keepdim=True)
    most = xp.where(counts, ability, -float("inf")).amax(dim=-1, keepdim=True)
    return total(ability * counts) / total(cast(counts, ability)), least, most
