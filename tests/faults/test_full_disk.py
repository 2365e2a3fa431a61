"""A disk that is full or read-only: one line says so, what was saved stays whole, and training goes on later."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

NAMESPACE = ("unshare", "--map-root-user", "--mount")


def test_a_full_disk_and_a_read_only_one_stop_training_in_one_line(program, tmp_path: Path) -> None:
    if subprocess.run([*NAMESPACE, "mount", "-t", "tmpfs", "tmpfs", str(tmp_path)], capture_output=True).returncode:
        pytest.skip("this kernel lets nobody mount a small disk (unshare --map-root-user --mount)")
    result = program("full_disk.py", tmp_path, before=NAMESPACE)
    assert result.returncode == 0, result.stderr[-2000:]
    found = json.loads(result.stdout.splitlines()[-1])
    for kind, what in (("full", "No space left on device"), ("read-only", "Read-only file system")):
        code, _, err = found[kind]
        assert code in (1, 2)
        assert err.count("\n") == 1
        assert what in err
    assert "go on from the latest checkpoint with: smfg train --resume" in found["full"][2]
    assert found["left"] == ["iteration_000002"]  # and nothing half-written beside it
    code, out, err = found["after"]
    assert code == 0, err
    assert "from iteration 2" in out
    assert found["finished"]
