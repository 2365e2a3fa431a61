"""Which households can live under which government: nobody may answer taxes that are not the ones levied."""

from __future__ import annotations

import numpy as np

from envs.economy.taxation import check_schedule
from envs.game import InvalidSetting, StackelbergMeanFieldGame
from policies.policy import FollowerPolicy, LeaderPolicy
from policies.tax_rule import TaxRule


def refuse_unread(leader: LeaderPolicy, follower: FollowerPolicy) -> None:
    """Raises InvalidSetting where households read taxes out of an action that does not say them.

    A `TaxRule` announces an action without taxes and levies a schedule: whoever takes the action for what is levied
    answers a tax of nothing.
    """
    if leader.announces_taxes or not follower.reads_leader:
        return
    nearest = leader.nearest_taxes
    taxes = "tau, xi, tau_a, xi_a" if nearest is None else ", ".join(f"{x:g}" for x in nearest)
    remedy = f"{{name: planning, taxes: [{taxes}]}}" if follower.takes_taxes else "real_data households"
    raise InvalidSetting(
        f"{leader.title}: its tax schedule is no action, and {follower.title} would read no taxes out of what it"
        f" announces: must be households that do not read it, for example {remedy}"
    )


def check_pair(game: StackelbergMeanFieldGame, leader: LeaderPolicy, follower: FollowerPolicy) -> None:
    """Raises InvalidSetting for a pair that must not play, and for a tax schedule that cannot be levied.

    Before play, on policies that are not played afterwards: asking a rule for its schedule may draw from its luck.
    """
    refuse_unread(leader, follower)
    if isinstance(leader, TaxRule):
        check_schedule(leader.schedule(np.zeros(game.n_games, dtype=np.int64)), game.n_games)


def refuse_no_action(leader: LeaderPolicy) -> None:
    """Raises InvalidSetting for a government that nobody can start as, since its taxes are no action to imitate."""
    if not leader.announces_taxes:
        raise InvalidSetting(f"{leader.title}: its tax schedule is no action to imitate: must be us_system, constant")
