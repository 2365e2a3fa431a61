"""A tiny training run, made once, and the command `smfg` as a function."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Result:
    """What a command left: its exit code, and what it printed."""

    code: int
    out: str
    err: str


Command = Callable[..., Result]


def run_command(*arguments: object) -> Result:
    """Runs `smfg` in this process."""
    from experiments.commands.main import app

    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = app([str(argument) for argument in arguments], standalone_mode=False)
    return Result(code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="session")
def smfg() -> Command:
    return run_command


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
