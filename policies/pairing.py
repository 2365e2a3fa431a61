"""Which households can live under which government: nobody may answer taxes that are not the ones levied."""

from __future__ import annotations

from envs.game import InvalidSetting
from policies.policy import FollowerPolicy, LeaderPolicy


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
