"""A page's sentences and tables as Markdown, for documents that keep them."""

from __future__ import annotations

from experiments.report.page import Cell, Page
from experiments.results.markdown import markdown_table


def markdown(page: Page) -> str:
    """The summary and all tables, without drawings; every number stands in the page as well."""
    parts = [f"{sentence}" for sentence in page.summary]
    for section in page.sections:
        for table in section.tables:
            parts.append(f"**{section.title}{', ' + table.caption if table.caption else ''}**")
            rows = ([_cell(cell) for cell in row] for row in table.rows)
            parts.append(markdown_table(table.heads, rows, table.named))
    return "\n\n".join(parts) + "\n"


def _cell(cell: Cell) -> str:
    return f"{cell.text} ({cell.note})" if cell.note else cell.text
