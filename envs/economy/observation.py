"""What the two sides see of a state, and how learners scale it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

import numpy as np

from envs.economy.arrays import Total, total
from envs.economy.indicators import Groups, group_means, group_means_by_rank, mean_of_some, ranked_groups
from envs.economy.parameters import EconomyParameters
from envs.economy.shocks import productivity_spread
from envs.economy.state import EconomyState
from envs.game import Array, Observations
from envs.scaling import FeatureScaling


def observe(parameters: EconomyParameters, state: EconomyState) -> Observations:
    """Leader (B, 6 + n): mean assets of the richest 10 %, mean income and mean ability of the top 10 % by income,
    the same three for the bottom 50 %, then what else the preset lets it see. Follower (B, N, 2 + n): own ability and
    assets, then what else it sees of its game. Both see productivity last, where it moves.
    """
    groups = Groups.of(state.assets.shape[-1], parameters.top_share, parameters.bottom_share)
    assets, income = group_means(groups, state.ascending_assets), group_means(groups, state.ascending_income)
    ability = group_means_by_rank(groups, state.ability, state.income, state.ascending_income)
    laws, more = parameters.laws, parameters.everybody_sees
    shared = [seen(parameters, state, name, total) for name in laws.follower_sees + more]
    households = np.empty((*state.assets.shape, 2 + len(shared)), dtype=state.assets.dtype)
    for k, number in enumerate((state.ability, state.assets, *shared)):
        households[..., k] = number
    known = [assets[0], income[0], ability[0], assets[1], income[1], ability[1]]
    known += [seen(parameters, state, name, total) for name in laws.leader_sees + more]
    return Observations(np.concatenate(known, axis=-1).astype(state.assets.dtype, copy=False), households)


# means over households that are seen, and what they are means of
MEANS = {"mean_income": "income", "mean_assets": "assets"}


def seen(parameters: EconomyParameters, state: EconomyState, name: str, total: Total) -> Array:
    """What is seen under a name: of a game, (B, 1), or of households, (B, N)."""
    if name in MEANS:
        x = getattr(state, MEANS[name])
        mean: Array = total(x) / x.shape[-1]
        return mean
    number: Array = state.tfp / parameters.tfp if name == "productivity" else getattr(state, name)
    return number


# what the leader sees of groups, in every preset: (name, what it is a mean of, what the households are ranked by)
GROUP_MEANS = (("assets", "assets"), ("income", "income"), ("ability", "income"))
GROUPS = ("top", "bottom")


def leader_names(parameters: EconomyParameters) -> tuple[str, ...]:
    """Names of what the leader sees, in order."""
    groups = tuple(f"{group}_{name}" for group in GROUPS for name, _ in GROUP_MEANS)
    return groups + parameters.laws.leader_sees + parameters.everybody_sees


def follower_names(parameters: EconomyParameters) -> tuple[str, ...]:
    """Names of what a follower sees, in order."""
    return ("ability", "assets", *parameters.laws.follower_sees, *parameters.everybody_sees)


class Seen(Sequence[Any]):
    """Numbers worked out when they are looked at: a rule that sees debt alone needs no ranking of households."""

    def __init__(self, laws: Sequence[Callable[[], Any]]) -> None:
        self._laws = [cache(law) for law in laws]

    def __len__(self) -> int:
        return len(self._laws)

    def __getitem__(self, k: Any) -> Any:
        return [law() for law in self._laws[k]] if isinstance(k, slice) else self._laws[k]()


def leader_sees(parameters: EconomyParameters, state: EconomyState, total: Total) -> Seen:
    """What the leader sees, (B, 1) each, of a state whose households are not sorted."""
    groups = Groups.of(state.assets.shape[-1], parameters.top_share, parameters.bottom_share)

    @cache
    def ranked(by: str) -> Any:
        return ranked_groups(groups, getattr(state, by))

    def mean(which: int, name: str, by: str) -> Any:
        count = (groups.top, groups.bottom)[which]
        return mean_of_some(getattr(state, name), ranked(by)[which], count, total)

    laws: list[Callable[[], Any]] = []
    for which in range(len(GROUPS)):
        laws += [partial(mean, which, name, by) for name, by in GROUP_MEANS]
    laws += [partial(seen, parameters, state, name, total) for name in leader_names(parameters)[len(laws) :]]
    return Seen(laws)


def follower_sees(parameters: EconomyParameters, state: EconomyState, total: Total) -> Seen:
    """What a follower sees: its own ability and assets, (B, N) each, and of its game, (B, 1) each."""
    return Seen([partial(seen, parameters, state, name, total) for name in follower_names(parameters)])


def leader_scaling(parameters: EconomyParameters) -> FeatureScaling:
    """How the leader's observation is scaled."""
    if parameters.laws.leader_scales is not None:
        scales = [*parameters.laws.leader_scales, *(_scale(parameters, name) for name in parameters.everybody_sees)]
        return FeatureScaling.log(*zip(*scales, strict=True))
    groups = ("dollars", "dollars", "ability") * 2
    return _scaling(parameters, groups + leader_names(parameters)[len(groups) :])


def follower_scaling(parameters: EconomyParameters) -> FeatureScaling:
    """How a follower's observation is scaled."""
    return _scaling(parameters, ("ability", "dollars", *follower_names(parameters)[2:]))


def _scaling(parameters: EconomyParameters, observed: tuple[str, ...]) -> FeatureScaling:
    return FeatureScaling.log(*zip(*(_scale(parameters, name) for name in observed), strict=True))


def _scale(parameters: EconomyParameters, name: str) -> tuple[float, float, float]:
    if name == "productivity":
        unit = 0.01
        return unit, float(np.log1p(1 / unit)), productivity_spread(parameters)
    return parameters.laws.scales[name]
