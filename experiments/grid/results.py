"""The one tidy file of a grid: run, seed, setting, indicator, years, value."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from envs import InvalidSetting
from envs.text_files import read_utf8
from rllib_smfg.storage.files import write_text

COLUMNS = ("run", "seed", "setting", "indicator", "years", "value")
COMMAND, SHOWS = "# command: ", "# shows: "


@dataclass(frozen=True)
class ResultRow:
    """One number. years: played before it, in training; None for the final evaluation."""

    run: str
    seed: int
    setting: str
    indicator: str
    years: int | None
    value: float


@dataclass(frozen=True)
class Results:
    """All numbers of a grid, the command that made them, and what they are to be shown as."""

    command: str
    shows: tuple[str, ...]
    rows: tuple[ResultRow, ...]

    def settings(self) -> list[str]:
        """The settings, in the order of the file."""
        return list(dict.fromkeys(row.setting for row in self.rows))

    def per_seed(self, setting: str, indicator: str) -> dict[int, float]:
        """The final value of every seed; empty where there is none."""
        wanted = (setting, indicator, None)
        return {row.seed: row.value for row in self.rows if (row.setting, row.indicator, row.years) == wanted}

    def curves(self, setting: str, indicator: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Years (T,) and values (seeds, T) over training, at the years that all seeds have."""
        by_seed: dict[int, dict[int, float]] = {}
        for row in self.rows:
            if row.setting == setting and row.indicator == indicator and row.years is not None:
                by_seed.setdefault(row.seed, {})[row.years] = row.value
        if not by_seed:
            return np.zeros(0, dtype=np.int64), np.zeros((0, 0))
        years = sorted(set.intersection(*(set(each) for each in by_seed.values())))
        return np.array(years, dtype=np.int64), np.array([[each[year] for year in years] for each in by_seed.values()])


def write_results(path: Path, command: str, shows: Sequence[str], rows: Iterable[ResultRow]) -> None:
    """Writes the file."""
    text = io.StringIO()
    text.write(f"{COMMAND}{command}\n{SHOWS}{' '.join(shows)}\n")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        years = "" if row.years is None else row.years
        writer.writerow([row.run, row.seed, row.setting, row.indicator, years, f"{row.value:.8g}"])
    write_text(path, text.getvalue())


def read_results(path: Path) -> Results:
    """Reads the file; raises InvalidSetting where it is none, with the line that cannot be read."""
    lines = read_utf8(path, f"{path}, results of smfg grid").splitlines()
    if len(lines) < 3 or not lines[0].startswith(COMMAND) or not lines[1].startswith(SHOWS):
        raise InvalidSetting(f"{path}: holds no results of smfg grid (it must begin with '{COMMAND.strip()}')")
    if tuple(lines[2].split(",")) != COLUMNS:
        raise InvalidSetting(f"{path}:3: must be {','.join(COLUMNS)}")
    rows = []
    for number, cells in enumerate(csv.reader(lines[3:]), start=4):
        try:
            run, seed, setting, indicator, years, value = cells
            rows.append(ResultRow(run, int(seed), setting, indicator, int(years) if years else None, float(value)))
        except ValueError:
            raise InvalidSetting(f"{path}:{number}: not a row of {','.join(COLUMNS)}") from None
    return Results(lines[0].removeprefix(COMMAND), tuple(lines[1].removeprefix(SHOWS).split()), tuple(rows))
