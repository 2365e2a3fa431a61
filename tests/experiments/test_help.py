"""`--help`, `--version`, completion: what a person sees first."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

import rllib_smfg
from experiments.commands.help import EXAMPLES
from experiments.commands.main import app

ROOT = Path(__file__).resolve().parents[2]
GROUP = typer.main.get_command(app)
COMMANDS = {
    name if inner is None else f"{name} {inner}": command
    for name, first in GROUP.commands.items()
    for inner, command in (getattr(first, "commands", None) or {None: first}).items()
}


def shell(*arguments: str, folder: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "experiments", *arguments]
    paths = os.pathsep.join([*filter(None, [environment.pop("FIRST", "")]), str(ROOT)])
    env = {**os.environ, "PYTHONPATH": paths, **environment}
    return subprocess.run(command, capture_output=True, text=True, cwd=folder or ROOT, env=env)


def test_version() -> None:
    done = shell("--version")
    assert (done.stdout, done.stderr, done.returncode) == (f"rllib-smfg {rllib_smfg.__version__}\n", "", 0)


@pytest.mark.parametrize("name", COMMANDS)
def test_flags_have_no_type_and_every_help_ends_in_an_example(name: str, smfg) -> None:
    printed = smfg(*name.split(), "--help").out
    assert "<bool>" not in printed
    words = " ".join(printed.replace("│", " ").split())
    assert f"Example: smfg {name}" in words


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_a_call_of_its_command(name: str) -> None:
    first, *words = shlex.split(EXAMPLES[name])
    assert first == "smfg"
    assert words[: len(name.split())] == name.split()
    with COMMANDS[name].make_context(name, words[len(name.split()) :]):
        pass


def test_every_command_has_an_example() -> None:
    assert set(EXAMPLES) == set(COMMANDS)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("smfg tr", {"train", "transition"}),
        ("smfg train paper", {"paper_economy", "paper_n100", "paper_n1000"}),
        ("smfg tune asha", {"asha_smfrl"}),
        ("smfg grid table", {"table1", "table3"}),
    ],
)
def test_a_shell_completes(typed: str, offered: set[str]) -> None:
    last = str(len(typed.split()) - 1)
    done = shell(_SMFG_COMPLETE="complete_bash", COMP_WORDS=typed, COMP_CWORD=last)
    assert set(done.stdout.split()) == offered
    assert "--install-completion" in shell("--help").stdout


# --- other packages by our names -------------------------------------------------------------------------------------
@pytest.mark.parametrize("package", ["envs", "policies"])
@pytest.mark.parametrize("content", ["class Env:\n    pass\n", "import a_library_of_theirs\n"])
def test_a_package_in_the_way_is_said_in_one_line(package: str, content: str, tmp_path: Path) -> None:
    (tmp_path / "first" / package).mkdir(parents=True)
    (tmp_path / "first" / package / "__init__.py").write_text(content)
    done = shell("train", "quickstart", folder=tmp_path, FIRST=str(tmp_path / "first"))
    assert done.returncode != 0
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("smfg: ")
    assert f"another package called '{package}' is in the way of rllib-smfg's own" in line
    assert str(tmp_path / "first" / package) in line
    assert f"pip uninstall {package}" in line
