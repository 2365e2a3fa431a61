"""The house stays one to build in: experiments/ is the smaller part, no floor holds more than twenty files."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FLOORS = ("envs", "policies", "rllib_smfg", "experiments")  # from the ground up
MOST_LINES, MOST_FILES = 10_000, 20


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def test_experiments_holds_less_than_ten_thousand_lines() -> None:
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in modules("experiments")}
    assert sum(lines.values()) < MOST_LINES


def test_no_folder_of_experiments_holds_more_than_twenty_files() -> None:
    folders = {path.parent for path in (ROOT / "experiments").rglob("*") if path.suffix in (".py", ".yaml", ".csv")}
    counts = {folder: sum(each.is_file() for each in folder.iterdir()) for folder in folders}
    assert {str(folder): count for folder, count in counts.items() if count > MOST_FILES} == {}


def imported(path: Path) -> set[str]:
    """The packages of this house that a module imports, whenever it does."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return {name.partition(".")[0] for name in names} & set(FLOORS)


@pytest.mark.parametrize("package", FLOORS[:-1])
def test_imports_only_point_down(package: str) -> None:
    above = set(FLOORS[FLOORS.index(package) + 1 :])
    assert {str(path): found for path in modules(package) if (found := imported(path) & above)} == {}


def test_nothing_imports_in_a_circle() -> None:
    names = {path: ".".join(path.relative_to(ROOT).with_suffix("").parts) for pk in FLOORS for path in modules(pk)}
    paths = {name.removesuffix(".__init__"): path for path, name in names.items()}
    graph = {name: at_import(path, set(paths)) - {name} for name, path in paths.items()}
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle
    rooms: dict[str, set[str]] = {}
    for name, needed in graph.items():
        if name.startswith("experiments."):
            own = {room(each) for each in needed if each.startswith("experiments.")}
            rooms.setdefault(room(name), set()).update(own - {room(name)})
    TopologicalSorter(rooms).prepare()


def room(module: str) -> str:
    return ".".join(module.split(".")[:2])


def at_import(path: Path, known: set[str]) -> set[str]:
    """The modules that are imported with this one: not within functions, nor for type checkers."""
    found: set[str] = set()
    pending: list[ast.stmt] = list(ast.parse(path.read_text(encoding="utf-8")).body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (inner & known) or {node.module} & known
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names} & known
        elif isinstance(node, ast.If) and "TYPE_CHECKING" not in ast.dump(node.test):
            pending += node.body
        if isinstance(node, ast.If | ast.Try):
            pending += node.orelse
        if isinstance(node, ast.Try):
            pending += node.body
    return found
