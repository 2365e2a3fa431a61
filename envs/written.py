"""What a person may write where a whole number, a number, true or false, or text is asked for.

YAML and Python read `yes` as true, and true counts as 1 in arithmetic; a number in quotes is text. Neither is taken for
a number anywhere: games, policies and the sections of a configuration ask the same question here.
"""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Integral, Real
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, get_args, get_origin

# what is judged here, and how it is called; a setting of any other kind is judged by whoever knows it
WORDS: dict[type, tuple[str, str]] = {
    int: ("a whole number", "whole numbers"),
    float: ("a number", "numbers"),
    bool: ("true or false", "true or false"),
    str: ("text", "text"),
}


def mistyped(value: Any, hint: Any) -> str | None:
    """What a value of this type hint must be, where it is something else: 'must be a whole number'; None if it fits.

    Lists are judged item by item; shapes, bounds and choices are not judged at all.
    """
    kinds = frozenset(_kinds(hint))
    if not kinds or not kinds <= {*WORDS, NoneType}:
        return None
    wrong = [item for item in _items(value) if not _fits(item, kinds)]
    if not wrong:
        return None
    several = isinstance(value, list | tuple) or get_origin(hint) in (tuple, list)
    wanted = " or ".join(words[several] for kind, words in WORDS.items() if kind in kinds)
    return f"must be {wanted}{_why(wrong[0])}"


def _kinds(hint: Any) -> Iterator[Any]:
    """The types that a hint's values are made of; anything else stands for itself, and is not judged."""
    if get_origin(hint) is Annotated:
        yield from _kinds(get_args(hint)[0])
    elif get_origin(hint) is None:
        yield str if hint is Path else NoneType if hint is None else hint
    elif get_origin(hint) in (tuple, list) or NoneType in get_args(hint) or _is_union(hint):
        for inner in get_args(hint):
            if inner is not Ellipsis:
                yield from _kinds(inner)
    else:
        yield hint


def _is_union(hint: Any) -> bool:
    return type(hint).__name__ in ("UnionType", "Union", "_UnionGenericAlias")


def _items(value: Any) -> Iterator[Any]:
    if isinstance(value, list | tuple):
        for inner in value:
            yield from _items(inner)
    else:
        yield value


def _fits(item: Any, kinds: frozenset[Any]) -> bool:
    if item is None:
        return NoneType in kinds
    if isinstance(item, str | Path):
        return str in kinds
    if isinstance(item, bool) or type(item).__name__ == "bool":  # numpy's own, too
        return bool in kinds
    if isinstance(item, Integral):
        return bool({int, float} & kinds)
    if isinstance(item, Real):
        return float in kinds or (int in kinds and float(item).is_integer())
    return False


def _why(wrong: Any) -> str:
    """What reads like a number, and is none."""
    if isinstance(wrong, bool):
        return ", not true or false (as which yes, no, on and off are read)"
    try:
        float(str(wrong).replace(":", "."))
    except ValueError:
        return ""
    return ", without quotes or leading zeros" if isinstance(wrong, str) and wrong.isascii() else ""
