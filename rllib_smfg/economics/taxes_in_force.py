"""The taxes that are in force in a year: those of the leader's action, or of a rule that no action expresses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from envs.economy.arrays import total
from envs.economy.game import Economy
from envs.economy.state import EconomyState
from envs.economy.taxation import FiscalPolicy, Schedule
from envs.game import Array
from policies import LeaderPolicy
from policies.tax_rule import TaxRule


def announced_taxes(game: Economy, before: EconomyState, action: Array) -> FiscalPolicy:
    """What an action (B, al) says in the state before the year."""
    box = game.leader_action_space
    within = np.clip(action, box.low, box.high)
    return game.parameters.laws.fiscal_policy(game.parameters, before, within, total)


def income_tax(
    game: Economy, leader: LeaderPolicy, before: EconomyState, action: Array, index: NDArray[np.int64]
) -> Schedule:
    """The income tax of the year after `before`, whose index in each game is (B,)."""
    if isinstance(leader, TaxRule):
        return leader.schedule(index)
    return announced_taxes(game, before, action).income_tax
