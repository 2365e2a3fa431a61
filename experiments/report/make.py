"""Makes the page of what lies in a folder, or in a grid's file of results."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from rich.console import Console

from envs import InvalidSetting
from experiments.grid.results import read_results
from experiments.report.grid_page import grid_page
from experiments.report.markdown import markdown
from experiments.report.page import Page, render
from experiments.report.run_page import read_run, run_page
from experiments.training.summary import versions
from rllib_smfg.processes.quiet import quieten
from rllib_smfg.storage.files import write_text

RESULTS, PAGE = "results.csv", "report.html"


def run(console: Console, source: Path, output: Path | None, shows: tuple[str, ...] | None = None) -> None:
    """Writes the page, as Markdown (sentences and tables alone) if `output` ends in .md.

    shows: what of a grid's results, where it is not all they are made for. Raises InvalidSetting.
    """
    if not source.exists():
        raise InvalidSetting(f"{source}: no such file or folder; name a finished run, a grid, or its {RESULTS}")
    quieten()
    target = output or (source / PAGE if source.is_dir() else source.with_suffix(".html"))
    if not target.parent.is_dir():
        raise InvalidSetting(f"{target.parent}: no such folder; --output must name a file in one that exists")
    write_text(target, (markdown if target.suffix == ".md" else render)(_page(source, shows)))
    console.print(f"{target}: {target.stat().st_size / 2**20:.1f} MiB", soft_wrap=True, highlight=False, markup=False)


def _page(source: Path, shows: tuple[str, ...] | None) -> Page:
    made = f"Made {datetime.now():%Y-%m-%d %H:%M} by smfg report, rllib-smfg {versions()['rllib-smfg']}."
    if source.is_dir() and (source / RESULTS).is_file():
        source = source / RESULTS
    if source.is_dir():
        return run_page(read_run(source), made)
    results = read_results(source)
    return grid_page(replace(results, shows=shows or results.shows), made)
