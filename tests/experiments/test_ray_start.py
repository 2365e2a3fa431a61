"""Ray that does not start, or has too few CPUs: a line at once, an end, one line that says why, and no folder."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rllib_smfg.processes import ray_start
from rllib_smfg.processes.ray_session import ray_session
from rllib_smfg.processes.ray_start import NoRay, wait_for_cpus

ROOT = Path(__file__).resolve().parents[2]


def shell(folder: Path, *arguments: str, **environment: str) -> tuple[subprocess.CompletedProcess[str], float]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    began = time.monotonic()
    command = [sys.executable, "-m", "experiments", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=env, timeout=120)
    return done, time.monotonic() - began


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("command", ["train", "tune"])
def test_a_cluster_that_is_not_there(command: str, closed_port: int, tiny: Path, tmp_path: Path) -> None:
    what = str(tiny) if command == "train" else "asha_smfrl"
    done, seconds = shell(tmp_path, command, what, "--output", "run", RAY_ADDRESS=f"127.0.0.1:{closed_port}")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"smfg: RAY_ADDRESS = 127.0.0.1:{closed_port}: no Ray there (Connection refused)")
    assert not (tmp_path / "run").exists()
    assert seconds < 60


def test_a_ray_that_cannot_start(tiny: Path, tmp_path: Path) -> None:
    done, _ = shell(tmp_path, "train", str(tiny), "--output", "run", RAY_TMPDIR=str(tmp_path / ("x" * 120)))
    assert done.returncode == 2
    last = done.stderr.splitlines()[-1]
    assert last.startswith("smfg: Ray does not start: ")
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()


def test_too_few_cpus_are_said_at_once_and_waited_for_with_a_limit(
    ray_local: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_start, "CPU_PATIENCE", 0.5)
    with (
        pytest.raises(NoRay, match=r"12 CPUs are needed, the cluster has 4 after 0.5 s; must have fewer"),
        ray_session(12),
    ):
        pass
    assert capsys.readouterr().err == "smfg: waiting for 12 CPUs, the cluster has 4 (at most 0.5 s)\n"
    with ray_session(4):
        pass
    assert capsys.readouterr().err == ""


def test_a_training_that_asks_for_too_much_ends_in_one_line(
    ray_local: None, smfg, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_start, "CPU_PATIENCE", 0.5)
    many = ("--set", "training.env_runners=40", "--set", "algorithm.years_per_iteration=400")
    result = smfg("train", tiny, *many, "--output", tmp_path / "run")
    assert result.code == 2
    waiting, refused = result.err.splitlines()
    assert waiting == "smfg: waiting for 40 CPUs, the cluster has 4 (at most 0.5 s)"
    assert refused.startswith("smfg: 40 CPUs are needed, the cluster has 4")
    assert not (tmp_path / "run").exists()


def test_cpus_in_use_are_waited_for(ray_local: None, capsys: pytest.CaptureFixture[str]) -> None:
    import ray

    @ray.remote(num_cpus=3)
    def busy() -> None:
        time.sleep(3)

    running = busy.remote()
    time.sleep(1)
    wait_for_cpus(3, busy=True, patience=30)
    said = capsys.readouterr().err
    assert said.startswith("smfg: waiting for 3 CPUs, 1 of the cluster's 4 are free")
    ray.get(running)


@pytest.mark.slow
def test_a_bucket_that_does_not_answer_is_said_to_be_asked(tiny: Path, tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "us-east-1"}
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        storage = "s3://bucket/runs"
        done, seconds = shell(tmp_path, "train", str(tiny), "--storage", storage, AWS_ENDPOINT_URL=endpoint, **keys)
    asked, refused = done.stderr.splitlines()[:2]
    assert asked == f"smfg: asking {storage} (at most 30 s)"
    assert "does not answer within 30 s" in refused
    assert seconds < 80
    assert list(tmp_path.iterdir()) == []
