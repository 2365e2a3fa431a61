"""What rows are compared with where the configuration names nothing: the US system, in economies that have it."""

from __future__ import annotations

from typing import Any

from envs import InvalidSetting, make
from envs.economy.game import Economy
from envs.registry import nearest
from experiments.compare.config import Comparing, Row
from policies import registry
from rllib_smfg.configuration.sections import Rule
from rllib_smfg.economics import welfare

GOVERNMENT, HOUSEHOLDS, NAME = "us_system", "planning", "US system"


def with_reference(comparing: Comparing, named: str | None = None) -> Comparing:
    """The comparison with the row that others are compared with.

    named: a row, or a government of `policies.registry` that is played beside the rows (before them). Left out, it is
    the configuration's; where that names none, and consumption equivalents can be told, the first row under the US
    system, or a row of it that is added. Raises InvalidSetting.
    """
    names = [row.name for row in comparing.rows]
    wanted = named or comparing.reference
    if wanted in names:
        return comparing.model_copy(update={"reference": wanted})
    if wanted is None:
        if not comparable(comparing.game.settings()):
            return comparing
        found = next((row.name for row in comparing.rows if row.leader == Rule(name=GOVERNMENT)), None)
        if found is not None:
            return comparing.model_copy(update={"reference": found})
    elif not registry.is_rule(wanted, registry.LEADERS):
        known = [*names, *registry.LEADERS]
        raise InvalidSetting(f"reference = '{wanted}': no such row or government{nearest(wanted, known)}")
    name = wanted or (NAME if NAME not in names else f"{NAME} (reference)")
    added = Row(name=name, leader=Rule.model_validate(wanted or GOVERNMENT), follower=_kind(comparing))
    return comparing.model_copy(update={"rows": (added, *comparing.rows), "reference": name})


def comparable(game: dict[str, Any]) -> bool:
    """Whether consumption equivalents can be told in a game, and the US system be played there."""
    small = make(**{**game, "games": 1})
    if not (isinstance(small, Economy) and welfare.measurable(small)) or welfare.obstacle(small.parameters):
        return False
    return "debt_to_gdp" in small.parameters.laws.leader_sees


def _kind(comparing: Comparing) -> Rule:
    """The households that all rows with given ones have in common; those that plan where they differ."""
    kinds = {row.follower.name: row.follower for row in comparing.rows if row.follower is not None}
    only = next(iter(kinds.values())) if len(kinds) == 1 else None
    if only is None or not registry.is_rule(only.name, registry.FOLLOWERS) or only.name == HOUSEHOLDS:
        opened = "instruments" in comparing.game.own_settings()
        return Rule.model_validate({"name": HOUSEHOLDS, **({"further_at_rest": True} if opened else {})})
    return only
