"""Programs that train in a process of their own, on the Ray of these tests."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).parent
Program = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def program(ray_local: None) -> Program:
    """Runs a program of this folder, with arguments, to its end; `before` is put in front of the command."""
    import ray

    address = ray.get_runtime_context().gcs_address
    path = os.pathsep.join([str(HERE.parents[1]), str(HERE)])
    environment = {**os.environ, "RAY_ADDRESS": address, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}

    def run(name: str, *arguments: object, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        command = [*before, sys.executable, str(HERE / name), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, env=environment)

    return run
