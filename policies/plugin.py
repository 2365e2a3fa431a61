"""The door for policies from elsewhere: `module:Class`, imported by name in every process that plays it."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

from envs.game import InvalidSetting
from envs.registry import nearest


def is_plugin(name: str) -> bool:
    """Whether a name has the form module:Class (and is no path)."""
    module, colon, cls = name.partition(":")
    return bool(colon) and cls.isidentifier() and all(part.isidentifier() for part in module.split("."))


def load(name: str, kind: type, what: str) -> type:
    """The class `module:Class`, a `kind`; modules are looked for where Python does, and in the current folder.

    Raises InvalidSetting where there is no such module or class, it is of another kind, or the module cannot be read.
    """
    module_name, _, class_name = name.partition(":")
    module = _imported(module_name, name, what)
    classes = [key for key, x in vars(module).items() if isinstance(x, type) and issubclass(x, kind) and x is not kind]
    found = getattr(module, class_name, None)
    if not isinstance(found, type):
        hint = nearest(class_name, classes) if classes else f"; it has no {kind.__name__} at all"
        raise InvalidSetting(f"{what} '{name}': module '{module_name}' has no class '{class_name}'{hint}")
    if not issubclass(found, kind):
        raise InvalidSetting(f"{what} '{name}': must be a policies.policy.{kind.__name__}")
    return found


def _imported(module: str, name: str, what: str) -> ModuleType:
    here = str(Path.cwd())
    if here not in sys.path:  # the command smfg starts elsewhere; Ray shows its workers the folder of the driver
        sys.path.append(here)
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        missing = str(error.name)
        if module == missing or module.startswith(f"{missing}."):
            raise InvalidSetting(
                f"{what} '{name}': no module '{module}': must be installed, or lie in {here}"
            ) from None
        raise InvalidSetting(f"{what} '{name}': module '{module}' needs '{missing}', which is not installed") from None
    except Exception as error:
        said = " ".join(f"{type(error).__name__}: {error}".split())
        raise InvalidSetting(f"{what} '{name}': module '{module}' cannot be imported ({said})") from error
