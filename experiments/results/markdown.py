"""Tables in Markdown, for documents that keep them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def markdown_table(heads: Sequence[str], rows: Iterable[Sequence[str]], named: int | None = None) -> str:
    """Lines without an end: `rows` of as many cells as `heads`. Columns after the first `named` hold numbers."""
    text_columns = len(heads) if named is None else named
    aligned = ["---" if k < text_columns else "---:" for k in range(len(heads))]
    return "\n".join(_line(cells) for cells in (heads, aligned, *rows))


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
