"""`smfg bench`: runs the trials, keeps one JSON file, and makes of it the table, the picture and the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import Any

from rich.console import Console

from envs import InvalidSetting
from rllib_smfg.bench.campaign import TRIALS, read_result, run_trials, stored
from rllib_smfg.bench.page import MarkdownTable, page
from rllib_smfg.bench.picture import draw
from rllib_smfg.bench.summary import screen_table, summed_up
from rllib_smfg.bench.trial import Trial
from rllib_smfg.processes.interrupts import Interrupted
from rllib_smfg.storage.files import refuse_overwriting, write_json, write_text
from rllib_smfg.storage.owners import folder_taken

FILE, USUAL_FOLDER = "bench.json", Path("runs") / "bench"


def benchmark(
    console: Console,
    trials: Sequence[Trial],
    folder: Path | None,
    json: Path | None,
    *,
    resume: bool,
    command: str,
    versions: Mapping[str, str],
) -> Path:
    """The file with all results, once all trials have ended; stopped before, it holds what there is.

    folder: of the trials (None: the usual one). Raises Interrupted, which says how to go on.
    """
    folder = folder or USUAL_FOLDER

    def say(text: str) -> None:
        console.print(text, soft_wrap=True, highlight=False, markup=False)

    if not resume:
        refuse_overwriting(folder, f"{command} --resume")
    path = json or folder / FILE
    try:
        with folder_taken(folder, say):
            run_trials(trials, folder, say)
    except Interrupted as stop:
        look = ""
        if stored(folder / TRIALS):
            _write(path, folder, command, versions)
            look = f"look at them with: smfg bench --from {quote(str(path))}; "
        raise stop.going_on(f"{look}go on with: {command} --resume") from None
    _write(path, folder, command, versions)
    return path


def _write(path: Path, folder: Path, command: str, versions: Mapping[str, str]) -> None:
    """All results of the folder, those of earlier calls too, as one file."""
    write_json(path, {"command": command, "versions": dict(versions), "trials": stored(folder / TRIALS)})


def refuse_beside(path: Path, given: Mapping[str, Any]) -> None:
    """Raises InvalidSetting for what says nothing where a stored file is shown."""
    for name, value in given.items():
        if value:
            raise InvalidSetting(f"{name}: says nothing beside --from {path}, which runs nothing; leave it out")


def show(console: Console, path: Path, markdown_table: MarkdownTable) -> None:
    """The table on the screen; picture and page beside the file."""
    trials = read_result(path).get("trials")
    if not isinstance(trials, list) or not trials:
        raise InvalidSetting(f"{path}: holds no results of smfg bench")
    summary = summed_up(trials)
    picture, text = path.with_suffix(".png"), path.with_suffix(".md")
    draw(summary, picture)
    write_text(text, page(summary, path.name, picture.name, markdown_table))
    console.print(screen_table(summary))
    console.print(f"{text}, {picture}", soft_wrap=True, highlight=False)
