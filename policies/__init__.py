"""Decision rules that are given, not learned here."""

from policies.policy import FollowerPolicy, LeaderPolicy

__all__ = ["FollowerPolicy", "LeaderPolicy"]
