"""Fills the tables of docs/questions with what their commands print: `python -m experiments.reform.refresh PAGE...`.

A page holds the command in a comment, `<!-- smfg reform ... -->`, then the tables, then `<!-- end -->`.
"""

from __future__ import annotations

import re
import shlex
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from experiments.commands.main import app

MARKED = re.compile(r"<!-- (smfg reform [^>]*?) -->\n(.*?)<!-- end -->", re.DOTALL)
SHOWN = 1  # tables of a page: the answer; its picture has the years, the tenths and the economy, the command the rest


def commands(page: str) -> list[str]:
    """The commands of a page."""
    return [found[1] for found in MARKED.finditer(page)]


def page_part(printed: str) -> str:
    """The part of what a command writes as Markdown that a page shows: the first tables, and the remarks at its end."""
    parts = printed.strip().split("\n\n")
    remarks = [part for part in parts if part.startswith("* ")]
    tables = [part for part in parts if not part.startswith("* ")][: 2 * SHOWN]
    return "\n\n".join([*tables, *remarks]) + "\n"


def printed(command: str, images: bool = True) -> str:
    """What a command writes as Markdown; raises RuntimeError where it fails. images: whether it draws them, too."""
    arguments = shlex.split(command)[1:]
    if not images and "--image" in arguments:
        place = arguments.index("--image")
        del arguments[place : place + 2]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "tables.md"
        code = app([*arguments, "--markdown", str(file)], standalone_mode=False)
        if code not in (0, None):
            raise RuntimeError(f"{command}: exit code {code}")
        return file.read_text(encoding="utf-8")


def refreshed(page: str) -> str:
    """The page with the tables that its commands print now."""

    def filled(found: re.Match[str]) -> str:
        return f"<!-- {found[1]} -->\n{page_part(printed(found[1]))}<!-- end -->"

    return MARKED.sub(filled, page)


def main(pages: Sequence[str]) -> None:
    """Writes the pages anew."""
    for name in pages:
        file = Path(name)
        file.write_text(refreshed(file.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
