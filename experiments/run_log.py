"""What a seed leaves behind while it trains: progress.csv and TensorBoard events."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tensorboardX import SummaryWriter
from tensorboardX.summary import hparams

from experiments.files import write_text
from experiments.run_pictures import Look


class RunLog:
    """Writes one row an iteration; a log that goes on from iteration k forgets what came after it.

    folder: the seed's; columns: those of the file, fixed from the first row; years: played up to `iteration`.
    """

    def __init__(self, folder: Path, columns: list[str], *, iteration: int, years: int) -> None:
        self._columns = columns
        path = folder / "progress.csv"
        rows = [row for row in read_progress(path) if row["iteration"] <= iteration] if iteration else []
        write_text(path, _lines(columns, [None, *rows]))
        self._file = path.open("a", encoding="utf-8")
        self._events = SummaryWriter(
            str(folder / "tensorboard"), purge_step=years + 1, flush_secs=10, filename_suffix=f".{iteration:06d}"
        )

    def add(self, row: Mapping[str, float]) -> None:
        """Adds an iteration; numbers that this one does not have stay empty."""
        self._file.write(_lines(self._columns, [row]))
        self._file.flush()
        for name, value in row.items():
            if "/" in name:
                self._events.add_scalar(name, value, global_step=int(row["years"]))

    def add_look(self, years: int, look: Look) -> None:
        """Adds histograms over households, and pictures, to the events."""
        for name, values in look.distributions().items():
            self._events.add_histogram(name, values, global_step=years)
        for name, image in look.images().items():
            self._events.add_image(name, image, global_step=years, dataformats="HWC")

    def add_settings(self, settings: Mapping[str, Any], metrics: list[str]) -> None:
        """Tells TensorBoard's table of runs (HPARAMS) what was set, and which scalars are its results."""
        plain = {
            name: value if isinstance(value, bool | int | float) else str(value) for name, value in settings.items()
        }
        for summary in hparams(plain, dict.fromkeys(metrics, 0.0)):
            self._events.file_writer.add_summary(summary)

    def close(self) -> None:
        """Writes out what is left."""
        self._file.close()
        self._events.close()


def read_progress(path: Path) -> list[dict[str, float]]:
    """The rows of a progress.csv, without empty fields; a row that was cut off is left out."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        complete = [row for row in rows if None not in row and None not in row.values()]
    return [{name: float(text) for name, text in row.items() if text} for row in complete]


def _lines(columns: list[str], rows: list[Mapping[str, float] | None]) -> str:
    """CSV lines; None stands for the header."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    for row in rows:
        if row is None:
            writer.writeheader()
        else:
            writer.writerow({name: f"{value:.10g}" for name, value in row.items()})
    return text.getvalue()
