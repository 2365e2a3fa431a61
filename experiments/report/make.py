"""Makes the page of what lies in a folder, or in a grid's file of results."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from envs import InvalidSetting
from envs.text_files import read_object
from experiments.grid.results import read_results
from experiments.report.comparison_page import comparison_page
from experiments.report.grid_page import grid_page
from experiments.report.markdown import markdown
from experiments.report.page import Page, render
from experiments.report.run_page import read_run, run_page
from experiments.results.comparison import FILE
from experiments.training.summary import versions
from rllib_smfg.processes.quiet import quieten
from rllib_smfg.storage.files import write_text

RESULTS, PAGE = "results.csv", "report.html"


def run(console: Console, source: Path, output: Path | None, shows: tuple[str, ...] | None = None) -> None:
    """Writes the page, as Markdown (sentences and tables alone) if `output` ends in .md.

    shows: what of a grid's results, where it is not all they are made for. Raises InvalidSetting.
    """
    if not source.exists():
        raise InvalidSetting(f"{source}: no such file or folder; name a finished run, comparison or grid, or {RESULTS}")
    quieten()
    target = output or (source / PAGE if source.is_dir() else source.with_suffix(".html"))
    if not target.parent.is_dir():
        raise InvalidSetting(f"{target.parent}: no such folder; --output must name a file in one that exists")
    write_text(target, (markdown if target.suffix == ".md" else render)(_page(source, shows)))
    console.print(f"{target}: {target.stat().st_size / 2**20:.1f} MiB", soft_wrap=True, highlight=False, markup=False)


def _kept(file: Path) -> dict[str, Any]:
    must = "make it again with smfg compare"
    found = read_object(file, f"is no comparison; {must}", must)
    if not {"rows", "config", "command"} <= set(found):
        raise InvalidSetting(f"{file}: is no comparison of smfg compare; {must}")
    return found


def _page(source: Path, shows: tuple[str, ...] | None) -> Page:
    made = f"Made {datetime.now():%Y-%m-%d %H:%M} by smfg report, rllib-smfg {versions()['rllib-smfg']}."
    if source.is_dir() and (source / RESULTS).is_file():
        source = source / RESULTS
    if source.is_dir() and (source / FILE).is_file() and not (source / "config.yaml").is_file():
        return comparison_page(_kept(source / FILE), source, made)
    if source.is_dir():
        return run_page(read_run(source), made)
    if source.suffix == ".json":
        raise InvalidSetting(f"{source}: is no {RESULTS}; a reform's page is written by smfg reform --html")
    results = read_results(source)
    return grid_page(replace(results, shows=shows or results.shows), made)
