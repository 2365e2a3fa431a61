"""Given policies by name; names and settings that do not exist are refused with the nearest that do.

A name is one of `LEADERS` or `FOLLOWERS`, a class from elsewhere (`envs.plugins`: `module:Class`, an entry point), or
a YAML file (`policies.written`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from envs import plugins
from envs.economy.calibration import US_PROGRESSIVITY
from envs.economy.game import Economy
from envs.economy.taxation import US_FEDERAL_CEILING, US_FEDERAL_CREDIT
from envs.game import InvalidSetting, StackelbergMeanFieldGame
from envs.registry import nearest, refuse_mistyped
from policies import written
from policies.action_bounds import within
from policies.behavior_cloned import BehaviorClonedHousehold
from policies.constant import ConstantFollower, ConstantLeader
from policies.debt_rule import DEBT_RESPONSE, DebtRule
from policies.free_market import free_market
from policies.perfect_foresight import PerfectForesight
from policies.planning_household import PlanningHousehold
from policies.policy import FollowerPolicy, LeaderPolicy
from policies.random import RandomFollower, RandomLeader
from policies.reform import reform
from policies.saez import SaezTax
from policies.solved_planner import SolvedPlanner
from policies.us_federal import USFederalTax
from policies.us_law import USLaw
from policies.us_system import SURPLUS_RESPONSE, US_LEVEL, USSystem

Policy = TypeVar("Policy", LeaderPolicy, FollowerPolicy)


def leader(name: str, game: StackelbergMeanFieldGame, seed: int = 0, **settings: Any) -> LeaderPolicy:
    """The government `name` for a game; `seed` is that of its own luck, `settings` are its own.

    A class `module:Class` is a `LeaderPolicy` made with the game, with `seed` if it takes one, and with its settings.

    Raises InvalidSetting for an unknown name or setting, or a value it cannot use.
    """
    return _build("government", LEADERS, LeaderPolicy, name, game, seed, settings)


def follower(name: str, game: StackelbergMeanFieldGame, seed: int = 0, **settings: Any) -> FollowerPolicy:
    """The households `name` for a game; otherwise as `leader`."""
    return _build("household policy", FOLLOWERS, FollowerPolicy, name, game, seed, settings)


def is_rule(name: str, known: Mapping[str, Any]) -> bool:
    """Whether a name is one that `leader` or `follower` answers to (known: LEADERS or FOLLOWERS), and no folder."""
    written_down = not Path(name).is_dir() and written.file_of(name) is not None
    return name in known or written_down or _place_of(name) is not None


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


def _us_law(
    game: StackelbergMeanFieldGame,
    seed: int,
    spending_share: float | None = None,
    filers: Sequence[Mapping[str, Any]] | None = None,
    payroll: bool = True,
) -> LeaderPolicy:
    return USLaw(game, spending_share, filers, payroll)


def _us_system(
    game: StackelbergMeanFieldGame, seed: int, level: float = US_LEVEL, response: float = SURPLUS_RESPONSE
) -> LeaderPolicy:
    return USSystem(game, level, response)


def _reform(
    game: StackelbergMeanFieldGame,
    seed: int,
    base: Any,
    income_tax: Any = None,
    wealth_tax: Any = None,
    consumption_tax: Any = None,
    labour_income_tax: Any = None,
    capital_income_tax: Any = None,
    transfer: Any = None,
    spending: Any = None,
    top_rate: Any = None,
    closure: Any = None,
) -> LeaderPolicy:
    sections = {
        "income_tax": income_tax,
        "wealth_tax": wealth_tax,
        "consumption_tax": consumption_tax,
        "labour_income_tax": labour_income_tax,
        "capital_income_tax": capital_income_tax,
        "transfer": transfer,
        "spending": spending,
        "top_rate": top_rate,
        "closure": closure,
    }

    def build(description: Mapping[str, Any]) -> LeaderPolicy:
        settings = {key: x for key, x in description.items() if key != "name"}
        return leader(description["name"], game, seed, **settings)

    return reform(game, build, written.described(base), sections)


def _random_leader(game: StackelbergMeanFieldGame, seed: int) -> LeaderPolicy:
    return RandomLeader(game.leader_action_space, seed)


def _random_follower(game: StackelbergMeanFieldGame, seed: int) -> FollowerPolicy:
    return RandomFollower(game.follower_action_space, seed)


def _constant_leader(game: StackelbergMeanFieldGame, seed: int, action: Sequence[float]) -> LeaderPolicy:
    return ConstantLeader(within(game, "leader", action, "government 'constant': action"))


def _constant_follower(game: StackelbergMeanFieldGame, seed: int, action: Sequence[float]) -> FollowerPolicy:
    return ConstantFollower(within(game, "follower", action, "households 'constant': action"))


def _debt_rule(
    game: StackelbergMeanFieldGame,
    seed: int,
    tau: float = US_LEVEL,
    xi: float = US_PROGRESSIVITY,
    asset_tau: float = 0.0,
    asset_xi: float = 0.0,
    spending: float | None = None,
    debt: float | None = None,
    response: float = DEBT_RESPONSE,
) -> LeaderPolicy:
    return DebtRule(game, tau, xi, asset_tau, asset_xi, spending, debt, response)


def _planning(
    game: StackelbergMeanFieldGame,
    seed: int,
    taxes: Sequence[float] | None = None,
    further_at_rest: bool = False,
    solved: bool = False,
) -> FollowerPolicy:
    told = taxes is not None or further_at_rest
    if solved and told:
        raise InvalidSetting("households 'planning': solved for the schedules in force, or told taxes; must be one")
    further = isinstance(game, Economy) and bool(game.parameters.further_instruments)
    if solved or (further and not told):
        return SolvedPlanner(game)
    return PlanningHousehold(game, taxes, further_at_rest=further_at_rest)


def _perfect_foresight(game: StackelbergMeanFieldGame, seed: int) -> FollowerPolicy:
    return PerfectForesight(game)


LEADERS: dict[str, Callable[..., LeaderPolicy]] = {
    "free_market": _free_market,
    "us_federal": _us_federal,
    "us_law_2022": _us_law,
    "saez": SaezTax,
    "us_system": _us_system,
    "debt_rule": _debt_rule,
    written.REFORM: _reform,
    "constant": _constant_leader,
    "random": _random_leader,
}
FOLLOWERS: dict[str, Callable[..., FollowerPolicy]] = {
    "real_data": BehaviorClonedHousehold,
    "planning": _planning,
    "perfect_foresight": _perfect_foresight,
    "constant": _constant_follower,
    "random": _random_follower,
}


def _build(
    what: str,
    known: Mapping[str, Callable[..., Policy]],
    kind: type,
    name: str,
    game: StackelbergMeanFieldGame,
    seed: int,
    settings: Mapping[str, Any],
) -> Policy:
    if name not in known and written.file_of(name) is not None:
        described = written.described({"name": name, **settings})
        return _build(what, known, kind, described.pop("name"), game, seed, described)
    make: Callable[..., Policy] = known[name] if name in known else _from_elsewhere(name, kind, what, list(known))
    own = inspect.signature(make).parameters
    _check_settings(what, name, own, settings)
    if name in known:
        refuse_mistyped(make.__init__ if inspect.isclass(make) else make, settings)
    luck = {"seed": seed} if "seed" in own else {}
    return make(game, **luck, **settings)


def _place_of(name: str) -> str | None:
    """Where a policy from elsewhere is, `module:Class`; None for a name that nobody offers."""
    return name if plugins.is_place(name) else plugins.offered(plugins.POLICY_GROUP).get(name)


def _from_elsewhere(name: str, kind: type[Policy], what: str, known: list[str]) -> Callable[..., Policy]:
    place = _place_of(name)
    if place is None:
        raise InvalidSetting(f"unknown {what} '{name}'{nearest(name, [*known, *written.names()])}")
    found = plugins.load(place, what)
    if not (isinstance(found, type) and issubclass(found, kind)):
        raise InvalidSetting(f"{what} '{name}': must be a policies.policy.{kind.__name__}")
    return found


def _check_settings(what: str, name: str, own: Mapping[str, inspect.Parameter], settings: Mapping[str, Any]) -> None:
    """Refuses settings that the maker of a policy does not take, and asks for those it cannot do without."""
    if any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in own.values()):
        return
    allowed = [setting for setting in own if setting not in ("game", "seed")]
    for setting in settings:
        if setting not in allowed:
            hint = nearest(setting, allowed) if allowed else "; it has none"
            raise InvalidSetting(f"{what} '{name}' has no setting '{setting}'{hint}")
    for setting in allowed:
        if own[setting].default is inspect.Parameter.empty and setting not in settings:
            raise InvalidSetting(f"{what} '{name}' needs the setting '{setting}'")
