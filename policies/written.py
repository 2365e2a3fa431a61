"""Policies as people write them down: a name, a mapping in YAML, or a file of one, and what each comes to as data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from envs.game import InvalidSetting
from envs.registry import nearest
from envs.text_files import read_utf8

# a name stands for policies/NAME.yaml in the current folder, or else for one of the files shipped here
FOLDER, SHIPPED = Path("policies"), Path(__file__).parent / "data" / "written"
ENDINGS = (".yaml", ".yml")
REFORM = "reform"  # the policy that a mapping with a `base` describes
# the settings of configurations that name a policy
NAMING = ("leader", "follower", "leader_imitates", "follower_imitates", "base")
DEEPEST = 8  # policies that a policy is based on, one on the other


def described(value: Any) -> Any:
    """A policy as a mapping of its `name` and its settings, without reference to any file.

    value: a name; the path of a YAML file, or the name of one in `FOLDER` or `SHIPPED`; a mapping with a `name`; or one
    with a `base` and what differs from it (`policies.reform`). Anything else comes back as it is, for others to refuse.
    Raises InvalidSetting for a file that is missing or holds no policy.
    """
    return _described(value, 0)


def file_of(name: str) -> Path | None:
    """The YAML file a name stands for, if it stands for one."""
    if name.endswith(ENDINGS):
        return Path(name)
    if "/" in name or ":" in name or not name:
        return None
    found = [folder / f"{name}{ending}" for folder in (FOLDER, SHIPPED) for ending in ENDINGS]
    return next((path for path in found if path.is_file()), None)


def names() -> list[str]:
    """The names of all files that can be seen from here."""
    files = [path for folder in (FOLDER, SHIPPED) for path in folder.glob("*.y*ml") if path.suffix in ENDINGS]
    return sorted({path.stem for path in files})


def substituted(values: Any) -> Any:
    """A configuration without its section `policies`, whose policies stand wherever a setting of `NAMING` names them.

    Raises InvalidSetting where the section is no mapping of policies by name, or nothing names one of them.
    """
    if not isinstance(values, Mapping) or "policies" not in values:
        return values
    section = {} if values["policies"] is None else values["policies"]
    if not isinstance(section, Mapping):
        raise InvalidSetting("policies: must be a section of policies by name, as {my_tax: {base: us_system, ...}}")
    for name, policy in section.items():
        if not isinstance(policy, str) and not (isinstance(policy, Mapping) and {"name", "base"} & set(policy)):
            raise InvalidSetting(f"policies.{name}: must be a policy's name, or a mapping with its name or its base")
    used: set[str] = set()
    replaced = {key: _replaced(x, section, (), used) for key, x in values.items() if key != "policies"}
    unused = next((name for name in section if name not in used), None)
    if unused is not None:
        raise InvalidSetting(f"policies.{unused}: nothing in this configuration names it; take it out, or name it")
    return replaced


def _replaced(x: Any, section: Mapping[str, Any], within: tuple[str, ...], used: set[str]) -> Any:
    """The same values with the section's policies in place of their names.

    within: the policies that the values are part of. used: all that were named, added to here.
    """
    if isinstance(x, list | tuple):
        return [_replaced(each, section, within, used) for each in x]
    if not isinstance(x, Mapping):
        return x
    replaced = {}
    for key, value in x.items():
        law = _policy if key in NAMING else _replaced
        replaced[key] = law(value, section, within, used)
    return replaced


def _policy(value: Any, section: Mapping[str, Any], within: tuple[str, ...], used: set[str]) -> Any:
    name = value.get("name") if isinstance(value, Mapping) else value
    if not isinstance(name, str) or name not in section:
        return _replaced(value, section, within, used)
    if name in within:
        raise InvalidSetting(f"policies.{name}: is based on itself")
    if isinstance(value, Mapping) and len(value) > 1:
        raise InvalidSetting(f"policy '{name}' has its settings in the section policies: change it by base: {name}")
    used.add(name)
    found, within = section[name], (*within, name)
    return _policy(found, section, within, used) if isinstance(found, str) else _replaced(found, section, within, used)


def _described(value: Any, depth: int) -> Any:
    if depth > DEEPEST:
        raise InvalidSetting("policies that are files: are based on each other without end")
    if isinstance(value, str):
        path = file_of(value)
        return {"name": value} if path is None else _described(_read(path), depth + 1)
    if not isinstance(value, Mapping):
        return value
    if "name" in value and "base" not in value:
        return _with_settings(value, depth)
    if "base" not in value or value.get("name", REFORM) != REFORM:
        return dict(value)
    base = _described(value["base"], depth + 1)
    changes = {key: x for key, x in value.items() if key not in ("name", "base")}
    if isinstance(base, Mapping) and base.get("name") == REFORM:
        return _merged(base, changes)
    return {"name": REFORM, "base": base, **changes}


def _with_settings(value: Mapping[str, Any], depth: int) -> Any:
    name = value["name"]
    if not isinstance(name, str) or file_of(name) is None:
        return dict(value)
    if len(value) > 1:
        other = next(key for key in value if key != "name")
        raise InvalidSetting(f"policy '{name}' is a file and has no setting '{other}': change it by base: {name}")
    return _described(name, depth)


def _merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A reform of a reform: settings of a section that both have are changed one by one."""
    merged = dict(base)
    for key, change in changes.items():
        before = merged.get(key)
        both = isinstance(before, Mapping) and isinstance(change, Mapping) and key != "closure"
        merged[key] = {**before, **change} if both else change  # type: ignore[dict-item]
    return merged


class Yaml(yaml.SafeLoader):
    """YAML 1.1, with 1e-3 a number as everywhere else; 010 (8 in YAML 1.1) and 1:30 (90) are text."""


WHOLE, REAL = "tag:yaml.org,2002:int", "tag:yaml.org,2002:float"
Yaml.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in (WHOLE, REAL)]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Yaml.add_implicit_resolver(
    REAL,
    re.compile(
        r"^[-+]?(([0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)([eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+|\.(inf|Inf|INF))$"
        r"|^\.(nan|NaN|NAN)$"
    ),
    list("-+0123456789."),
)
Yaml.add_implicit_resolver(WHOLE, re.compile(r"^[-+]?(0|[1-9][0-9_]*|0x[0-9a-fA-F_]+|0b[01_]+)$"), list("-+0123456789"))


class _Strict(Yaml):
    """The same; every key stands once, and nothing refers to anything else."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"'{key.value}' is set twice", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark
            raise yaml.MarkedYAMLError(problem="references are not read; write the values out", problem_mark=mark)
        return super().compose_node(parent, index)


def _read(path: Path) -> Any:
    """The policy a file holds; raises InvalidSetting."""
    if not path.is_file():
        raise InvalidSetting(f"policy '{path}': no such file{nearest(path.stem, names()) if names() else ''}")
    try:
        found = yaml.load(read_utf8(path, str(path)), Loader=_Strict)
    except RecursionError:
        raise InvalidSetting(f"policy '{path}': is nested too deeply for a policy") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise InvalidSetting(f"{where}: not a policy ({getattr(error, 'problem', None) or 'cannot be read'})") from None
    if not isinstance(found, Mapping) or not {"name", "base"} & set(found):
        raise InvalidSetting(f"policy '{path}': must be a mapping with a policy's name, or its base and what differs")
    return found
