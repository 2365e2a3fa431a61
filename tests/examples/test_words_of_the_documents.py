"""The documents stay short: a claim, its figure, its command."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MOST = 20_000  # what `wc -w README.md docs/*.md docs/*/*.md` may come to, tables included


def test_the_documents_have_fewer_words_than_a_reader_s_patience() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    counts = {page.relative_to(ROOT).as_posix(): len(page.read_text(encoding="utf-8").split()) for page in pages}
    longest = sorted(counts.items(), key=lambda item: -item[1])[:5]
    assert sum(counts.values()) < MOST, (sum(counts.values()), longest)


def test_the_glossary_maps_the_three_fields() -> None:
    head = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").split("\n|")[1]
    assert [cell.strip() for cell in head.strip("|\n").split("|")] == [
        "here",
        "paper",
        "reinforcement learning",
        "macroeconomics",
    ]
