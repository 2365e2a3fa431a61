"""Every command of the documents is one that the program takes; those that are not long are run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from documented_commands import ROOT, DocumentedCommand, documented_commands

from experiments.commands.main import app
from experiments.configuration.loading import load_experiment
from experiments.configuration.shipped import GRIDS, shipped

COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]
FOUND = documented_commands()
# what a command begins with -> how long it takes on two cores; each is tried smaller by the tests of its own folder
LONG = {
    "bench": "an hour",
    "calibrate": "minutes",
    "compare table3_quick": "trains for minutes",
    "convergence": "minutes",
    "frontier": "minutes",
    "grid": "minutes to days",
    "optimum": "minutes",
    "plan": "minutes",
    "pretrain": "minutes",
    "reform wealth_tax_2_percent --sensitivity": "two minutes",
    "train": "minutes to hours",
    "tune": "minutes",
    "verify": "minutes to an hour",
}
# commands that the documents show for what they refuse -> what they say
REFUSED = {"transfer: {dollars: 30_000}}' --households perfect_foresight": "no transition found"}


def long(command: DocumentedCommand) -> bool:
    """Whether it is marked as long."""
    words = " ".join(command.words)
    return any(words == start or words.startswith(f"{start} ") for start in LONG)


def named(command: DocumentedCommand) -> str:
    return command.text.removeprefix("smfg ")


@pytest.mark.parametrize("command", [each for each in FOUND if not each.mention], ids=named)
def test_the_program_takes_it(command: DocumentedCommand) -> None:
    """Its options are there, and their values are of the kind they should be."""
    name, *words = command.words
    if name in ("--help", "COMMAND"):
        return
    COMMANDS[name].make_context(name, words).close()


@pytest.mark.parametrize(
    "command", [each for each in FOUND if each.words[0] == "train" and not each.of_the_reader], ids=named
)
def test_what_it_trains_is_a_configuration_that_holds_together(command: DocumentedCommand) -> None:
    words = command.words[1:]
    if words:
        load_experiment(words[0], [words[k + 1] for k, word in enumerate(words) if word == "--set"])


@pytest.mark.parametrize("command", [each for each in FOUND if each.words[0] == "grid" and not each.mention], ids=named)
def test_what_it_runs_is_a_grid_that_is_shipped(command: DocumentedCommand) -> None:
    assert command.words[1] in shipped(GRIDS)


def test_what_is_marked_as_long_is_named_somewhere() -> None:
    for start in LONG:
        assert any(" ".join(each.words).startswith(start) for each in FOUND), start


@pytest.mark.slow
@pytest.mark.parametrize(
    "command", [each for each in FOUND if not (each.mention or each.of_the_reader or long(each))], ids=named
)
def test_it_runs(command: DocumentedCommand, tmp_path: Path) -> None:
    """In a copy of what it names, so that what it writes does not stay."""
    for name in ("docs", "policies"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    arguments = [sys.executable, "-m", "experiments", *command.words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "RAY_USAGE_STATS_ENABLED": "0"}
    done = subprocess.run(arguments, cwd=tmp_path, env=environment, capture_output=True, text=True)
    said = [says for end, says in REFUSED.items() if command.text.endswith(end)]
    assert done.returncode == (2 if said else 0), done.stdout[-2000:] + done.stderr[-2000:]
    assert all(says in done.stderr for says in said)
    assert said or done.stdout
