"""A page's sentences and tables as Markdown, for documents that keep them."""

from __future__ import annotations

from experiments.report.page import Cell, Page, Table


def markdown(page: Page) -> str:
    """The summary and all tables, without drawings; every number stands in the page as well."""
    parts = [f"{sentence}" for sentence in page.summary]
    for section in page.sections:
        for table in section.tables:
            parts.append(f"**{section.title}{', ' + table.caption if table.caption else ''}**")
            parts.append(_table(table))
    return "\n\n".join(parts) + "\n"


def _table(table: Table) -> str:
    aligned = [" --- " if k < table.named else " ---: " for k in range(len(table.heads))]
    lines = ["| " + " | ".join(table.heads) + " |", "|" + "|".join(aligned) + "|"]
    lines += ["| " + " | ".join(map(_cell, row)) + " |" for row in table.rows]
    return "\n".join(lines)


def _cell(cell: Cell) -> str:
    text = f"{cell.text} ({cell.note})" if cell.note else cell.text
    return text.replace("|", "\\|")
