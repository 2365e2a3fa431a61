"""The documents stay short: a claim, its figure, its command."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MOST = 20_000  # words of README.md and docs/ together, tables included


def words(page: Path) -> int:
    """Those with a letter: a figure, or a line between columns, is no word."""
    return sum(any(letter.isalpha() for letter in word) for word in page.read_text(encoding="utf-8").split())


def test_the_documents_have_fewer_words_than_a_reader_s_patience() -> None:
    counts = {page.relative_to(ROOT).as_posix(): words(page) for page in (ROOT / "docs").rglob("*.md")}
    counts["README.md"] = words(ROOT / "README.md")
    longest = sorted(counts.items(), key=lambda item: -item[1])[:5]
    assert sum(counts.values()) < MOST, longest


def test_the_glossary_maps_the_three_fields() -> None:
    head = "| here | paper | reinforcement learning | macroeconomics |"
    assert head in (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
