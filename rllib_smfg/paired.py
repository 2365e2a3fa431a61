"""Policies set beside each other in Python: the same episodes for all, and intervals as `smfg compare` has them."""

from __future__ import annotations

from collections.abc import Mapping

from envs.game import Array, InvalidSetting, StackelbergMeanFieldGame
from envs.registry import nearest
from policies import FollowerPolicy, LeaderPolicy
from rllib_smfg import named_policies
from rllib_smfg.export import TrainedPolicies
from rllib_smfg.rollout import evaluate
from rllib_smfg.statistics.estimates import Estimate, differences, estimates

# both sides: as they were learned together, or each a policy, a rule's name, or a folder of something learned
Players = TrainedPolicies | tuple[LeaderPolicy | str, FollowerPolicy | str]


def compare(
    game: StackelbergMeanFieldGame, players: Mapping[str, Players], *, seed: int = 1_000_000, against: str | None = None
) -> dict[str, dict[str, Estimate]]:
    """Lets every pair of policies play the same B episodes, one of each game, on common random numbers.

    Args:
        game: its `games` are the episodes.
        players: title -> both sides.
        seed: of the episodes, the same for all players.
        against: the title whose figures are taken from all others', episode by episode.

    Returns:
        Title -> indicator -> its inter-quartile mean with a 95 % bootstrap interval over episodes; with `against`, of
        the differences to it, without a row of its own.

    Raises:
        InvalidSetting: for a policy that does not exist or does not fit, or `against` no title.
    """
    if against is not None and against not in players:
        raise InvalidSetting(f"against = '{against}': no such player{nearest(against, list(players))}")
    values = {title: _played(game, both, seed) for title, both in players.items()}
    if against is None:
        return {title: estimates(each) for title, each in values.items()}
    reference = values.pop(against)
    return {title: differences(each, reference) for title, each in values.items()}


def _played(game: StackelbergMeanFieldGame, both: Players, seed: int) -> dict[str, Array]:
    """Each indicator as (1, B): a training seed, and its episodes."""
    if isinstance(both, TrainedPolicies):
        leader, follower = both.policies(game, seed)
    else:
        leader = named_policies.leader(both[0], game, seed) if isinstance(both[0], str) else both[0]
        follower = named_policies.follower(both[1], game, seed) if isinstance(both[1], str) else both[1]
    return {name: x[None] for name, x in evaluate(game, leader, follower, seed).items()}
