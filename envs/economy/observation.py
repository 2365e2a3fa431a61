"""What the two sides see of a state, and how learners scale it."""

from __future__ import annotations

import numpy as np

from envs.economy.indicators import Groups, group_means, group_means_by_rank
from envs.economy.parameters import EconomyParameters
from envs.economy.state import State
from envs.game import Observations
from envs.scaling import FeatureScaling

# how the logarithms of dollars and abilities are scaled to order one: (unit, shift, width)
DOLLARS, ABILITY = (1e4, 10.0, 6.0), (1.0, 1.0, 1.0)
# the prices a leader may see, and their scales
PRICES = {"wage": (1.0, 1.0, 1.0), "interest_rate": (0.01, 1.0, 1.0)}


def observe(parameters: EconomyParameters, state: State) -> Observations:
    """Leader (B, 6 + prices): mean assets of the richest 10 %, mean income and mean ability of the top 10 % by income,
    the same three for the bottom 50 %, then the prices it sees. Follower (B, N, 2): own ability and assets.
    """
    groups = Groups.of(state.assets.shape[-1], parameters.top_share, parameters.bottom_share)
    assets, income = group_means(groups, state.ascending_assets), group_means(groups, state.ascending_income)
    ability = group_means_by_rank(groups, state.ability, state.income, state.ascending_income)
    households = np.empty((*state.assets.shape, 2), dtype=state.assets.dtype)
    households[..., 0], households[..., 1] = state.ability, state.assets
    seen = [assets[0], income[0], ability[0], assets[1], income[1], ability[1]]
    seen += [getattr(state, price) for price in parameters.laws.leader_sees]
    return Observations(np.concatenate(seen, axis=-1).astype(state.assets.dtype, copy=False), households)


def leader_scaling(parameters: EconomyParameters) -> FeatureScaling:
    """How the leader's observation is scaled."""
    scales = [DOLLARS, DOLLARS, ABILITY] * 2 + [PRICES[price] for price in parameters.laws.leader_sees]
    return FeatureScaling.log(*zip(*scales, strict=True))


def follower_scaling() -> FeatureScaling:
    """How a follower's observation is scaled."""
    return FeatureScaling.log(unit=(1.0, 1e4), shift=(1.0, 10.0), width=(1.0, 6.0))
