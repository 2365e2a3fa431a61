"""The documentation is true of the tree: its links lead somewhere, its commands exist, its notebook runs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from documented_commands import PAGES, ROOT

from experiments.commands.main import app
from experiments.configuration.shipped import GRIDS, shipped
from rllib_smfg.configuration.sections import GradientAlgorithm
from rllib_smfg.methods import METHODS, SMFRL, replace

NOTEBOOK = ROOT / "docs" / "notebooks" / "first_steps.ipynb"
SIZES = 'HOUSEHOLDS, EPISODES, ITERATIONS = 1000, 8, 20\nKINDS = ["planning", "perfect_foresight", "learned"]'


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not target.startswith(("http", "#")):
            assert (page.parent / target.split("#")[0]).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_and_configurations_exist(page: Path) -> None:
    import typer

    known = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    text = page.read_text(encoding="utf-8")
    for command in re.findall(r"`smfg ([a-z]+)", text):
        assert command in known, command
    for command, name in re.findall(r"`smfg (train|pretrain|grid) ([a-z_0-9]+)[`; ]", text):
        configurations = shipped(GRIDS) if command == "grid" else shipped()
        assert name in configurations, f"smfg {command} {name}"


def test_every_method_has_its_page() -> None:
    overview = (ROOT / "docs" / "algorithms" / "README.md").read_text(encoding="utf-8")
    for name in METHODS:
        assert f"`{name}`" in overview, name


def test_a_method_of_your_own_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    line = re.search(r'METHODS\["(\w+)"\] = (.+)', (ROOT / "docs" / "extend.md").read_text(encoding="utf-8"))
    assert line
    monkeypatch.setitem(METHODS, line[1], eval(line[2], {"replace": replace, "SMFRL": SMFRL}))
    assert GradientAlgorithm(method=line[1]).leader_view == "own"


@pytest.mark.slow
def test_the_notebook_runs(ray_local: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every cell in turn, with few households, episodes and iterations, and one kind of households to be asked."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert SIZES in cells[0]
    cells[0] = cells[0].replace(SIZES, 'HOUSEHOLDS, EPISODES, ITERATIONS = 60, 2, 2\nKINDS = ["planning"]')
    names: dict[str, object] = {"__name__": "__main__"}
    for number, cell in enumerate(cells):
        exec(compile(cell, f"first_steps.ipynb, code cell {number}", "exec"), names)
    assert list(names["found"]) == ["learned, shipped seed 1", "hand rule: xi .35, debt aimed at -1 GDP", "free market"]  # type: ignore[call-overload]
    assert len(names["gains"]) == 7  # type: ignore[arg-type]
    assert set(names["table"]) == {"planning"}  # type: ignore[call-overload]


def test_the_notebook_has_what_its_cells_print() -> None:
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    shown = [cell["outputs"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    kinds = [kind for outputs in shown for output in outputs for kind in output.get("data", {})]
    assert kinds.count("image/png") == 2
    assert kinds.count("text/html") >= 3
    assert not any(output["output_type"] == "error" for outputs in shown for output in outputs)
