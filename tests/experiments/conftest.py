"""A tiny training run, made once, and the command `smfg` as a function."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

TINY = """
game: {name: stage_game, followers: 20, games: 4}
algorithm:
  hidden: [16, 16]
  years_per_iteration: 80
  warm_up_years: 80
  updates_per_iteration: 10
  transitions_per_update: 32
training: {iterations: 4, checkpoint_interval: 2, seeds: [1]}
evaluation: {interval: 2, episodes: 8, final_episodes: 16}
"""


@dataclass(frozen=True)
class Result:
    """What a command left: its exit code, and what it printed."""

    code: int
    out: str
    err: str


Command = Callable[..., Result]


def run_command(*arguments: object) -> Result:
    """Runs `smfg` in this process."""
    from experiments.cli import app

    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = app([str(argument) for argument in arguments], standalone_mode=False)
    return Result(code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="session")
def smfg() -> Command:
    return run_command


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration that trains in seconds."""
    path = tmp_path_factory.mktemp("configs") / "tiny.yaml"
    path.write_text(TINY)
    return path


@pytest.fixture(scope="session")
def finished_run(ray_local: None, tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run of `tiny`; not to be changed."""
    folder = tmp_path_factory.mktemp("runs") / "finished"
    result = run_command("train", tiny, "--output", folder)
    assert result.code == 0, result.err
    (folder / "printed.txt").write_text(result.out)
    return folder


@pytest.fixture
def copied_run(finished_run: Path, tmp_path: Path) -> Path:
    """A finished run to play with."""
    return Path(shutil.copytree(finished_run, tmp_path / "run"))
