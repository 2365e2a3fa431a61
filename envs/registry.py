"""Builds a game by name; names and settings that do not exist are refused with the nearest that do.

A game of somebody else's is named `module:Class`, or by an entry point of the group `rllib_smfg.games`, see
`envs.plugins`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, get_type_hints

from envs import plugins
from envs.complete import refuse_incomplete
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
    "krusell_smith": "envs.krusell_smith:KrusellSmith",
}
NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
SHIPPED = frozenset(GAMES)  # names that every process knows


def place_of(name: str) -> str:
    """`module:Class` of a game; raises InvalidSetting for an unknown name."""
    if not isinstance(name, str):
        right = f"'{name.__module__}:{name.__qualname__}'" if inspect.isclass(name) else "for example 'economy'"
        raise InvalidSetting(f"game {name!r}: must be named, {right}")
    if name in GAMES or plugins.is_place(name):
        return GAMES.get(name, name)
    found = plugins.offered(plugins.GAME_GROUP)
    if name not in found:
        raise InvalidSetting(f"unknown game '{name}'{nearest(name, [*GAMES, *found])}")
    return found[name]


def is_known(name: Any) -> bool:
    """Whether something is the name of a game, which may still turn out not to be importable."""
    return isinstance(name, str) and (
        name in GAMES or plugins.is_place(name) or name in plugins.offered(plugins.GAME_GROUP)
    )


def game_class(name: str, module_folder: str | None = None) -> type[StackelbergMeanFieldGame]:
    """The class of a game, whose module may be in `module_folder`.

    Raises InvalidSetting for an unknown name, a module that cannot be imported, or what is no game.
    """
    place = place_of(name)
    if module_folder is not None and name in SHIPPED:
        raise InvalidSetting(f"module_folder = {module_folder}: goes with a game named module:Class, not with '{name}'")
    found = plugins.load(place, "game", module_folder)
    if not (inspect.isclass(found) and issubclass(found, StackelbergMeanFieldGame)):
        raise InvalidSetting(f"game '{place}': must be a class that extends envs.game.StackelbergMeanFieldGame")
    missing = sorted(getattr(found, "__abstractmethods__", ()))
    if missing:
        raise InvalidSetting(f"game '{place}': is not written to the end, it has no {', '.join(missing)}")
    return found


def game_settings(name: str, module_folder: str | None = None) -> list[str]:
    """The names of the settings a game takes."""
    found: dict[str, None] = {}
    for cls in game_class(name, module_folder).__mro__:
        if "__init__" not in vars(cls):
            continue
        own = inspect.signature(vars(cls)["__init__"]).parameters
        found.update(dict.fromkeys(key for key, each in own.items() if each.kind in NAMED and key != "self"))
        if all(each.kind is not inspect.Parameter.VAR_KEYWORD for each in own.values()):
            break  # a game that takes **settings hands them on to the one it extends
    return list(found)


def game_hints(name: str, module_folder: str | None = None) -> dict[str, Any]:
    """What each of a game's settings may be, as type hints."""
    return get_type_hints(game_class(name, module_folder).__init__)


def make(name: str, *, module_folder: str | None = None, **settings: Any) -> StackelbergMeanFieldGame:
    """Builds the game `name`; every game takes `games` and `followers`, the rest is its own.

    Args:
        name: of `GAMES`, of an entry point, or `module:Class`.
        module_folder: where the module of a `module:Class` is looked for beside sys.path.
        **settings: `games` (B, side by side), `followers` (N of each), and the game's own.

    Raises:
        InvalidSetting: for an unknown name or setting, or a value the game cannot use.
    """
    known = game_settings(name, module_folder)
    for setting in settings:
        if setting not in known:
            raise InvalidSetting(f"game '{name}' has no setting '{setting}'{nearest(setting, known)}")
    cls = game_class(name, module_folder)
    refuse_mistyped(cls.__init__, settings)
    game = cls(**settings)
    if name not in SHIPPED:
        refuse_incomplete(game)
    return game


def portable(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a game, its `name` among them, that `make` takes in every process.

    A game that was added to `GAMES`, or is known by an entry point, is named `module:Class` there.
    """
    name, folder = settings["name"], settings.get(plugins.FOLDER)
    if name in SHIPPED:
        return dict(settings)
    game_class(name, folder)
    return plugins.located({**settings, "name": place_of(name)})


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
