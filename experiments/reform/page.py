"""What was found as a page: one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.reform.pictures import panels
from experiments.reform.tables import TextTable, headline, notes, of_policy, since, words
from experiments.report.page import Cell, Code, Page, PageSection, PageTable, Tile
from rllib_smfg.reform.answer import shown
from rllib_smfg.reform.ask import PolicyFound
from rllib_smfg.reform.question import Question


def page(question: Question, found: Sequence[PolicyFound], command: str) -> Page:
    """The page of a question and what was found."""
    titles = ", ".join(each.policy.title for each in found)
    return Page(
        kind="reform",
        title=f"{titles} against {question.against.title}",
        subtitle="The economy calibrated to the United States of 2022, households who respond, transition included",
        made=f"made by: {command}",
        summary=[*(_sentence(each, question) for each in found), *notes(question, found)],
        tiles=[_tile(each) for each in found],
        sections=[_tables(question, found), *(_policy(each, k) for k, each in enumerate(found)), _again(command)],
    )


def _sentence(found: PolicyFound, question: Question) -> str:
    answer = found.main
    gains = answer.gains
    return (
        f"{found.policy.title}: {shown(gains.mean)} % of consumption for the mean household over "
        f"{question.against.title} ({words(answer)}); {gains.gaining.value:.0f} % of households gain; "
        f"poorest tenth by wealth {gains.by_wealth[0].value:+.1f} %, richest {gains.by_wealth[-1].value:+.1f} %."
    )


def _tile(found: PolicyFound) -> Tile:
    answer = found.main
    return Tile(found.policy.title[:40], f"{answer.gains.mean.value:+.2f} %", f"of consumption, {words(answer)}")


def _tables(question: Question, found: Sequence[PolicyFound]) -> PageSection:
    grids = [headline(question, found), since(found)]
    return PageSection("gains", "Who gains and who loses", tables=[_table(grid) for grid in grids])


def _policy(found: PolicyFound, number: int) -> PageSection:
    return PageSection(
        f"policy-{number + 1}",
        found.policy.title,
        text=[f"As it was written: {found.policy.text}"],
        tables=[_table(grid) for grid in of_policy(found)],
        panels=panels(found),
    )


def _table(grid: TextTable) -> PageTable:
    return PageTable(grid.heads, [[Cell(cell) for cell in row] for row in grid.rows], grid.title, grid.named)


def _again(command: str) -> PageSection:
    return PageSection("again", "Make it again", code=[Code(command)])
