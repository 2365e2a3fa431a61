"""What a seed leaves behind while it trains: progress.csv, TensorBoard events, and a run of Weights & Biases."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tensorboardX import SummaryWriter
from tensorboardX.summary import hparams

from envs import InvalidSetting
from envs.csv_table import shown
from envs.text_files import read_utf8
from experiments.configuration.config import Experiment
from experiments.training.wandb_log import WandbLog, Wanted
from rllib_smfg.economics.pictures import Look
from rllib_smfg.storage.files import write_text


class RunLog:
    """Writes one row an iteration; a log that goes on from iteration k forgets what came after it.

    folder: the seed's; columns: those of the file, fixed from the first row; years: played up to `iteration`;
    wandb: see `wandb_log`.
    """

    def __init__(self, folder: Path, columns: list[str], *, iteration: int, years: int, wandb: Wanted = False) -> None:
        self._columns = columns
        path = folder / "progress.csv"
        rows = [row for row in read_progress_rows(path) if row["iteration"] <= iteration] if iteration else []
        write_text(path, _lines(columns, [None, *rows]))
        self._file = path.open("a", encoding="utf-8")
        self._events = SummaryWriter(
            str(folder / "tensorboard"), purge_step=years + 1, flush_secs=10, filename_suffix=f".{iteration:06d}"
        )
        self._wandb = None if wandb is False else WandbLog(folder, wandb)

    def add(self, row: Mapping[str, float]) -> None:
        """Adds an iteration; numbers that this one does not have stay empty."""
        self._file.write(_lines(self._columns, [row]))
        self._file.flush()
        grouped = {name: value for name, value in row.items() if "/" in name}
        for name, value in grouped.items():
            self._events.add_scalar(name, value, global_step=int(row["years"]))
        if self._wandb:
            self._wandb.add(int(row["years"]), grouped)

    def add_look(self, years: int, look: Look) -> None:
        """Adds histograms over households, and pictures, to the events."""
        for name, values in look.distributions().items():
            self._events.add_histogram(name, values, global_step=years)
        for name, image in look.images().items():
            self._events.add_image(name, image, global_step=years, dataformats="HWC")
        if self._wandb:
            self._wandb.add_look(years, look)

    def add_settings(self, settings: Mapping[str, Any], metrics: list[str]) -> None:
        """Tells TensorBoard's table of runs (HPARAMS) what was set, and which scalars are its results."""
        plain = {
            name: value if isinstance(value, bool | int | float) else str(value) for name, value in settings.items()
        }
        for summary in hparams(plain, dict.fromkeys(metrics, 0.0)):
            self._events.file_writer.add_summary(summary)
        if self._wandb:
            self._wandb.add_settings(plain)

    def close(self) -> None:
        """Writes out what is left."""
        self._file.close()
        self._events.close()
        if self._wandb:
            self._wandb.close()


def read_progress_rows(path: Path) -> list[dict[str, float]]:
    """The rows of a progress.csv, without empty fields; a last row that was cut off is left out.

    Raises InvalidSetting that names the line for any other that does not fit its header.
    """
    if not path.is_file():
        return []
    text = read_utf8(path, str(path))
    header, *rows = [*csv.reader(io.StringIO(text, newline=""))] or [[]]
    if rows and (not text.endswith("\n") or len(rows[-1]) < len(header)):
        rows.pop()
    return [_numbers(path, line, header, row) for line, row in enumerate(rows, start=2)]


def _numbers(path: Path, line: int, header: list[str], row: list[str]) -> dict[str, float]:
    """A row's numbers by their names."""
    if len(row) != len(header):
        raise InvalidSetting(f"{path}: line {line} has {len(row)} values, the header names {len(header)} columns")
    numbers = {}
    for name, text in zip(header, row, strict=True):
        try:
            if text:  # an evaluation may be nan, which is one of Python's numbers
                numbers[name] = float(text)
        except ValueError:
            fault = f"column {name} is {shown(text)}; must be a number"
            raise InvalidSetting(f"{path}: line {line}, {fault}") from None
    return numbers


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


def settings_shown(experiment: Experiment, seed: int) -> dict[str, Any]:
    """What TensorBoard's table of runs lists: `section.key` of game and algorithm, and the seed."""
    sections = {name: getattr(experiment, name).settings() for name in ("game", "algorithm")}
    named = {"seed": seed, "algorithm.method": experiment.algorithm.method}
    return named | {f"{name}.{key}": value for name, keys in sections.items() for key, value in keys.items()}
