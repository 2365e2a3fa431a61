"""Games and policies that live in somebody else's package, by `module:Class` or by entry point, in every process.

What travels between processes is a name, never the class: each process imports the module by itself. It looks where
Python looks, then in the folder that came with the name, beside the configuration and in the working folder. The folder
where the first process found it goes along, so that Ray's workers find it, too (`located`).
"""

from __future__ import annotations

import importlib.util
import os
import re
import site
import sys
import sysconfig
from collections.abc import Mapping
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from envs.game import InvalidSetting

PLACE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")  # module:Class
FOLDER = "module_folder"  # the setting that says where a module is also looked for
GAME_GROUP, POLICY_GROUP = "rllib_smfg.games", "rllib_smfg.policies"  # of entry points

_looked_in: list[str] = []


class ModuleFolder(str):
    """A folder that is put on sys.path wherever it is unpickled, before what comes after it in the pickle."""

    __slots__ = ()

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return _on_path, (str(self),)


def is_place(name: str) -> bool:
    """Whether a name has the form `module:Class`."""
    return PLACE.fullmatch(name) is not None


def look_in(folder: str | Path) -> None:
    """Has modules looked for in a folder, too, in this process: that of a configuration."""
    path = str(Path(folder).resolve())
    if path not in _looked_in:
        _looked_in.append(path)


def offered(group: str) -> dict[str, str]:
    """What installed packages offer as entry points of a group: name -> module:Class.

    Raises InvalidSetting where two packages offer different things under one name.
    """
    found: dict[str, str] = {}
    for each in entry_points(group=group):
        place = f"{each.module}:{each.attr}"
        if found.setdefault(each.name, place) != place:
            raise InvalidSetting(
                f"'{each.name}' is offered by two packages ({found[each.name]}, {place}): name one of these"
            )
    return found


def load(place: str, what: str, folder: str | None = None) -> Any:
    """What `module:Class` is; `what` (a game, ...) is for the error, `folder` is where its module may be.

    Raises InvalidSetting, in one line, where the module cannot be imported or has no such name.
    """
    if not is_place(place):
        raise InvalidSetting(f"{what} '{place}': must be a known name, or module:Class of one that can be imported")
    module_name, _, name = place.partition(":")
    module = _module(module_name, f"{what} '{place}'", folder)
    if not hasattr(module, name):
        there = [each for each, value in vars(module).items() if isinstance(value, type) and not each.startswith("_")]
        has = f"it has {', '.join(sorted(there))}" if there else "it has no class"
        where = getattr(module, "__file__", None) or "a folder"
        raise InvalidSetting(f"{what} '{place}': module '{module_name}' ({where}) has no '{name}'; {has}")
    return getattr(module, name)


def located(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a `module:Class`, its `name` among them, with the folder from which other processes import it.

    Raises InvalidSetting for a class of the script that runs, which is another module in every process.
    """
    module, _, cls = str(settings["name"]).partition(":")
    if module == "__main__":
        raise InvalidSetting(f"'{module}:{cls}': other processes cannot import it; put {cls} into a module of its own")
    folder = folder_of(module) if cls else None
    return {**settings, FOLDER: ModuleFolder(folder)} if folder else dict(settings)


def folder_of(module_name: str) -> str | None:
    """The folder on sys.path from which an imported module comes; None for what every process finds by itself."""
    package = sys.modules.get(module_name.partition(".")[0])
    if package is None:
        return None
    file, places = getattr(package, "__file__", None), list(getattr(package, "__path__", ()))
    path = Path(places[0]) if places else Path(file) if file else None
    if path is None or str(path.parent) in _everywhere():
        return None
    return str(path.parent.resolve())


def _everywhere() -> set[str]:
    """Folders that every process of this Python has on sys.path, that of this project among them."""
    installed = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    return {*installed, site.getusersitepackages(), str(Path(__file__).resolve().parents[1])}


def _module(name: str, who: str, folder: str | None) -> ModuleType:
    package = name.partition(".")[0]
    _refuse_another(package, who, folder)
    if package not in sys.modules and not _is_found(package):
        for place in (folder, *_looked_in, os.getcwd()):
            if place and PathFinder.find_spec(package, [place]) is not None:
                _on_path(place)
                break
        else:
            raise InvalidSetting(
                f"{who}: no module '{package}' can be imported here{f' or from {folder}' if folder else ''};"
                " install it, or put it beside the configuration or into the working folder"
            )
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise InvalidSetting(f"{who}: module '{name}' cannot be imported (no module '{error.name}')") from error
    except Exception as error:  # somebody else's module may raise anything
        why = " ".join(str(error).split())
        raise InvalidSetting(f"{who}: module '{name}' cannot be imported ({type(error).__name__}: {why})") from error


def _is_found(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def _refuse_another(package: str, who: str, folder: str | None) -> None:
    """A process knows one module of a name; that of another folder must not play in its place."""
    here = folder_of(package)
    if folder is None or here is None or Path(here) == Path(folder):
        return
    if Path(folder).is_dir() and PathFinder.find_spec(package, [folder]) is not None:
        raise InvalidSetting(f"{who}: is looked for in {folder}, but '{package}' of {here} is imported already")


def _on_path(folder: str) -> ModuleFolder:
    """Puts a folder at the end of sys.path, where it hides nothing."""
    if folder not in sys.path:
        sys.path.append(str(folder))
    return ModuleFolder(folder)
