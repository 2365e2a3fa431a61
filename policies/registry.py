"""Given policies by name; names and settings that do not exist are refused with the nearest that do.

One of somebody else's is named `module:Class`, or by an entry point of the group `rllib_smfg.policies`, see
`envs.plugins`: a class or function that takes `game`, `seed` if it needs one, and its own settings.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from envs import plugins
from envs.economy.taxation import US_FEDERAL_CEILING, US_FEDERAL_CREDIT
from envs.game import InvalidSetting, StackelbergMeanFieldGame
from envs.registry import nearest
from policies.behavior_cloned import BehaviorClonedHousehold
from policies.constant import ConstantFollower, ConstantLeader
from policies.free_market import free_market
from policies.planning_household import PlanningHousehold
from policies.policy import FollowerPolicy, LeaderPolicy
from policies.random import RandomFollower, RandomLeader
from policies.saez import SaezTax
from policies.us_federal import USFederalTax
from policies.us_system import US_LEVEL, USSystem

Policy = TypeVar("Policy", LeaderPolicy, FollowerPolicy)


def leader(name: str, game: StackelbergMeanFieldGame, seed: int = 0, **settings: Any) -> LeaderPolicy:
    """The government `name` of `LEADERS` for a game; `seed` is that of its own luck, `settings` are its own.

    Raises InvalidSetting for an unknown name or setting, or a value it cannot use.
    """
    return _build("government", LEADERS, name, game, seed, settings)


def follower(name: str, game: StackelbergMeanFieldGame, seed: int = 0, **settings: Any) -> FollowerPolicy:
    """The households `name` of `FOLLOWERS` for a game; otherwise as `leader`."""
    return _build("household policy", FOLLOWERS, name, game, seed, settings)


def is_leader(name: str) -> bool:
    """Whether a name is that of a government, and not a path."""
    return _is_known(LEADERS, name)


def is_follower(name: str) -> bool:
    """Whether a name is that of households, and not a path."""
    return _is_known(FOLLOWERS, name)


def portable(settings: Mapping[str, Any]) -> dict[str, Any]:
    """A policy's name and settings as `leader` and `follower` take them in every process."""
    name = settings["name"]
    if not _is_foreign(name):
        return dict(settings)
    place = _place_of(name)
    plugins.load(place, "policy", settings.get(plugins.FOLDER))
    return plugins.located({**settings, "name": place})


def _free_market(game: StackelbergMeanFieldGame, seed: int) -> LeaderPolicy:
    return free_market(game)


def _us_federal(
    game: StackelbergMeanFieldGame,
    seed: int,
    spending_share: float | None = None,
    credit: float = US_FEDERAL_CREDIT,
    ceiling: float = US_FEDERAL_CEILING,
) -> LeaderPolicy:
    return USFederalTax(game, spending_share, credit, ceiling)


def _us_system(game: StackelbergMeanFieldGame, seed: int, level: float = US_LEVEL) -> LeaderPolicy:
    return USSystem(game, level)


def _random_leader(game: StackelbergMeanFieldGame, seed: int) -> LeaderPolicy:
    return RandomLeader(game.leader_action_space, seed)


def _random_follower(game: StackelbergMeanFieldGame, seed: int) -> FollowerPolicy:
    return RandomFollower(game.follower_action_space, seed)


def _constant_leader(game: StackelbergMeanFieldGame, seed: int, action: Sequence[float]) -> LeaderPolicy:
    return ConstantLeader(_fitting(action, "leader", game.leader_action_space.shape[0]))


def _constant_follower(game: StackelbergMeanFieldGame, seed: int, action: Sequence[float]) -> FollowerPolicy:
    return ConstantFollower(_fitting(action, "follower", game.follower_action_space.shape[0]))


def _planning(game: StackelbergMeanFieldGame, seed: int, taxes: Sequence[float] | None = None) -> FollowerPolicy:
    return PlanningHousehold(game, taxes)


LEADERS: dict[str, Callable[..., LeaderPolicy]] = {
    "free_market": _free_market,
    "us_federal": _us_federal,
    "saez": SaezTax,
    "us_system": _us_system,
    "constant": _constant_leader,
    "random": _random_leader,
}
FOLLOWERS: dict[str, Callable[..., FollowerPolicy]] = {
    "real_data": BehaviorClonedHousehold,
    "planning": _planning,
    "constant": _constant_follower,
    "random": _random_follower,
}


def _is_known(known: Mapping[str, Any], name: str) -> bool:
    return name in known or _is_foreign(name)


def _is_foreign(name: str) -> bool:
    if name in LEADERS or name in FOLLOWERS:
        return False
    return plugins.is_place(name) or name in plugins.offered(plugins.POLICY_GROUP)


def _place_of(name: str) -> str:
    return name if plugins.is_place(name) else plugins.offered(plugins.POLICY_GROUP)[name]


def _builder(
    what: str, known: Mapping[str, Callable[..., Policy]], name: str, folder: str | None
) -> Callable[..., Policy]:
    """What makes the policy `name`."""
    if name in known:
        return known[name]
    if not _is_foreign(name):
        hint = nearest(name, [*known, *plugins.offered(plugins.POLICY_GROUP)])
        raise InvalidSetting(f"unknown {what} '{name}'{hint}")
    found: Callable[..., Policy] = plugins.load(_place_of(name), what, folder)
    if not callable(found):
        raise InvalidSetting(f"{what} '{name}': must be a class or a function that makes one")
    return found


def _build(
    what: str,
    known: Mapping[str, Callable[..., Policy]],
    name: str,
    game: StackelbergMeanFieldGame,
    seed: int,
    settings: Mapping[str, Any],
) -> Policy:
    settings = dict(settings)
    builder = _builder(what, known, name, settings.pop(plugins.FOLDER, None))
    own = inspect.signature(builder).parameters
    allowed = [setting for setting in own if setting not in ("game", "seed")]
    for setting in settings:
        if setting not in allowed:
            hint = nearest(setting, allowed) if allowed else "; it has none"
            raise InvalidSetting(f"{what} '{name}' has no setting '{setting}'{hint}")
    for setting in allowed:
        if own[setting].default is inspect.Parameter.empty and setting not in settings:
            raise InvalidSetting(f"{what} '{name}' needs the setting '{setting}'")
    given = {key: value for key, value in (("game", game), ("seed", seed)) if key in own}
    policy, side = builder(**given, **settings), LeaderPolicy if known is LEADERS else FollowerPolicy
    if not isinstance(policy, side):
        raise InvalidSetting(f"{what} '{name}': makes a {type(policy).__name__}, must be a {side.__name__}")
    return policy


def _fitting(action: Sequence[float], side: str, size: int) -> Sequence[float]:
    if len(action) != size:
        raise InvalidSetting(f"action has {len(action)} numbers: the {side} of this game acts with {size}")
    return action
