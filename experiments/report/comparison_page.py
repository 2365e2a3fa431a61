"""The page of what `smfg compare` left in a folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from envs.economy.indicators import TENTHS
from experiments.report import learning_figures
from experiments.report.page import Cell, Code, Page, PageSection, PageTable
from experiments.report.writing import shown
from experiments.results.comparison import COLUMNS
from experiments.results.tables import headline, label, number
from experiments.results.welfare_tables import (
    BESIDE,
    HEADS,
    LIVED,
    Standings,
    by_wealth_title,
    marked,
    standings_of,
    welfare_title,
)
from rllib_smfg.metrics import headlines
from rllib_smfg.statistics.summaries import Summary, read_summary

SHOWN = 6  # indicators in a row


def comparison_page(content: Mapping[str, Any], folder: Path, made: str) -> Page:
    """Consumption equivalents first, then indicators, out of a `comparison.json`."""
    config = content["config"]
    game, luck = config["game"], config["evaluation"]
    rows = {
        row: {name: read_summary(each) for name, each in told["indicators"].items()}
        for row, told in content["rows"].items()
    }
    standings = standings_of(content["rows"], rows)
    episodes = len(luck["seeds"]) * luck["episodes"]
    ends = {row: told["ends"] for row, told in content["rows"].items()}
    text = [f"Over {episodes} episodes that are the same for every row; below a mean its 95 % bootstrap interval."]
    if content["no_consumption_equivalent"]:
        text.append(f"No consumption equivalents: {content['no_consumption_equivalent']}.")
    if any(ends.values()):
        text.append(LIVED)
    some = next(iter(rows.values()))
    names = [name for name in (COLUMNS if "per_capita_gdp" in some else headlines(some)) if name in some][:SHOWN]
    tables = [*welfare_tables(standings, game["followers"], episodes), _indicators(rows, ends, names)]
    panels = learning_figures.policies(rows, names)
    code = [Code(content["command"]), Code(yaml.safe_dump(config, sort_keys=False), "Configuration")]
    return Page(
        kind="comparison",
        title=folder.resolve().name,
        subtitle=f"{game['name']}, N = {game['followers']:,}: {', '.join(rows)}",
        made=made,
        summary=[],
        tiles=[],
        sections=[
            PageSection("policies", "Policies", text, tables, panels),
            PageSection("again", "Make it again", code=code),
        ],
    )


def welfare_tables(standings: Standings, followers: int, episodes: int) -> list[PageTable]:
    """Consumption equivalents, and the same by tenth of wealth; nothing where the game has none."""
    if not standings:
        return []
    reference = next(iter(standings.values())).gain.reference
    first, tenths = [], []
    for name, each in standings.items():
        head = Cell(marked(name, each.mark))
        numbers = (each.gain.mean, each.ended_early, *(each.beside[indicator] for indicator in BESIDE))
        cells = zip(each.cells(followers), numbers, strict=True)
        first.append([head, *(Cell(text, interval, value) for (text, interval), value in cells)])
        tenths.append([head, *(Cell(number(value), value=value) for value in each.gain.by_wealth)])
    heads = ["Policy", *map(headline, HEADS)]
    by_tenth = ["Policy", *(str(k) for k in range(1, TENTHS + 1))]
    return [
        PageTable(heads, first, f"{headline(welfare_title(reference, episodes, 'mean'))}."),
        PageTable(by_tenth, tenths, f"{headline(by_wealth_title(reference))}."),
    ]


def cell(name: str, summary: Summary) -> Cell:
    """A mean, its interval below it."""
    return Cell(
        shown(name, summary.mean), f"{shown(name, summary.ci_low)} to {shown(name, summary.ci_high)}", summary.mean
    )


def _indicators(rows: Mapping[str, Mapping[str, Summary]], ends: Mapping[str, str], names: list[str]) -> PageTable:
    lines = [[Cell(row, ends[row]), *(cell(name, found[name]) for name in names)] for row, found in rows.items()]
    return PageTable(["Policy", *(headline(label(name)) for name in names)], lines)
