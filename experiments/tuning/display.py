"""Shows how many trials get on: a live table on a terminal, a line for each trial now and then elsewhere."""

from __future__ import annotations

import time
from typing import Any, Self

from ray import tune
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.live import Live
from rich.table import Table

from experiments.results.tables import label, number
from experiments.tuning.trial_training import trial_number

PAUSE = 10.0  # seconds between two lines of a trial, where there is no terminal
ROWS = 30
# the first that a row has is shown
SHOWN = ("evaluation/per_capita_gdp", "economy/per_capita_gdp", "evaluation/leader_return", "timing/years_per_second")

_open: list[TrialsDisplay] = []


def open_display() -> TrialsDisplay:
    """The display that is open in this process."""
    return _open[-1]


class TrialsDisplay(tune.Callback):
    """Tune tells it of every result; `metric` is shown beside the progress (default: the first known of `SHOWN`)."""

    def __init__(self, console: Console, total: int, metric: str | None = None) -> None:
        self._console, self._total = console, total
        self._names = (metric,) if metric else SHOWN
        self._lines: dict[str, tuple[str, str, str]] = {}
        self._said: dict[str, float] = {}
        self.ended = 0
        terminal = console.is_terminal and not console.is_dumb_terminal
        self._live = Live(console=console, refresh_per_second=2) if terminal else None

    def __enter__(self) -> Self:
        _open.append(self)
        if self._live:
            self._live.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        _open.remove(self)
        if self._live:
            self._live.__exit__(None, None, None)

    def __reduce__(self) -> tuple[Any, ...]:
        # Tune pickles its callbacks with its state: whoever goes on with it has a screen of his own
        return open_display, ()

    # --- what Tune calls ----------------------------------------------------------------------------------------------
    def on_trial_result(self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **_: Any) -> None:
        """A trial reports a row of its progress."""
        total = trial.config["work"].experiment["training"]["iterations"]
        self._latest(trial, f"iteration {int(result['iteration'])}/{total}", result, now=False)

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **_: Any) -> None:
        """A trial is at its end, or the scheduler has stopped it."""
        self._latest(trial, f"done, iteration {int(trial.last_result.get('iteration', 0))}", trial.last_result)

    def on_trial_recover(self, iteration: int, trials: list[Any], trial: Any, **_: Any) -> None:
        """A trial has died and is started again."""
        self._latest(trial, "died, is started again", {})

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **_: Any) -> None:
        """A trial has failed for good."""
        self._latest(trial, "failed", {})

    def on_step_end(self, iteration: int, trials: list[Any], **_: Any) -> None:
        """After every event; those that are interrupted afterwards do not count as ended."""
        self.ended = sum(trial.is_finished() for trial in trials)

    # --- showing -----------------------------------------------------------------------------------------------------
    def _latest(self, trial: Any, state: str, row: dict[str, Any], now: bool = True) -> None:
        title = trial.config["work"].title or trial_number(trial.trial_id)
        known = [(label(name.split("/", 1)[-1]), number(row[name])) for name in self._names if name in row]
        name, value = known[0] if known else ("", "")
        self._lines[title] = (state, name, value)
        if self._live:
            self._live.update(self._table())
        elif now or time.monotonic() - self._said.get(title, 0.0) > PAUSE:
            self._said[title] = time.monotonic()
            text = "  ".join(part for part in (title, state, f"{name} {value}".strip()) if part)
            self._console.print(text, soft_wrap=True, highlight=False, markup=False)

    def _table(self) -> Table:
        table = Table(box=SIMPLE_HEAD, pad_edge=False, title=f"{len(self._lines)} of {self._total} trials started")
        for heading in ("trial", "progress"):
            table.add_column(heading)
        table.add_column("latest", justify="right")
        shown = sorted(self._lines.items(), key=lambda item: item[1][0].startswith("done"))[:ROWS]
        for title, (state, name, value) in shown:
            table.add_row(title, state, f"{name} {value}")
        return table
