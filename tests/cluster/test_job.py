"""A job on a real head: submitted as docs/cluster.md says, followed to its end, its artefacts found."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from experiments import checkpoints

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
ROOT = Path(__file__).resolve().parents[2]
RAY = [sys.executable, "-m", "ray.scripts.scripts"]
NOT_YET = ("No available agent to submit job", "Connection aborted", "Failed to connect to Ray")
# on a busy machine a head's parts need longer to find each other than Ray waits by default
PATIENCE = {
    "RAY_raylet_start_wait_time_s": "300",
    "RAY_agent_register_timeout_ms": "300000",
    "RAY_health_check_failure_threshold": "60",
}
TINY = [
    *("--set", "game.followers=10", "--set", "game.horizon=20", "--set", "training.iterations=2"),
    *("--set", "training.checkpoint_interval=1", "--set", "algorithm.warm_up_years=0"),
    *("--set", "algorithm.updates_per_iteration=2", "--set", "evaluation.final_episodes=4"),
    *("--set", "comparison.baselines=[random]"),
]


@dataclass(frozen=True)
class Head:
    address: str
    environment: dict[str, str]

    def job(self, *entrypoint: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Submits a job and follows it to its end; a head that has just started may need some time to take it."""
        submit = [*RAY, "job", "submit", "--address", self.address, "--working-dir", ".", "--", *entrypoint]
        until = time.monotonic() + 600
        while True:
            done = subprocess.run(
                submit, cwd=ROOT, env=environment or self.environment, capture_output=True, text=True, timeout=900
            )
            early = any(reason in done.stderr for reason in NOT_YET)
            if done.returncode == 0 or not early or time.monotonic() > until:
                return done
            time.sleep(2)


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Head]:
    """A head of its own with token authentication, on loopback, ended by its process id."""
    folder = tmp_path_factory.mktemp("head")
    temporary = Path(tempfile.mkdtemp(prefix="ray-"))  # a short name: Ray's sockets lie in it
    token = folder / "token"
    token.write_text("a-token-of-the-tests-0123456789abcdef")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("RAY_")},
        **PATIENCE,
        **{"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token), "RAY_USAGE_STATS_ENABLED": "0"},
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        "PYTHONPATH": "",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    port, dashboard, agent = _free_port(), _free_port(), _free_port()
    start = [*RAY, "start", "--head", "--block", "--num-cpus=4", "--node-ip-address=127.0.0.1", f"--port={port}"]
    start += ["--dashboard-host=127.0.0.1", f"--dashboard-port={dashboard}", f"--temp-dir={temporary}"]
    # every head of a machine would take the same port for its agent, without which it accepts jobs but runs none
    start += ["--disable-usage-stats", f"--dashboard-agent-listen-port={agent}"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(start, env=environment, stdout=log, stderr=log)
    try:
        _wait_for(dashboard, process, folder / "log")
        yield Head(f"http://127.0.0.1:{dashboard}", environment)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=120)
        shutil.rmtree(temporary, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 300
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.5)
    raise AssertionError(log.read_text())


def test_train_as_a_job_succeeds_and_leaves_its_artefacts(head: Head, tmp_path: Path) -> None:
    entrypoint = ["python", "-m", "experiments", "train", "experiments/configs/quickstart.yaml"]
    done = head.job(*entrypoint, "--storage", str(tmp_path), *TINY)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "succeeded" in done.stdout + done.stderr
    assert "iteration 2/2" in done.stdout
    (run,) = tmp_path.iterdir()
    assert json.loads((run / "summary.json").read_text())["seeds"] == [1]
    assert checkpoints.read_progress(checkpoints.find(run)).iteration == 2
    assert list(run.glob("seed_1/tensorboard/events*"))
    assert (run / "training_curves.png").is_file()


def test_tune_as_a_job_succeeds(head: Head, tmp_path: Path) -> None:
    changes = [f"changes.{value}" if value != "--set" else value for value in TINY]
    small = ["--set", "search.trials=2", "--set", "changes.evaluation.interval=1", "--set", "asha.first_rung=1"]
    entrypoint = ["python", "-m", "experiments", "tune", "tune_configs/asha_smfrl.yaml", "--storage", str(tmp_path)]
    done = head.job(*entrypoint, *small, *changes)
    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = tmp_path.iterdir()
    assert (run / "best.yaml").is_file()
    assert checkpoints.verify(run / "best")


def test_a_game_of_a_package_outside_trains_as_a_job_with_two_runners(head: Head, tmp_path: Path) -> None:
    sys.path.insert(0, str(ROOT / "tests" / "plugins"))
    from fishery_parts import write_package

    config = write_package(tmp_path / "mine", "my_package")
    done = head.job("python", "-m", "experiments", "train", str(config), "--storage", str(tmp_path / "runs"))
    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = (tmp_path / "runs").iterdir()
    assert checkpoints.read_progress(checkpoints.find(run)).iteration == 2


def test_without_the_token_nothing_runs(head: Head, tmp_path: Path) -> None:
    stranger = tmp_path / "token"
    stranger.write_text("not-the-token-0123456789abcdef0123456789")
    environment = {**head.environment, "RAY_AUTH_TOKEN_PATH": str(stranger)}
    done = head.job("touch", str(tmp_path / "ran"), environment=environment)
    assert done.returncode != 0
    assert not (tmp_path / "ran").exists()
