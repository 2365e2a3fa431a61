"""Bars that say how far something is that takes a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn


@contextmanager
def progress(console: Console, name: str, total: float) -> Iterator[Callable[[float], None]]:
    """A bar on a terminal, else a line when it begins."""
    shown = console.is_terminal and not console.is_dumb_terminal
    if not shown:
        console.print(f"{name} ...", highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("left:"), TimeRemainingColumn(), console=console, disable=not shown) as bar:
        task = bar.add_task(name, total=total)
        yield lambda done: bar.advance(task, done)
        bar.update(task, completed=total)
