"""The page: what it is made of, and how it becomes one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import resources

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from experiments.report.drawing import Panel


@dataclass(frozen=True)
class Cell:
    """A cell of a table: its text, a smaller second line, and the number it is sorted by (empty: by its text)."""

    text: str
    note: str = ""
    value: float | None = None


@dataclass(frozen=True)
class PageTable:
    """A table that the reader can sort by any column. The first `named` columns are text."""

    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    caption: str = ""
    named: int = 1


@dataclass(frozen=True)
class Tile:
    """One number of the page's head."""

    label: str
    value: str
    note: str


@dataclass(frozen=True)
class Code:
    """Text to be copied, or to be unfolded where it is long."""

    text: str
    title: str = ""


@dataclass(frozen=True)
class PageSection:
    """A part of the page, in this order: sentences, tables, panels, code."""

    anchor: str
    title: str
    text: Sequence[str] = ()
    tables: Sequence[PageTable] = ()
    panels: Sequence[Panel] = ()
    code: Sequence[Code] = ()


@dataclass(frozen=True)
class Page:
    """All of it; `kind` stands above the title, `made` says when and by which command."""

    kind: str
    title: str
    subtitle: str
    made: str
    summary: Sequence[str]
    tiles: Sequence[Tile] = ()
    sections: Sequence[PageSection] = field(default_factory=list)


def render(page: Page) -> str:
    """The page as HTML: styles, script and drawings are in the file, and nothing is fetched."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["drawing"] = Markup
    template = environment.from_string(_part("page.html.j2"))
    return template.render(page=page, style=Markup(_part("style.css")), script=Markup(_part("sort.js")))


def _part(name: str) -> str:
    return (resources.files("experiments.report") / "template" / name).read_text(encoding="utf-8")
