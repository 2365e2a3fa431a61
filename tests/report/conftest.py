"""A tiny economy, trained once with two seeds, and its report."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

ECONOMY = """
game: {name: economy, followers: 20, games: 4, horizon: 12}
algorithm:
  hidden: [8, 8]
  years_per_iteration: 48
  warm_up_years: 48
  updates_per_iteration: 4
  transitions_per_update: 16
training: {iterations: 4, checkpoint_interval: 4, seeds: [1, 2]}
evaluation: {interval: 2, episodes: 4, final_episodes: 8}
comparison: {baselines: [free_market_learned, random]}
"""


def run_command(*arguments: object) -> tuple[int, str]:
    """Runs the command in this process; its exit code, and what it said of mistakes."""
    from experiments.commands.main import app

    err = io.StringIO()
    with redirect_stdout(io.StringIO()), redirect_stderr(err):
        code = app([str(argument) for argument in arguments], standalone_mode=False)
    return code, err.getvalue()


Command = Callable[..., tuple[int, str]]


@pytest.fixture(scope="session")
def smfg() -> Command:
    return run_command


@pytest.fixture(scope="session")
def economy_run(ray_local: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run."""
    folder = tmp_path_factory.mktemp("report")
    (folder / "tiny.yaml").write_text(ECONOMY)
    code, err = run_command("train", folder / "tiny.yaml", "--output", folder / "run")
    assert code == 0, err
    return folder / "run"


@pytest.fixture(scope="session")
def report_page(economy_run: Path) -> Path:
    """Its report."""
    code, err = run_command("report", economy_run)
    assert code == 0, err
    return economy_run / "report.html"
