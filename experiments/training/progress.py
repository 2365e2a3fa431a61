"""Shows how training goes: a live table on a terminal, one line an iteration elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from itertools import zip_longest
from pathlib import Path
from typing import Protocol, Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from experiments.results.tables import number
from rllib_smfg.storage.checkpoints import path_of
from rllib_smfg.storage.places import Place

# what the live table shows: heading -> rows of (label, name of the number)
ECONOMY = (
    ("per-capita GDP", "economy/per_capita_gdp"),
    ("social welfare", "economy/social_welfare"),
    ("income gini", "economy/income_gini"),
    ("wealth gini", "economy/wealth_gini"),
)
EVALUATION = (
    ("per-capita GDP", "evaluation/per_capita_gdp"),
    ("social welfare", "evaluation/social_welfare"),
    ("years lived", "evaluation/years"),
    ("leader return", "evaluation/leader_return"),
)
BEHAVIOUR = (
    ("saving rate", "households/mean_saving_rate"),
    ("hours a year", "households/mean_hours"),
    ("marginal tax rate", "government/mean_marginal_rate"),
    ("interest rate", "economy/interest_rate"),
)
LEARNING = (
    ("critic loss", "losses/leader_critic", "losses/follower_critic"),
    ("saturation", "learning/leader_saturation", "learning/follower_saturation"),
    ("years a second", "timing/years_per_second"),
    ("runner restarts", "faults/runner_restarts"),
)


class Display(Protocol):
    """Where training reports to."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *exception: object) -> None: ...

    def start(self, title: str, done: int, total: int) -> None:
        """A new seed begins, with `done` of `total` iterations behind it."""

    def update(self, row: Mapping[str, float]) -> None:
        """An iteration is done."""

    def note(self, text: str) -> None:
        """Something that should be read."""


class Mirrored:
    """A display that also brings a place's bucket up to date after every checkpoint."""

    def __init__(self, inner: Display, folder: Path, place: Place) -> None:
        self._inner, self._folder, self._place = inner, folder, place

    def __enter__(self) -> Self:
        self._inner.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self._inner.__exit__(*exception)

    def start(self, title: str, done: int, total: int) -> None:
        """See Display."""
        self._inner.start(title, done, total)

    def update(self, row: Mapping[str, float]) -> None:
        """See Display."""
        self._inner.update(row)
        if path_of(self._folder, int(row["iteration"])).is_dir():
            self._place.push()

    def note(self, text: str) -> None:
        """See Display."""
        self._inner.note(text)


def display(console: Console) -> PlainDisplay | LiveDisplay:
    """The one that fits where output goes."""
    return LiveDisplay(console) if console.is_terminal and not console.is_dumb_terminal else PlainDisplay(console)


class Screen:
    """What both displays have: a seed that is told of beside others on the same screen."""

    _seed = ""

    def beside(self, seed: str) -> Self:
        """The same screen for a seed beside others, which is named with what it shows."""
        other = copy(self)
        other._seed = seed
        return other


class PlainDisplay(Screen):
    """One line an iteration."""

    def __init__(self, console: Console) -> None:
        self._console, self._total, self._latest = console, 0, dict[str, float]()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def start(self, title: str, done: int, total: int) -> None:
        """See Display."""
        self._total, self._latest = total, {}
        self.note(title)

    def update(self, row: Mapping[str, float]) -> None:
        """See Display."""
        self._latest |= row
        parts = [f"iteration {int(row['iteration'])}/{self._total}", f"{int(row['years'])} years"]
        for label, *names in (*_headlines(row), *LEARNING[:3]):
            values = [f"{row[name]:.4g}" for name in names if name in row]
            if values:
                parts.append(f"{label} {' / '.join(values)}")
        parts += [f"evaluated: {label} {row[name]:.4g}" for label, name in EVALUATION if name in row]
        self.note("  ".join(parts))

    def note(self, text: str) -> None:
        """See Display."""
        line = text if text.startswith(self._seed) else f"{self._seed}  {text}"
        self._console.print(line, soft_wrap=True, highlight=False, markup=False)


class LiveDisplay(Screen):
    """A progress bar over a table that keeps the latest of every number."""

    def __init__(self, console: Console) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("iterations"),
            TimeElapsedColumn(),
            TextColumn("left:"),
            TimeRemainingColumn(),
            console=console,
        )
        self._live = Live(self._bar, console=console, refresh_per_second=4)
        self._latest: dict[str, float] = {}

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self._live.__exit__(None, None, None)

    def start(self, title: str, done: int, total: int) -> None:
        """See Display."""
        self._latest = {}
        self._task = self._bar.add_task(title, total=total, completed=done)

    def update(self, row: Mapping[str, float]) -> None:
        """See Display."""
        self._latest |= row
        self._bar.update(self._task, completed=row["iteration"])
        self._live.update(Group(self._bar, *map(Text, filter(None, [self._seed])), _table(self._latest)))

    def note(self, text: str) -> None:
        """See Display."""
        self._live.console.print(text, soft_wrap=True, highlight=False, markup=False)


def _headlines(row: Mapping[str, float]) -> tuple[tuple[str, ...], ...]:
    """Rows for an economy's indicators; for a known game's, its own."""
    known = [(name.removeprefix("game/").replace("_", " "), name) for name in sorted(row) if name.startswith("game/")]
    return tuple(known) or ECONOMY


def _table(latest: Mapping[str, float]) -> Table:
    """Four blocks in two columns, which fit a terminal of 80 characters."""
    left = [*_block("training", _headlines(latest), latest), *_block("evaluation", EVALUATION, latest)]
    right = [*_block("behaviour", BEHAVIOUR, latest), *_block("leader / follower", LEARNING, latest)]
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for _ in range(2):
        table.add_column(no_wrap=True)
        table.add_column(justify="right", no_wrap=True)
    for one, other in zip_longest(left, right, fillvalue=("", "")):
        table.add_row(*one, *other)
    return table


def _block(heading: str, block: tuple[tuple[str, ...], ...], latest: Mapping[str, float]) -> list[tuple[str, str]]:
    """Labels and values of what is known, under a heading; nothing where nothing is."""
    lines = []
    for label, *names in block:
        values = [number(latest[name]) for name in names if name in latest]
        if values:
            lines.append((label, " / ".join(values)))
    return [(f"[bold]{heading}[/bold]", ""), *lines] if lines else []
