"""The page of a grid: tables beside the published values, figures, and how sure all of it is."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources

import numpy as np

from experiments.grid.config import BOTH, CONSTANT, EQUAL, EXPLOITABILITY, PUBLISHED, GridSetting
from experiments.grid.results import Results
from experiments.report import grid_figures
from experiments.report.drawing import Panel
from experiments.report.page import Cell, Code, Page, PageSection, PageTable
from experiments.report.writing import amount, shown
from experiments.results.comparison import COLUMNS
from experiments.results.tables import label
from experiments.results.welfare_tables import LIVED
from experiments.studies.exploitability.report import FAILED
from experiments.training.summary import versions
from rllib_smfg.statistics.seeds import ENOUGH_SEEDS, SeedEstimate, iqm, probability_of_improvement

TITLES = {
    "table1": "Table 1: six algorithms in three settings",
    "table3": "Table 3: six policies",
    "figure2": "Figure 2: training curves of six algorithms",
    "figure3": "Figure 3: training curves of six policies",
    "figure4": "Figure 4: efficiency and equity",
    "figure5": "Figure 5: shares of SMFG households",
    "figure6": "Figure 6: efficiency and equity under six algorithms",
    "figure7": "Figure 7: losses of behaviour cloning",
    "assumption": "What the assumptions of the game are worth",
}
FIGURES: dict[str, tuple[Callable[[Results], list[Panel]], ...]] = {
    "figure2": (grid_figures.training_panels,),
    "figure3": (grid_figures.training_panels,),
    "figure4": (grid_figures.efficiency_equity, grid_figures.weights),
    "figure5": (grid_figures.mixture_panels,),
    "figure6": (grid_figures.efficiency_equity,),
    "figure7": (grid_figures.clones,),
}
TABLES = ("table1", "table3", "assumption")
OURS = {PUBLISHED: "ours, as published", EQUAL: "ours, equal bounds", BOTH: "ours"}
OWN = ("SMFRL", "SMFG")  # what the paper calls its own row


def grid_page(results: Results, made: str) -> Page:
    """The whole page; plays nothing."""
    sections: list[PageSection] = []
    for name in results.shows:
        if name in TABLES:
            sections += _tables(results, name)
        if name in FIGURES:
            panels = [each for draw in FIGURES[name] for each in draw(results)]
            sections.append(PageSection(name, TITLES[name].split(":")[0], [f"{TITLES[name]}."], panels=panels))
    sections.append(_details(results))
    runs = len({row.run for row in results.rows})
    return Page(
        "Results beside the paper", TITLES[results.shows[0]], f"{runs} runs.", made, _summary(results), (), sections
    )


def _tables(results: Results, name: str) -> list[PageSection]:
    """The table, group by group, and the probabilities of improvement."""
    text = [
        "Ours: inter-quartile mean over training seeds, below it the 95 % bootstrap interval (stratified)."
        " As published: saving rates from .5 for the paper's own method and from .001 for all others; equal bounds:"
        " from .001 for all. Social welfare is the sum of all households."
    ]
    if any(_ends_early(results, setting) for setting in map(GridSetting.parse, results.settings())):
        text.append(LIVED)
    if _columns(results) != COLUMNS:
        text.append(
            "Exploitability, E_f of one household among N and E_l of the government: what the best response found earns"
            " more than the learned policy while all others keep to theirs, in shares of the own return. 0 in an"
            " equilibrium; a lower bound, since a better response may exist. Below 0 the search failed: keeping to"
            " one's own policy gains 0."
        )
    tables = [_table(results, name, group) for group in grid_figures.groups(results)]
    improvements = [table for group in grid_figures.groups(results) if (table := _improvement(results, group))]
    found = [PageSection(name, TITLES[name].split(":")[0], text, tables)]
    if improvements:
        said = (
            "The probability that a training seed of the paper's own method ends higher than one of another method"
            " (lower, for the ginis), with its 95 % bootstrap interval."
        )
        found.append(PageSection(f"{name}-improvement", "Improvement", [said], improvements))
    return found


def _table(results: Results, name: str, group: str) -> PageTable:
    settings = [each for each in map(GridSetting.parse, results.settings()) if each.group == group]
    columns = _columns(results)
    rows: list[list[Cell]] = []
    for method in dict.fromkeys(each.method for each in settings):
        paper = published(name, group, method)
        if paper:
            cells = [Cell(shown(k, paper[k]), value=paper[k]) if k in paper else Cell("") for k in columns]
            rows.append([Cell(method), Cell("paper"), *cells])
        for setting in (each for each in settings if each.method == method):
            seeds = _seeds(results, setting)
            who = Cell("best found") if method == CONSTANT else Cell(OURS[setting.bounds], _count(seeds))
            rows.append([Cell(method), who, *(_cell(results, setting, k, seeds) for k in columns)])
    return PageTable(["Method", "Source", *map(_label, columns)], rows, group, named=2)


def _ends_early(results: Results, setting: GridSetting) -> bool:
    """Whether episodes of a setting end before others of these results do."""
    longest = max((row.value for row in results.rows if row.indicator == "years"), default=0.0)
    years = list(results.per_seed(str(setting), "years").values())
    return bool(years) and float(np.mean(years)) < longest - 0.5


def _columns(results: Results) -> tuple[str, ...]:
    """Indicators of a table: those of the paper, and exploitability where it was measured."""
    measured = {row.indicator for row in results.rows}
    return (*COLUMNS, *(each for each in EXPLOITABILITY if each in measured))


def _seeds(results: Results, setting: GridSetting) -> int:
    """How many seeds a row rests on; what only some of them have says so itself."""
    return max(len(results.per_seed(str(setting), indicator)) for indicator in COLUMNS)


def _count(seeds: int) -> str:
    return "1 seed" if seeds == 1 else f"{seeds} seeds"


def _cell(results: Results, setting: GridSetting, indicator: str, seeds: int) -> Cell:
    values = list(results.per_seed(str(setting), indicator).values())
    if not values:
        return Cell("")
    if setting.method == CONSTANT:
        best = min(values) if "gini" in indicator else max(values)
        return Cell(shown(indicator, best), f"best of {len(values)} policies", best)
    seen = iqm(values)
    span = [_span(indicator, seen)] if seen.seeds > 1 else []
    fewer = [_count(seen.seeds)] if seen.seeds < seeds else []
    word = [FAILED] if indicator in EXPLOITABILITY and seen.value < 0 else []
    word += ["ends early"] if indicator == "years" and _ends_early(results, setting) else []
    return Cell(shown(indicator, seen.value), "; ".join(span + fewer + word), seen.value)


def _improvement(results: Results, group: str) -> PageTable | None:
    """How probably a seed of the paper's own method does better than one of each other method in a group."""
    lines = grid_figures.groups(results)[group]
    own = next((line for line in lines if line.setting.method in OWN and line.style == "-"), None)
    others = [line for line in lines if line.setting.method not in OWN]
    if own is None or not others:
        return None
    rows = []
    for other in others:
        cells = []
        for indicator in COLUMNS:
            sign = -1.0 if "gini" in indicator else 1.0
            ours, theirs = (
                [sign * value for value in results.per_seed(str(line.setting), indicator).values()]
                for line in (own, other)
            )
            if not ours or not theirs:
                cells.append(Cell(""))
                continue
            seen = probability_of_improvement(ours, theirs)
            cells.append(
                Cell(f"{seen.value:.2f}", f"{seen.low:.2f} to {seen.high:.2f}; {seen.seeds} seeds", seen.value)
            )
        rows.append([Cell(other.name), *cells])
    return PageTable(["Against", *map(_label, COLUMNS)], rows, f"{group}: {own.name}, equal bounds")


def _summary(results: Results) -> list[str]:
    """What the paper's own method reaches, beside the paper and beside constant policies."""
    sentences = []
    name = next((each for each in results.shows if each in TABLES), "")
    for group, lines in grid_figures.groups(results).items():
        for line in (each for each in lines if each.setting.method in OWN):
            values = list(results.per_seed(str(line.setting), "per_capita_gdp").values())
            if values:
                years = iqm(list(results.per_seed(str(line.setting), "years").values()))
                sentences.append(_reached(name, group, line, iqm(values), years))
        constant = results.per_seed(str(GridSetting(group, CONSTANT, EQUAL)), "per_capita_gdp")
        if constant:
            best = amount(max(constant.values()))
            sentences.append(f"{group}: the best constant policy reaches {best} dollars a household, without learning.")
    counts = [
        len(results.per_seed(str(each.setting), "years"))
        for lines in grid_figures.groups(results).values()
        for each in lines
    ]
    least = min((count for count in counts if count), default=0)
    if 0 < least < ENOUGH_SEEDS:
        sentences.append(f"Some rows rest on {least} seeds, fewer than {ENOUGH_SEEDS}: take them as an indication.")
    return sentences


def _reached(table: str, group: str, line: grid_figures.Line, gdp: SeedEstimate, years: SeedEstimate) -> str:
    bounds = "saving bounded as published" if line.style == "--" else "equal bounds"
    paper = published(table, group, line.setting.method).get("per_capita_gdp")
    beside = f"; the paper reports {amount(paper)}" if paper else ""
    return (
        f"{group}, {line.setting.method} ({bounds}): {amount(gdp.value)} dollars of output a household"
        f" (95 % interval {amount(gdp.low)} to {amount(gdp.high)}, {gdp.seeds} seeds) and"
        f" {years.value:.3g} {'year' if years.value == 1 else 'years'}{beside}."
    )


def published(table: str, group: str, method: str) -> Mapping[str, float]:
    """The paper's values of a row, by indicator; empty where it has none."""
    return _published().get((table, group, method), {})


@cache
def _published() -> dict[tuple[str, str, str], dict[str, float]]:
    text = (resources.files("experiments.grid") / "published.csv").read_text(encoding="utf-8")
    found: dict[tuple[str, str, str], dict[str, float]] = {}
    for row in csv.DictReader(text.splitlines()):
        values = found.setdefault((row["table"], row["group"], row["method"]), {})
        values[row["indicator"]] = float(row["value"])
    return found


def _details(results: Results) -> PageSection:
    code = [Code(results.command), Code("\n".join(f"{k} {v}" for k, v in versions().items()), "Versions of this page")]
    text = (
        "All numbers stand in the results file beside this page: run, seed, setting, indicator, years, value."
        " Configurations of the runs stand in trials/*/config.yaml."
    )
    return PageSection("details", "Reproduce", [text], code=code)


def _span(indicator: str, seen: SeedEstimate) -> str:
    return f"{shown(indicator, seen.low)} to {shown(indicator, seen.high)}"


def _label(name: str) -> str:
    return {
        "per_capita_gdp": "GDP a household",
        "years": "Years",
        "household_exploitability": "E_f",
        "government_exploitability": "E_l",
    }.get(name, label(name).capitalize())
