"""Tables from CSV files, strictly: comma-separated UTF-8, one header, as many values in every row as it names."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from envs.game import InvalidSetting
from envs.text_files import read_utf8

NUMBER = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?", re.ASCII)
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
SHOWN = 30  # characters of a value that is no number


@dataclass(frozen=True)
class CsvTable:
    """The columns that were asked for: names, and of every row its line in the file and its texts in their order."""

    what: str
    columns: tuple[str, ...]
    rows: list[tuple[int, list[str]]]

    def number_at(self, row: int, column: str) -> float:
        """A cell as a number; raises InvalidSetting where it is none (NaN and infinity are none)."""
        line, cells = self.rows[row]
        text = cells[self.columns.index(column)]
        value = number(text)
        if value is None:
            raise InvalidSetting(f"{self.what}: line {line}, column {column} is {shown(text)}; must be a number")
        return value


def number(text: str) -> float | None:
    """The number that a cell holds, written with a decimal point and no separators; None where it holds none."""
    return float(text) if NUMBER.fullmatch(text.strip()) else None


def shown(text: str) -> str:
    """A cell in quotes, cut where it is long."""
    return f"'{text if len(text) <= SHOWN else text[:SHOWN] + '...'}'"


def read_table(path: Path, what: str, columns: Sequence[str]) -> CsvTable:
    """The named columns of a CSV file, in any order and case and among others; blank lines are left out.

    what: how messages call the file. Raises InvalidSetting that names the line, or the column that is missing.
    """
    wanted = f"columns {', '.join(columns)}"
    text = read_utf8(path, what)
    if not text.strip():
        raise InvalidSetting(f"{what}: the file is empty; must have {wanted}")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        lines = [(reader.line_num, row) for row in reader if row]
    except csv.Error as error:
        raise InvalidSetting(f"{what}: line {reader.line_num} is not CSV ({error}); must have {wanted}") from None
    header = [name.strip().upper() for name in lines[0][1]]
    _refuse_other_tables(what, lines[0][1], header, columns)
    places = [header.index(column) for column in columns]
    rows = [(line, [row[place] for place in places]) for line, row in _as_long_as(what, header, lines[1:])]
    return CsvTable(what, tuple(columns), rows)


def _refuse_other_tables(what: str, given: list[str], header: list[str], columns: Sequence[str]) -> None:
    """Raises InvalidSetting unless every column is there once."""
    missing = [column for column in columns if column not in header]
    twice = [column for column in columns if header.count(column) > 1]
    if missing:
        why = _why_not(given)
        fault = f"column {missing[0]} is missing" if why is None else why
        raise InvalidSetting(f"{what}: {fault}; must have columns {', '.join(columns)}")
    if twice:
        raise InvalidSetting(
            f"{what}: column {twice[0]} appears more than once; must have columns {', '.join(columns)}"
        )


def _why_not(given: list[str]) -> str | None:
    """What a first line is that is no header of a CSV file."""
    first = ",".join(given)
    if first.startswith("#"):
        return "begins with a comment, not with the names of its columns"
    if first.lstrip().startswith(("{", "[", "<")):
        return "holds JSON, HTML or XML, not CSV"
    if all(number(cell) is not None for cell in given):
        return "begins with numbers: the line with the names of its columns is missing"
    for separator, name in SEPARATORS.items():
        if max(cell.count(separator) for cell in given) > 0:
            return f"is separated by {name}; must be separated by commas, with decimal points"
    return None


def _as_long_as(what: str, header: list[str], lines: list[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
    """The rows; raises InvalidSetting for the first that has not a value for each name."""
    for line, row in lines:
        if len(row) < len(header):
            raise InvalidSetting(
                f"{what}: line {line} has {len(row)} of {len(header)} values, column {header[len(row)]} is missing;"
                " is the file truncated?"
            )
        if len(row) > len(header):
            raise InvalidSetting(
                f"{what}: line {line} has {len(row)} values, the header names {len(header)} columns;"
                " is there a comma within a number?"
            )
        yield line, row
