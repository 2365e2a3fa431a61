"""Results of `smfg verify` that a file holds already, read before anything is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from envs import InvalidSetting
from envs.text_files import read_object

IDENTITY = ("game", "followers", "method", "leader_gradient", "follower_gradient")  # of a case


def kept_cases(path: Path | None) -> list[dict[str, Any]]:
    """The cases of an earlier run in this file; raises InvalidSetting where it holds something else.

    Those of a version that knew the model-free method alone are told apart from now on.
    """
    if path is None or not path.is_file():
        return []
    known = read_results(path)
    found = known.get("cases")
    if "instance_seed" in known or not isinstance(found, list) or not all(map(_is_case, found)):
        raise InvalidSetting(f"{path}: holds no cases of smfg verify to add to; name another file")
    return [case if "method" in case else _of_one_method(case) for case in found]


def _is_case(case: Any) -> bool:
    """Whether it can be told from others; that of one method says none."""
    return isinstance(case, dict) and {*IDENTITY, "command"} - {"method"} <= set(case)


def _of_one_method(case: dict[str, Any]) -> dict[str, Any]:
    named = f"smfg verify {case['game']}"
    command = case["command"].replace(named, f"{named} --method smfrl", 1)
    return {**case, "method": "smfrl", "command": command}


def read_results(path: Path) -> dict[str, Any]:
    """The JSON object of a file; raises InvalidSetting where it is none."""
    return read_object(path, "holds no results of smfg verify; name another file", "name another file")
