"""What a comparison found: on the screen, as JSON, CSV and Markdown."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from envs import StackelbergMeanFieldGame
from envs.economy.game import Economy
from envs.economy.indicators import TENTHS
from experiments.compare.config import Comparing
from experiments.compare.contenders import Together
from experiments.results.comparison import COLUMNS
from experiments.results.markdown import markdown_table
from experiments.results.tables import comparison_table, headline, label, number, span
from experiments.results.welfare_tables import (
    BESIDE,
    HEADS,
    LIVED,
    Standing,
    Standings,
    by_wealth_table,
    by_wealth_title,
    marked,
    welfare_table,
    welfare_title,
)
from experiments.training.summary import versions
from rllib_smfg.economics import welfare
from rllib_smfg.economics.welfare import ConsumptionEquivalent
from rllib_smfg.metrics import headlines
from rllib_smfg.statistics.estimates import Estimate, differences, estimates
from rllib_smfg.storage.files import write_json, write_text

EstimateRows = dict[str, dict[str, Estimate]]
GAIN = "consumption_equivalent"
FILES = ("comparison.json", "comparison.csv", "comparison.md")


@dataclass(frozen=True)
class CompareResult:
    """Estimates by row and indicator, and those of differences to the reference (none for the reference itself).

    standings: consumption equivalents by row; empty where the game has none, for which `obstacle` says why, if there
    is anything to say. marks: in words, when a row's episodes end early.
    """

    rows: EstimateRows
    differences: EstimateRows
    values: Mapping[str, Together]
    standings: Standings
    obstacle: str
    marks: Mapping[str, str]

    def indicators(self) -> list[str]:
        """What is written down of each row."""
        return list(next(iter(self.rows.values())))

    def columns(self) -> list[str]:
        """What is shown of each row: the columns of the paper's tables, all for a game that is no economy."""
        names = self.indicators()
        return [name for name in COLUMNS if name in names] if "per_capita_gdp" in names else names

    def marked(self, row: str) -> str:
        """A row's name, with a word where its episodes end early."""
        return marked(row, self.marks[row])

    def gain(self, row: str) -> ConsumptionEquivalent | None:
        """A row's consumption equivalent, where there is one."""
        return self.standings[row].gain if row in self.standings else None


def summed_up(values: Mapping[str, Together], reference: str | None, game: StackelbergMeanFieldGame) -> CompareResult:
    """The result of rows that met the same luck in such games."""
    known = next(iter(values.values())).indicators
    names = headlines(known)
    told = welfare.measurable(game)
    if told:
        names += [name for name in BESIDE if name in known]
    kept = {row: {name: found.indicators[name] for name in names} for row, found in values.items()}
    others = [row for row in kept if row != reference] if reference else []
    compared = {row: differences(kept[row], kept[str(reference)]) for row in others}
    rows = {row: estimates(found) for row, found in kept.items()}
    obstacle = welfare.obstacle(game.parameters) if told and isinstance(game, Economy) else ""
    marks = {row: welfare.ending(found.indicators["years"], found.ended_early) for row, found in values.items()}
    standings = {}
    if reference and told and not obstacle and isinstance(game, Economy):
        base = values[reference].worth
        for row, found in values.items():
            gain = welfare.compared(game.parameters, reference, found.worth, base)
            beside = {name: rows[row][name].iqm for name in BESIDE}
            standings[row] = Standing(gain, float(found.ended_early.mean()), beside, marks[row])
    return CompareResult(rows, compared, values, standings, obstacle, marks)


def show_comparison(console: Console, comparing: Comparing, result: CompareResult, by_wealth: bool) -> None:
    """Prints the tables, consumption equivalents first."""
    if result.standings:
        heading = welfare_title(str(comparing.reference), _episodes(comparing), "inter-quartile mean")
        console.print(welfare_table(heading, result.standings, comparing.game.followers))
    if result.standings and by_wealth:
        console.print(by_wealth_table(by_wealth_title(str(comparing.reference)), result.standings))
    if result.obstacle:
        _say(console, f"no consumption equivalents: {result.obstacle}")
    marked = {result.marked(row): found for row, found in result.rows.items()}
    console.print(comparison_table(_title(comparing, result), marked, result.columns()))
    if result.differences:
        title = f"differences to {comparing.reference} in the same episodes, with 95 % intervals"
        others = {result.marked(row): found for row, found in result.differences.items()}
        console.print(comparison_table(title, others, result.columns(), most_unbroken=0))
    if any(result.marks.values()):
        _say(console, LIVED)


def _share_ended(result: CompareResult, row: str) -> float:
    return float(result.values[row].ended_early.mean())


# --- files -----------------------------------------------------------------------------------------------------------
def write_comparison(folder: Path, comparing: Comparing, result: CompareResult, command: str) -> None:
    """Writes `FILES` into a folder."""
    write_json(folder / FILES[0], _content(comparing, result, command))
    write_text(folder / FILES[1], _csv(result))
    write_text(folder / FILES[2], _markdown(comparing, result, command))


def _title(comparing: Comparing, result: CompareResult) -> str:
    most = max(len(found.worth) for found in result.values.values())
    over = f"{_episodes(comparing)} episodes" + (f", up to {most} training seeds" if most > 1 else "")
    game = comparing.game
    sums = f"; welfare is the undiscounted sum over all {game.followers} households" if game.name == "economy" else ""
    return f"{game.name}, N = {game.followers}: inter-quartile mean and its 95 % interval over {over}{sums}"


def _episodes(comparing: Comparing) -> int:
    return len(comparing.evaluation.seeds) * comparing.evaluation.episodes


def _content(comparing: Comparing, result: CompareResult, command: str) -> dict[str, Any]:
    rows = {
        row: {
            **_welfare(result, row, comparing.reference),
            "indicators": {name: asdict(found[name]) for name in found},
            "differences": {name: asdict(each) for name, each in result.differences.get(row, {}).items()},
            "episodes": {name: result.values[row].indicators[name].tolist() for name in found},
            "worth": result.values[row].worth.mean(axis=-1).tolist(),
        }
        for row, found in result.rows.items()
    }
    config = comparing.model_dump(mode="json")
    return {
        "rows": rows,
        "reference": comparing.reference,
        "no_consumption_equivalent": result.obstacle,
        "config": config,
        "versions": versions(),
        "command": command,
    }


def _welfare(result: CompareResult, row: str, reference: str | None) -> dict[str, Any]:
    found = result.values[row]
    return welfare.content(result.gain(row), found.indicators["years"], found.ended_early, reference)


def _csv(result: CompareResult) -> str:
    """A line for each row and indicator."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    head = ["policy", "indicator", "mean", "mean_low", "mean_high", "iqm", "ci_low", "ci_high"]
    writer.writerow([*head, "difference", "difference_low", "difference_high", "ended_early"])
    for row, found in result.rows.items():
        early = _share_ended(result, row)
        gain = result.gain(row)
        if gain:
            writer.writerow([row, GAIN, gain.mean, gain.ci_low, gain.ci_high, *[""] * 6, early])
        for name, each in found.items():
            other = result.differences.get(row, {}).get(name)
            paired = (other.iqm, other.ci_low, other.ci_high) if other else ("", "", "")
            own = (each.mean, each.mean_low, each.mean_high, each.iqm, each.ci_low, each.ci_high)
            writer.writerow([row, name, *own, *paired, early])
    return text.getvalue()


def _markdown(comparing: Comparing, result: CompareResult, command: str) -> str:
    """All tables, for a page or a letter."""
    followers = comparing.game.followers
    parts = []
    if result.standings:
        reference, standings = str(comparing.reference), result.standings
        heading = welfare_title(reference, _episodes(comparing), "inter-quartile mean")
        rows = [
            [
                result.marked(row),
                *(f"{text} ({between})" if between else text for text, between in each.cells(followers)),
            ]
            for row, each in standings.items()
        ]
        parts += [f"{headline(heading)} (`{command}`).", markdown_table(["policy", *HEADS], rows)]
        tenths = [[result.marked(row), *map(number, each.gain.by_wealth)] for row, each in standings.items()]
        heads = ["policy", *(str(k) for k in range(1, TENTHS + 1))]
        parts += [f"{headline(by_wealth_title(reference))}.", markdown_table(heads, tenths)]
    parts += [f"{_title(comparing, result)} (`{command}`).", _table(result, result.rows)]
    if result.differences:
        parts += [f"Differences to {comparing.reference} in the same episodes:"]
        parts += [_table(result, result.differences)]
    if any(result.marks.values()):
        parts.append(LIVED)
    return "\n\n".join(parts) + "\n"


def _table(result: CompareResult, shown: EstimateRows) -> str:
    columns = result.columns()
    cells = (
        [result.marked(row), *(f"{number(found[name].iqm)} ({span(found[name])})" for name in columns)]
        for row, found in shown.items()
    )
    return markdown_table(["policy", *map(label, columns)], cells)


def _say(console: Console, text: str) -> None:
    console.print(text, soft_wrap=True, highlight=False, markup=False)
