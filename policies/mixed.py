"""A population of which fixed shares follow different policies."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from envs.game import Array, BoolArray, InvalidSetting
from policies.policy import FollowerPolicy, LeaderPolicy


class MixedFollowers(FollowerPolicy):
    """Households in groups, each with a policy of its own, by index: the first share, the next share, and so on.

    Games draw households independently of their index, so a block of indices is a random part of the population.
    policies, shares: by the group's name. A group without households (share 0) is left out; its policy is never asked.
    `households` says which indices make up each group.
    Raises InvalidSetting where names differ, or shares are negative or do not sum to 1.
    """

    def __init__(self, policies: Mapping[str, FollowerPolicy], shares: Mapping[str, float], followers: int) -> None:
        if set(policies) != set(shares):
            raise InvalidSetting(f"shares of {sorted(shares)}: must name the groups {sorted(policies)}")
        counts = group_sizes(shares, followers)
        self._policies = {name: policies[name] for name, count in counts.items() if count}
        ends = np.cumsum(list(counts.values())).tolist()
        self.households = {
            name: slice(end - counts[name], end) for name, end in zip(counts, ends, strict=True) if counts[name]
        }
        self.reads_leader = any(policy.reads_leader for policy in self._policies.values())

    def act(self, observation: Array, leader_action: Array) -> Array:
        """Actions (B, N, af): each group's policy is shown its own households only, (B, n, df)."""
        groups = [(self._policies[name], rows) for name, rows in self.households.items()]
        return np.concatenate([policy.act(observation[:, rows], leader_action) for policy, rows in groups], axis=1)

    def meet(self, leader: LeaderPolicy) -> None:
        """Tells every group's policy who governs."""
        for policy in self._policies.values():
            policy.meet(leader)

    def forget(self, games: BoolArray) -> None:
        """Tells every group's policy that games (B,) start anew."""
        for policy in self._policies.values():
            policy.forget(games)


def group_sizes(shares: Mapping[str, float], followers: int) -> dict[str, int]:
    """How many of the households each share stands for, summing to `followers`: rounded by the largest remainder."""
    values = np.array(list(shares.values()), dtype=np.float64)
    if not (values >= 0).all() or not np.isclose(values.sum(), 1.0, rtol=0, atol=1e-9):
        raise InvalidSetting(f"shares {dict(shares)}: must be at least 0 and sum to 1")
    exact = values * followers
    counts = np.floor(exact + 1e-9).astype(np.int64)
    largest = np.argsort(-(exact - counts), kind="stable")[: followers - counts.sum()]
    counts[largest] += 1
    return dict(zip(shares, counts.tolist(), strict=True))
