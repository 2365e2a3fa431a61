"""Reads a configuration from YAML and `--set` overrides; every mistake becomes one line that says where it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from envs import InvalidSetting
from envs.plugins import look_in
from envs.registry import nearest
from envs.text_files import read_utf8
from envs.written import WORDS
from policies.written import Yaml
from rllib_smfg.configuration.sections import ALGORITHMS

BASE = "base"  # the setting at the top of a file that names another, whose values hold where this one has none
Location = tuple[str, ...]
Model = TypeVar("Model", bound=BaseModel)
NUMBERS = {str(kind.__name__): words[0] for kind, words in WORDS.items()}


def load(
    model: type[Model], path: Path, overrides: Sequence[str] = (), shipped: Mapping[str, Path] | None = None
) -> Model:
    """A YAML file as a `model`, with `section.key=value` overrides; raises InvalidSetting.

    shipped: files that a `base:` may name beside those in the file's own folder.
    """
    values, places = _read(path, model, shipped or {})
    for override in overrides:
        _apply(override, values, places)
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise InvalidSetting(_in_one_line(error, model, path, places)) from None


def dump(experiment: BaseModel) -> str:
    """All values as YAML; `load` gives the same experiment back."""
    text: str = yaml.safe_dump(experiment.model_dump(mode="json"), sort_keys=False, default_flow_style=None, width=120)
    return text


def _read(
    path: Path, model: type[BaseModel], shipped: Mapping[str, Path], above: Sequence[Path] = ()
) -> tuple[dict[str, Any], dict[Location, str]]:
    """The file's values over those of its `base:`, and where each setting stands ("file:line").

    above: the files whose base this one is.
    """
    look_in(path.parent)  # where the module of a `module:Class` may lie
    values, places = _read_alone(path, model)
    if BASE not in values:
        return values, places
    base = _base(values.pop(BASE), path, places.pop((BASE,)), shipped, [*above, path])
    lower, lower_places = _read(base, model, shipped, [*above, path])
    return _over(values, lower), {**lower_places, **places}


def _base(name: Any, path: Path, place: str, shipped: Mapping[str, Path], above: Sequence[Path]) -> Path:
    """The file that `base: name` means: one beside this file, or a shipped configuration."""
    beside = path.parent / str(name)
    for found in (beside, beside.with_name(f"{beside.name}.yaml"), shipped.get(str(name))):
        if found is not None and found.is_file() and not found.samefile(path):
            break
    else:
        missing = f"no such file and no such configuration{nearest(str(name), list(shipped))}"
        raise InvalidSetting(f"{place}: base = {name!r}: {missing}")
    if any(found.samefile(each) for each in above):
        raise InvalidSetting(f"{place}: base = {name!r}: goes round in a circle; must lead to a file without a base")
    return found


def _over(values: dict[str, Any], lower: dict[str, Any]) -> dict[str, Any]:
    """Sections of both; a setting that both have is that of `values`."""
    merged = {**lower, **values}
    for section in values.keys() & lower.keys():
        if isinstance(values[section], dict) and isinstance(lower[section], dict):
            merged[section] = {**lower[section], **values[section]}
    return merged


def _read_alone(path: Path, model: type[BaseModel]) -> tuple[dict[str, Any], dict[Location, str]]:
    """The same without the base."""
    try:
        text = read_utf8(path, str(path))
        alias = next((event for event in yaml.parse(text, Loader=Yaml) if isinstance(event, yaml.AliasEvent)), None)
        if alias is not None:  # a few lines of them can stand for more values than any memory holds, or for no end
            line = alias.start_mark.line + 1 if alias.start_mark else 1
            raise InvalidSetting(f"{path}:{line}: *{alias.anchor}: references are not read; write the values out")
        node = yaml.compose(text, Loader=Yaml)
        values = yaml.load(text, Loader=Yaml)
    except RecursionError:
        raise InvalidSetting(f"{path}: is nested too deeply for a configuration") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        what = getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be read"
        raise InvalidSetting(f"{where}: not valid YAML ({what})") from None
    if not isinstance(values, dict):
        found = "is empty" if values is None else "holds no settings"
        raise InvalidSetting(f"{path}: {found}; must be a mapping with the sections {', '.join(model.model_fields)}")
    places: dict[Location, str] = {}
    for location, line in _keys(node, (), path):
        if location in places:
            raise InvalidSetting(f"{path}:{line}: '{'.'.join(location)}' is set twice; must be set once")
        places[location] = f"{path}:{line}"
    return values, places


def _keys(node: yaml.Node | None, location: Location, path: Path) -> Iterator[tuple[Location, int]]:
    """Every key of nested mappings with its line; raises InvalidSetting for one that is no name."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.tag != "tag:yaml.org,2002:str":
                raise InvalidSetting(f"{path}:{line}: '{key.value}' is not the name of a setting; quote it if it is")
            inner = (*location, str(key.value))
            yield inner, line
            yield from _keys(value, inner, path)


def _apply(override: str, values: dict[str, Any], places: dict[Location, str]) -> None:
    """Puts `section.key=value` into `values`."""
    name, equals, text = override.partition("=")
    location = tuple(name.strip().split("."))
    if not equals or len(location) < 2 or not all(location):
        raise InvalidSetting(f"--set {override}: must have the form section.key=value, for example game.followers=100")
    try:
        value = yaml.load(text, Loader=Yaml)
    except yaml.YAMLError:
        raise InvalidSetting(f"--set {override}: the value is not valid YAML") from None
    section = values
    for depth, part in enumerate(location[:-1], start=1):
        if section.get(part) is None:
            section[part] = {}
        section = section[part]
        if not isinstance(section, dict):
            raise InvalidSetting(f"--set {override}: '{'.'.join(location[:depth])}' is a value, not a section")
    section[location[-1]] = value
    for depth in range(1, len(location) + 1):
        places.setdefault(location[:depth], f"--set {override}")
    places[location] = f"--set {override}"


def _in_one_line(error: ValidationError, model: type[BaseModel], path: Path, places: dict[Location, str]) -> str:
    """The first mistake with its place, and how many more settings are mistaken."""
    errors = error.errors(include_url=False)
    locations = [_setting(each) for each in errors]
    mistake = _mistake(errors[0], locations[0], model)
    message = " ".join(f"{_place(mistake, locations[0], path, places)}: {mistake}".split())
    more = len(set(locations)) - 1
    return f"{message} (and {more} more)" if more else message


def _setting(error: Any) -> Location:
    """Section and key; pydantic goes on into items of lists and branches of unions, and names a union's families."""
    return tuple(str(part) for part in error["loc"] if part not in ALGORITHMS)[:2]


def _place(mistake: str, location: Location, path: Path, places: dict[Location, str]) -> str:
    """Where the setting stands; for a mistake in a whole section, where a setting stands that the text names."""
    named = [
        at
        for at in places
        if len(at) == 2 and at[: len(location)] == location and re.search(rf"\b{re.escape(at[-1])}\b", mistake)
    ]
    candidates = [location, *reversed(named)] if len(location) == 2 else [*reversed(named), location]
    known = [places[at] for at in (*candidates, location[:1]) if at in places]
    return known[0] if known else str(path)


def _mistake(error: Any, location: Location, model: type[BaseModel]) -> str:
    name = ".".join(location)
    if error["type"] == "extra_forbidden":
        where = f" in section '{location[0]}'" if location[1:] else ""
        unknown = str(error["loc"][-1])
        return f"unknown setting '{unknown}'{where}{nearest(unknown, _known(model, error['loc'][:-1]))}"
    if error["type"] == "missing":
        return f"{name} is missing"
    if error["type"] == "model_type":
        return f"{name} must be a section with the settings {', '.join(_known(model, error['loc']))}"
    if error["type"] == "value_error":
        text = str(error["ctx"]["error"])
        return text if isinstance(error["input"], BaseModel | dict) else f"{name} = {error['input']!r}: {text}"
    if error["type"].startswith(("int_", "float_", "bool_")):
        return f"{name} = {error['input']!r}: must be {NUMBERS[error['type'].split('_')[0]]}"
    text = re.sub(r"^\w+ should", "must", error["msg"]).replace(" after validation", "").replace("tuple", "list")
    return f"{name} = {error['input']!r}: {text}"


def _known(model: type[BaseModel], location: Sequence[Any]) -> list[str]:
    """The settings of the section at `location`, as pydantic names it."""
    for part in location:
        if part in ALGORITHMS:
            model = ALGORITHMS[part]
            continue
        if isinstance(part, int):  # an item of a list
            continue
        annotation = model.model_fields[part].annotation
        inner = (annotation, *get_args(annotation))
        model = next((each for each in inner if isinstance(each, type) and issubclass(each, BaseModel)), model)
    return list(model.model_fields)
