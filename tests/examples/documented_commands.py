"""The commands that the documents name: in blocks of a shell, and inline between backticks."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "README.md"])
BLOCK = re.compile(r"```(?:bash|sh|shell|console)?\n(.*?)```", re.S)
# words that stand for something of the reader's
STANDS_FOR = re.compile(r"\b[A-Z]{3,}\b|runs/|\.\.\.|s3://|wealth\.yaml|bench\.json")


@dataclass(frozen=True)
class DocumentedCommand:
    """A command as it is written, and the page that it stands on."""

    text: str
    page: str

    @property
    def words(self) -> list[str]:
        """Its words after `smfg`, as a shell splits them; what is optional counts as there."""
        braces = re.sub(r"(\S*)\{([\w,]+)\}(\S*)", _each, self.text)
        return shlex.split(re.sub(r"\[(--[^\]]+)\]", r"\1", braces))[1:]

    @property
    def mention(self) -> bool:
        """Whether it only names a command, for what its options do elsewhere."""
        return len(self.words) == 1

    @property
    def of_the_reader(self) -> bool:
        """Whether it needs something that only the reader has."""
        return bool(STANDS_FOR.search(self.text))


def documented_commands() -> list[DocumentedCommand]:
    """All of them, each once."""
    found: dict[str, DocumentedCommand] = {}
    for page in PAGES:
        name = page.relative_to(ROOT).as_posix()
        for text in _commands(page.read_text(encoding="utf-8")):
            found.setdefault(text, DocumentedCommand(text, name))
    return [found[text] for text in sorted(found)]


def _commands(text: str) -> Iterator[str]:
    for block in BLOCK.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            command = re.split(r"\s+# ", line.strip().removeprefix("$ ").removeprefix(".venv/bin/"))[0].strip()
            if command.startswith("smfg "):
                yield " ".join(command.split())
    for command in re.findall(r"`(smfg [^`]+)`", BLOCK.sub("", text)):
        yield " ".join(command.split())


def _each(match: re.Match[str]) -> str:
    """A shell's braces, seed_{1,2} as seed_1 seed_2; a policy in YAML, which has colons or spaces, is none."""
    before, inside, after = match.groups()
    return " ".join(f"{before}{part}{after}" for part in inside.split(","))
