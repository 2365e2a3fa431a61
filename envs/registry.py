"""Builds a game by name; names and settings that do not exist are refused with the nearest that do."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import Any, get_type_hints

from envs.game import InvalidSetting, StackelbergMeanFieldGame
from envs.written import mistyped

# name -> "module:class"; imported on first use, so that listing games costs nothing
GAMES: dict[str, str] = {
    "economy": "envs.economy.game:Economy",
    "stage_game": "envs.stage_game:StageGame",
    "linear_quadratic": "envs.linear_quadratic:LinearQuadratic",
    "income_tax": "envs.income_tax:IncomeTax",
    "brock_mirman": "envs.brock_mirman:BrockMirman",
    "static_hsv": "envs.static_hsv:StaticHSV",
    "aiyagari": "envs.aiyagari:Aiyagari",
}


def game_class(name: str) -> type[StackelbergMeanFieldGame]:
    """The class of a game; raises InvalidSetting for an unknown name."""
    if name not in GAMES:
        raise InvalidSetting(f"unknown game '{name}'{nearest(name, list(GAMES))}")
    module, cls = GAMES[name].split(":")
    found: type[StackelbergMeanFieldGame] = getattr(import_module(module), cls)
    return found


def game_settings(name: str) -> list[str]:
    """The names of the settings a game takes."""
    return list(inspect.signature(game_class(name)).parameters)


def game_hints(name: str) -> dict[str, Any]:
    """What each of a game's settings may be, as type hints."""
    return get_type_hints(game_class(name).__init__)


def make(name: str, **settings: Any) -> StackelbergMeanFieldGame:
    """Builds the game `name`; every game takes `games` and `followers`, the rest is its own.

    Raises InvalidSetting for an unknown name or setting, or a value the game cannot use.
    """
    known = game_settings(name)
    for setting in settings:
        if setting not in known:
            raise InvalidSetting(f"game '{name}' has no setting '{setting}'{nearest(setting, known)}")
    refuse_mistyped(game_class(name).__init__, settings)
    return game_class(name)(**settings)


def refuse_mistyped(function: Callable[..., Any], settings: Mapping[str, Any]) -> None:
    """Raises InvalidSetting where a setting is not what the function's type hints say."""
    hints = get_type_hints(function)
    for name, value in settings.items():
        fault = mistyped(value, hints[name]) if name in hints else None
        if fault is not None:
            raise InvalidSetting(f"{name} = {value!r}: {fault}")


def nearest(word: str, known: list[str]) -> str:
    """': did you mean ...?' with the closest known name, or ': one of ...' where none is close."""
    close = get_close_matches(word, known, n=1, cutoff=0.5)
    return f": did you mean '{close[0]}'?" if close else f": one of {', '.join(sorted(known))}"
