"""A Ray head that takes jobs, and a server that speaks S3, both on loopback and ended by their process ids."""

from __future__ import annotations

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
from typing import IO

import pytest

ROOT = Path(__file__).resolve().parents[2]
RAY = [sys.executable, "-m", "ray.scripts.scripts"]
NOT_YET = ("No available agent to submit job", "Connection aborted", "Failed to connect to Ray")
# on a busy machine a head's parts need longer to find each other than Ray waits by default
PATIENCE = {
    "RAY_raylet_start_wait_time_s": "300",
    "RAY_agent_register_timeout_ms": "300000",
    "RAY_health_check_failure_threshold": "60",
}
BUCKET = "runs"


@dataclass(frozen=True)
class Head:
    address: str
    environment: dict[str, str]

    def job(
        self, *entrypoint: str, environment: dict[str, str] | None = None, options: tuple[str, ...] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Submits a job and follows it to its end; a head that has just started may need some time to take it."""
        submit = [*RAY, "job", "submit", "--address", self.address, "--working-dir", ".", *options, "--", *entrypoint]
        until = time.monotonic() + 600
        while True:
            done = subprocess.run(
                submit, cwd=ROOT, env=environment or self.environment, capture_output=True, text=True, timeout=900
            )
            early = any(reason in done.stderr for reason in NOT_YET)
            if done.returncode == 0 or not early or time.monotonic() > until:
                return done
            time.sleep(2)

    def started(self, name: str, *entrypoint: str) -> None:
        """Submits a job of this name and leaves it running."""
        done = self.job(*entrypoint, options=("--submission-id", name, "--no-wait"))
        assert done.returncode == 0, done.stdout + done.stderr

    def about(self, name: str, what: str) -> str:
        """What `ray job WHAT` says of a job."""
        command = [*RAY, "job", what, "--address", self.address, name]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=300)
        return done.stdout + done.stderr


@pytest.fixture(scope="session")
def s3() -> Iterator[dict[str, str]]:
    """A server that speaks S3, with a bucket `runs`; yields the environment that leads to it."""
    port = _free_port()
    environment = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nothing",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with tempfile.TemporaryFile("w+") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            _wait_for(port, server, log)
            make = f"import boto3; boto3.client('s3').create_bucket(Bucket={BUCKET!r})"
            subprocess.run([sys.executable, "-c", make], env={**os.environ, **environment}, check=True, timeout=120)
            yield environment
        finally:
            server.terminate()
            server.wait(timeout=60)


@pytest.fixture(scope="session")
def head(s3: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Head]:
    """A head of its own with token authentication, on loopback, ended by its process id; its jobs find S3."""
    folder = tmp_path_factory.mktemp("head")
    temporary = Path(tempfile.mkdtemp(prefix="ray-"))  # a short name: Ray's sockets lie in it
    token = folder / "token"
    token.write_text("a-token-of-the-tests-0123456789abcdef")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("RAY_")},
        **PATIENCE,
        **s3,
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
    log = (folder / "log").open("w+")
    process = subprocess.Popen(start, env=environment, stdout=log, stderr=log)
    try:
        _wait_for(dashboard, process, log)
        yield Head(f"http://127.0.0.1:{dashboard}", environment)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=120)
        shutil.rmtree(temporary, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes], log: IO[str]) -> None:
    """Until a process listens on a port; what it logged where it does not."""
    until = time.monotonic() + 300
    while time.monotonic() < until:
        assert process.poll() is None, _text(log)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.5)
    raise AssertionError(_text(log))


def _text(log: IO[str]) -> str:
    log.seek(0)
    return log.read()
