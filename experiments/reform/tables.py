"""What was found as tables: for the terminal, Markdown, LaTeX, CSV and JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table

from envs.economy.indicators import TENTHS
from experiments.results.markdown import markdown_table
from rllib_smfg.exploitability.exact import Interval
from rllib_smfg.reform.answer import IN_POINTS, KINDS, PER_CENT, SERIES, SINCE, Answer, differ, shown, told
from rllib_smfg.reform.ask import PolicyFound
from rllib_smfg.reform.question import Question

LEAST = 1e-3  # a share of output below which an instrument is not told of
YEARS = (1, 10, 30)  # of which the economy is shown, and the last
# series as they are said
SAID = {name: name.replace("_", " ") for name in SERIES} | {
    "top_10_wealth": "wealth of the richest tenth",
    "top_1_wealth": "wealth of the richest hundredth",
}


@dataclass(frozen=True)
class TextTable:
    """A table as text; the first `named` columns are words, the others numbers."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    named: int = 1


def tables(question: Question, found: Sequence[PolicyFound]) -> list[TextTable]:
    """All of them, the answer first."""
    return [headline(question, found), since(found), *(grid for each in found for grid in of_policy(each))]


def of_policy(found: PolicyFound) -> list[TextTable]:
    """Those of one policy alone."""
    return [gains_by_tenth(found), economy(found)] + ([swings(found)] if found.tornado else [])


def headline(question: Question, found: Sequence[PolicyFound]) -> TextTable:
    """Who gains how much, by policy and by kind of households."""
    rows = []
    for each in found:
        for answer in each.answers.values():
            gains = answer.gains
            ends = [f"{gains.by_wealth[k].value:+.1f}" for k in (0, TENTHS // 2, TENTHS - 1)]
            rows.append([each.policy.title, words(answer), shown(gains.mean), f"{gains.gaining.value:.0f}", *ends])
    heads = ["policy", "households", "gain, %", "who gain, %", "poorest tenth", "sixth", "richest"]
    title = (
        f"gain over {question.against.title}, % of consumption in all years, transition included; by tenth of wealth"
    )
    return TextTable(title, heads, rows, named=2)


def words(answer: Answer) -> str:
    """A kind of households in a word or two."""
    return answer.kind.replace("_", " ")


def gains_by_tenth(found: PolicyFound) -> TextTable:
    """Gains of the tenths by wealth and by income, with half the width of their intervals."""
    answers = list(found.answers.values())
    parts = [("wealth", answer.gains.by_wealth, answer) for answer in answers]
    parts += [("income", answer.gains.by_income, answer) for answer in answers]
    heads = ["tenth", *(f"{what}: {words(answer)}" for what, _, answer in parts)]
    rows = [[str(k + 1), *(compact(gains[k]) for _, gains, _ in parts)] for k in range(TENTHS)]
    title = f"{found.policy.title}: gain by tenth of wealth at the start and of income before tax in the first year, %"
    return TextTable(title, heads, rows)


def compact(part: Interval, digits: int = 1) -> str:
    """A value and half the width of its interval, where it has one."""
    value = f"{part.value:+.{digits}f}"
    if part.low is None or part.high is None:
        return value
    return f"{value} ±{(part.high - part.low) / 2:.{digits}f}"


def since(found: Sequence[PolicyFound]) -> TextTable:
    """What it is worth to who lives so many years after the reform."""
    rows = [
        [each.policy.title, words(answer), *(compact(answer.gains.since[year]) for year in SINCE)]
        for each in found
        for answer in each.answers.values()
    ]
    heads = ["policy", "households", *(str(year) for year in SINCE)]
    title = (
        "gain of those who live so many years after the reform, from then on, over those who would have lived then, %"
    )
    return TextTable(title, heads, rows, named=2)


def economy(found: PolicyFound) -> TextTable:
    """How the economy moves, by the first kind of households."""
    answer = found.main
    last = min(answer.reform.years, answer.against.years)
    years = [*(year for year in YEARS if year < last), last]
    rows = []
    for name, unit in SERIES.items():
        if max(float(np.nanmax(np.abs(path.series[name]))) for path in (answer.reform, answer.against)) < LEAST:
            continue
        change = "points" if name in IN_POINTS else "%"
        level = _level(name, float(answer.against.mean(name)[0]))
        changes = [compact(answer.change(name, year - 1)) for year in years]
        rows.append([f"{SAID[name]}, {unit}", level, change, *changes])
    heads = ["", "without, year 1", "change in", *(f"year {year}" for year in years)]
    title = f"{found.policy.title}: the economy with it over that without it ({words(answer)})"
    return TextTable(title, heads, rows)


def _level(name: str, value: float) -> str:
    if name in IN_POINTS:
        return f"{PER_CENT * value:.1f} %"
    return f"{value:,.0f}" if value >= PER_CENT else f"{value:.2f}"


def swings(found: PolicyFound) -> TextTable:
    """What moves the answer."""
    assert found.tornado is not None
    rows = []
    for swing in found.tornado.swings:
        cells = ["no path" if gain is None else f"{gain:+.2f}" for gain in swing.gains]
        rows.append([swing.parameter, *(f"{gain} (at {at})" for gain, at in zip(cells, swing.values, strict=True))])
    usual = f"perfect foresight; as calibrated {found.tornado.usual:+.2f}"
    title = f"{found.policy.title}: gain in other economies, % ({usual})"
    return TextTable(title, ["parameter (as calibrated)", "lower", "higher"], rows)


def notes(question: Question, found: Sequence[PolicyFound]) -> list[str]:
    """Who answered, what intervals are over, who could not answer, and whether the kinds differ."""
    said = []
    differing: dict[str, list[str]] = {"more": [], "no more": []}
    for each in found:
        for answer in each.answers.values():
            line = f"{words(answer)}: {KINDS[answer.kind]}; {answer.band}"
            if line not in said:
                said.append(line)
        said += [
            f"{each.policy.title}: {kind.replace('_', ' ')} say nothing: {why}" for kind, why in each.silent.items()
        ]
        for answer in each.answers.values():
            if max(answer.ended) > 0:
                with_it, without = (PER_CENT * share for share in answer.ended)
                early = f"{with_it:.0f} % of economies break down with it, {without:.0f} % without"
                said.append(f"{each.policy.title}: {words(answer)}: {early}")
        if len(each.answers) > 1:
            more = "more" if differ(list(each.answers.values())) else "no more"
            differing[more].append(each.policy.title)
    for more, titles in differing.items():
        if titles:
            said.append(f"kinds of households differ by {more} than the interval: {', '.join(titles)}")
    return said


# --- ways to write them ----------------------------------------------------------------------------------------------
def terminal(grid: TextTable) -> Table:
    """For the terminal."""
    table = Table(title=grid.title, box=SIMPLE_HEAD, title_justify="left", show_edge=False)
    for k, head in enumerate(grid.heads):
        table.add_column(head, justify="left" if k < grid.named else "right", overflow="fold")
    for row in grid.rows:
        table.add_row(*row)
    return table


def markdown(grids: Sequence[TextTable]) -> str:
    """For documents."""
    return "\n\n".join(f"{grid.title}\n\n{markdown_table(grid.heads, grid.rows, grid.named)}" for grid in grids) + "\n"


def latex(grids: Sequence[TextTable]) -> str:
    """Tables for the package booktabs."""
    return "\n".join(_latex(grid) for grid in grids)


def _latex(grid: TextTable) -> str:
    columns = "l" * grid.named + "r" * (len(grid.heads) - grid.named)
    lines = [_tex_row(grid.heads), r"\midrule", *(_tex_row(row) for row in grid.rows)]
    body = "\n".join([rf"\begin{{tabular}}{{{columns}}}", r"\toprule", *lines, r"\bottomrule", r"\end{tabular}"])
    return f"% {grid.title}\n{body}\n"


def _tex_row(cells: Sequence[str]) -> str:
    special = {"%": r"\%", "&": r"\&", "_": r"\_", "±": r"$\pm$", "#": r"\#", "{": r"\{", "}": r"\}"}
    return " & ".join("".join(special.get(letter, letter) for letter in cell) for cell in cells) + r" \\"


def as_csv(found: Sequence[PolicyFound]) -> str:
    """A line for each number: policy, households, what, of which part, value and bounds."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["policy", "households", "what", "part", "value", "low", "high"])
    for each in found:
        for answer in each.answers.values():
            for what, part, interval in _numbers(answer):
                bounds = ["" if x is None else x for x in (interval.low, interval.high)]
                writer.writerow([each.policy.title, answer.kind, what, part, interval.value, *bounds])
    return text.getvalue()


def _numbers(answer: Answer) -> list[tuple[str, Any, Any]]:
    gains = answer.gains
    found: list[tuple[str, Any, Any]] = [("gain", "all", gains.mean), ("gaining", "all", gains.gaining)]
    found += [("gain_by_wealth", k + 1, part) for k, part in enumerate(gains.by_wealth)]
    found += [("gain_by_income", k + 1, part) for k, part in enumerate(gains.by_income)]
    found += [("gain_since", year, part) for year, part in gains.since.items()]
    years = min(answer.reform.years, answer.against.years)
    found += [(f"change_{name}", year + 1, answer.change(name, year)) for name in SERIES for year in range(years)]
    return found


def content(question: Question, found: Sequence[PolicyFound], command: str) -> dict[str, Any]:
    """What is written as JSON."""
    return {
        "command": command,
        "against": question.against.text,
        "unit": "per cent of consumption under the policy it is held against",
        "followers": question.followers,
        "episodes": question.episodes,
        "seed": question.seed,
        "policies": {each.policy.title: _content(each) for each in found},
    }


def _content(found: PolicyFound) -> dict[str, Any]:
    answers = {}
    for kind, answer in found.answers.items():
        gains = answer.gains
        answers[kind] = {
            "band": answer.band,
            "ended_early": dict(zip(("with_it", "without"), answer.ended, strict=True)),
            "gain": told(gains.mean),
            "gaining": told(gains.gaining),
            "by_wealth": [told(part) for part in gains.by_wealth],
            "by_income": [told(part) for part in gains.by_income],
            "since": {str(year): told(part) for year, part in gains.since.items()},
            "path": {name: answer.reform.mean(name).tolist() for name in SERIES},
            "path_against": {name: answer.against.mean(name).tolist() for name in SERIES},
        }
    swings_found = found.tornado and {
        "as_calibrated": found.tornado.usual,
        "swings": [vars(swing) for swing in found.tornado.swings],
    }
    return {"policy": found.policy.text, "answers": answers, "silent": dict(found.silent), "sensitivity": swings_found}
