"""`smfg solve GAME`: the exact solution of a game that has one."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from envs import InvalidSetting
from envs.solution import CONCEPTS, solve


def run(console: Console, game: str, *, overrides: Sequence[str], followers: str, concept: str, as_json: bool) -> None:
    """Prints the solution's figures under the names of the literature; raises InvalidSetting."""
    values = solve(game, followers=_count(followers), concept=concept, **dict(map(_parameter, overrides)))
    if as_json:
        print(json.dumps(values))
        return
    table = Table("figure", "value", title=f"{game}, N = {followers}: {CONCEPTS[concept]}")
    table.columns[1].justify = "right"
    for name, value in values.items():
        table.add_row(name, f"{value:.8g}")
    console.print(table)


def _count(followers: str) -> float:
    try:
        return math.inf if followers == "inf" else int(followers)
    except ValueError:
        raise InvalidSetting(f"--followers {followers}: must be a whole number of at least 1, or inf") from None


def _parameter(override: str) -> tuple[str, float]:
    """`game.A=.9` as (A, 0.9)."""
    name, equals, value = override.partition("=")
    section, _, parameter = name.strip().partition(".")
    try:
        if section == "game" and parameter and equals:
            return parameter, float(value)
    except ValueError:
        pass
    raise InvalidSetting(f"--set {override}: must have the form game.PARAMETER=NUMBER, for example game.A=0.9")
