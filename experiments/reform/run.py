"""`smfg reform`: asks, prints and writes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from envs.game import InvalidSetting
from envs.registry import nearest
from experiments.reform.page import page
from experiments.reform.pictures import image
from experiments.reform.tables import as_csv, content, latex, markdown, notes, tables, terminal
from experiments.report.page import render
from rllib_smfg.reform.answer import KINDS
from rllib_smfg.reform.ask import PolicyFound, ask
from rllib_smfg.reform.question import Question
from rllib_smfg.storage.files import write_json, write_text


@dataclass(frozen=True)
class Files:
    """What is written, where it is asked for."""

    html: Path | None = None
    image: Path | None = None
    json: Path | None = None
    csv: Path | None = None
    latex: Path | None = None
    markdown: Path | None = None


def run(
    console: Console, question: Question, kinds: Sequence[str], sensitivity: bool, files: Files, command: str
) -> list[PolicyFound]:
    """Asks all kinds of households about all policies, prints tables, and writes the files that are asked for.

    Raises InvalidSetting for what does not exist or fit, before anything is asked.
    """
    _check(question, kinds)
    started = time.monotonic()
    said = "households answer: about 20 s of CPU a policy" + (", 40 s more for other economies" if sensitivity else "")
    with console.status(said):
        found = ask(question, kinds, sensitivity)
    grids, remarks = tables(question, found), notes(question, found)
    for grid in grids:
        console.print(terminal(grid))
    for remark in remarks:
        console.print(remark, soft_wrap=True, highlight=False, markup=False)
    console.print(f"{time.monotonic() - started:.0f} s", highlight=False)
    if files.html is not None:
        write_text(files.html, render(page(question, found, command)))
    if files.image is not None:
        image(found[0], files.image)
    if files.json is not None:
        write_json(files.json, content(question, found, command))
    if files.csv is not None:
        write_text(files.csv, as_csv(found))
    if files.latex is not None:
        write_text(files.latex, latex(grids))
    if files.markdown is not None:
        write_text(files.markdown, markdown(grids) + "\n" + "".join(f"* {remark}\n" for remark in remarks))
    return found


def _check(question: Question, kinds: Sequence[str]) -> None:
    for kind in kinds:
        if kind not in KINDS:
            raise InvalidSetting(f"households '{kind}'{nearest(kind, list(KINDS))}")
    if not kinds or len(set(kinds)) < len(kinds):
        raise InvalidSetting(f"households {list(kinds)}: must be at least one, and none twice")
    for policy in question.policies:
        game = question.game(policy, 1, 10)
        for each in (policy, question.against):
            each.leader(game)
