"""A hook of mkdocs: a line `<!-- settings: NAME ... -->` becomes the table of the settings that those classes state."""

from __future__ import annotations

import re
from dataclasses import MISSING, Field, fields
from typing import Any

from rllib_smfg import settings
from rllib_smfg.bounds import BOUNDS
from rllib_smfg.structural.settings import StructuralSettings

MARK = re.compile(r"<!-- settings: ([\w ]+) -->")
HEAD = "| setting | type | default | what |\n|---|---|---|---|\n"


def on_page_markdown(markdown: str, **_: Any) -> str:
    """The page's text with such lines replaced."""
    return MARK.sub(lambda mark: HEAD + "\n".join(map(_row, _stated(mark.group(1).split()))), markdown)


def _stated(names: list[str]) -> list[Field[Any]]:
    known = {**vars(settings), "StructuralSettings": StructuralSettings}
    return [each for name in names for each in fields(known[name])]


def _row(each: Field[Any]) -> str:
    default = each.default if each.default_factory is MISSING else each.default_factory()
    shown = "empty" if default is None or each.metadata.get("unset") else f"`{default}`"
    bounds = BOUNDS.get(each.name)
    within = f" ({bounds.words()})" if bounds else ""
    return f"| `{each.name}` | {str(each.type).replace('|', 'or')} | {shown} | {each.metadata['says']}{within} |"
