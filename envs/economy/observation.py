"""What the two sides see of a state, and how learners scale it."""

from __future__ import annotations

import numpy as np

from envs.economy.indicators import Groups, group_means, group_means_by_rank
from envs.economy.parameters import EconomyParameters
from envs.economy.state import State
from envs.game import Observations
from envs.scaling import FeatureScaling


def observe(parameters: EconomyParameters, state: State) -> Observations:
    """Leader (B, 6 + n): mean assets of the richest 10 %, mean income and mean ability of the top 10 % by income,
    the same three for the bottom 50 %, then what else the preset lets it see. Follower (B, N, 2 + n): own ability and
    assets, then what else it sees of its game.
    """
    groups = Groups.of(state.assets.shape[-1], parameters.top_share, parameters.bottom_share)
    assets, income = group_means(groups, state.ascending_assets), group_means(groups, state.ascending_income)
    ability = group_means_by_rank(groups, state.ability, state.income, state.ascending_income)
    shared = [getattr(state, name) for name in parameters.laws.follower_sees]
    households = np.empty((*state.assets.shape, 2 + len(shared)), dtype=state.assets.dtype)
    for k, known in enumerate((state.ability, state.assets, *shared)):
        households[..., k] = known
    seen = [assets[0], income[0], ability[0], assets[1], income[1], ability[1]]
    seen += [getattr(state, name) for name in parameters.laws.leader_sees]
    return Observations(np.concatenate(seen, axis=-1).astype(state.assets.dtype, copy=False), households)


def leader_scaling(parameters: EconomyParameters) -> FeatureScaling:
    """How the leader's observation is scaled."""
    if parameters.laws.leader_scales is not None:
        return FeatureScaling.log(*zip(*parameters.laws.leader_scales, strict=True))
    return _scaling(parameters, ("dollars", "dollars", "ability") * 2 + parameters.laws.leader_sees)


def follower_scaling(parameters: EconomyParameters) -> FeatureScaling:
    """How a follower's observation is scaled."""
    return _scaling(parameters, ("ability", "dollars", *parameters.laws.follower_sees))


def _scaling(parameters: EconomyParameters, observed: tuple[str, ...]) -> FeatureScaling:
    scales = [parameters.laws.scales[name] for name in observed]
    return FeatureScaling.log(*zip(*scales, strict=True))
