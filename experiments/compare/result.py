"""What a comparison found: on the screen, as JSON, CSV and Markdown."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from envs.game import Array
from experiments.compare.config import Comparing
from experiments.compare.estimates import Estimate, differences, estimates
from experiments.comparison import COLUMNS
from experiments.files import write_json, write_text
from experiments.markdown import markdown_table
from experiments.metrics import headlines
from experiments.run_report import versions
from experiments.tables import comparison_table, label, number, span

Rows = dict[str, dict[str, Estimate]]
FILES = ("comparison.json", "comparison.csv", "comparison.md")


@dataclass(frozen=True)
class Result:
    """Estimates by row and indicator, and those of differences to the reference (none for the reference itself)."""

    rows: Rows
    differences: Rows
    values: Mapping[str, Mapping[str, Array]]  # by row and indicator, (training seeds, episodes)

    def indicators(self) -> list[str]:
        """What is written down of each row."""
        return headlines(next(iter(self.rows.values())))

    def columns(self) -> list[str]:
        """What is shown of each row: the columns of the paper's tables, all for a game that is no economy."""
        names = self.indicators()
        return [name for name in COLUMNS if name in names] if "per_capita_gdp" in names else names


def summed_up(values: Mapping[str, Mapping[str, Array]], reference: str | None) -> Result:
    """The result of rows of indicators, (training seeds, episodes) each, that met the same luck."""
    names = headlines(next(iter(values.values())))
    kept = {row: {name: found[name] for name in names} for row, found in values.items()}
    others = [row for row in kept if row != reference] if reference else []
    compared = {row: differences(kept[row], kept[str(reference)]) for row in others}
    return Result({row: estimates(found) for row, found in kept.items()}, compared, kept)


def show(console: Console, comparing: Comparing, result: Result) -> None:
    """Prints both tables."""
    console.print(comparison_table(_title(comparing, result), result.rows, result.columns(), "iqm"))
    if result.differences:
        title = f"differences to {comparing.reference} in the same episodes, with 95 % intervals"
        console.print(comparison_table(title, result.differences, result.columns(), "iqm", most_unbroken=0))


def write(folder: Path, comparing: Comparing, result: Result, command: str) -> None:
    """Writes `FILES` into a folder."""
    write_json(folder / FILES[0], _content(comparing, result, command))
    write_text(folder / FILES[1], _csv(result))
    write_text(folder / FILES[2], _markdown(comparing, result, command))


def _title(comparing: Comparing, result: Result) -> str:
    luck, training = comparing.evaluation, {row: len(next(iter(x.values()))) for row, x in result.values.items()}
    episodes = len(luck.seeds) * luck.episodes
    most = max(training.values())
    over = f"{episodes} episodes" + (f", up to {most} training seeds" if most > 1 else "")
    game = comparing.game
    return f"{game.name}, N = {game.followers}: inter-quartile mean and its 95 % interval over {over}"


def _content(comparing: Comparing, result: Result, command: str) -> dict[str, Any]:
    rows = {
        row: {
            "indicators": {name: asdict(found[name]) for name in found},
            "differences": {name: asdict(each) for name, each in result.differences.get(row, {}).items()},
            "episodes": {name: values.tolist() for name, values in result.values[row].items()},
        }
        for row, found in result.rows.items()
    }
    config = comparing.model_dump(mode="json")
    return {
        "rows": rows,
        "reference": comparing.reference,
        "config": config,
        "versions": versions(),
        "command": command,
    }


def _csv(result: Result) -> str:
    """A line for each row and indicator."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    head = ["policy", "indicator", "mean", "iqm", "ci_low", "ci_high"]
    writer.writerow([*head, "difference", "difference_low", "difference_high"])
    for row, found in result.rows.items():
        for name, each in found.items():
            other = result.differences.get(row, {}).get(name)
            paired = (other.iqm, other.ci_low, other.ci_high) if other else ("", "", "")
            writer.writerow([row, name, each.mean, each.iqm, each.ci_low, each.ci_high, *paired])
    return text.getvalue()


def _markdown(comparing: Comparing, result: Result, command: str) -> str:
    """Both tables, for a page or a letter."""
    parts = [f"{_title(comparing, result)} (`{command}`).", _table(result.rows, result.columns())]
    if result.differences:
        parts += [f"Differences to {comparing.reference} in the same episodes:"]
        parts += [_table(result.differences, result.columns())]
    return "\n\n".join(parts) + "\n"


def _table(rows: Rows, columns: Sequence[str]) -> str:
    cells = (
        [row, *(f"{number(found[name].iqm)} ({span(found[name])})" for name in columns)] for row, found in rows.items()
    )
    return markdown_table(["policy", *map(label, columns)], cells)
