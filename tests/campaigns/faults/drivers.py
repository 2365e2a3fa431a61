"""Training in processes that are there to be killed. They are forked, since importing the libraries takes seconds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from unittest.mock import patch

from experiments.configuration.config import Experiment
from rllib_smfg.processes.quiet import LOOPBACK
from tests.campaigns.faults.processes import parent_of_listener

STARTED = "started"  # what a driver says when it begins to train; then every iteration's number
HEAD_ATTEMPTS = 5
HEAD = """
import sys
from rllib_smfg.processes.quiet import quieten
quieten()
import ray
ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False)
print(ray.get_runtime_context().gcs_address, flush=True)
sys.stdin.read()
"""


@contextmanager
def ray_head() -> Iterator[int]:
    """A Ray for all drivers inside the block, which ends with it; yields the process that started it.

    Where RAY_ADDRESS names one that runs on this machine already, that is used and left alone.
    """
    if known := os.environ.get("RAY_ADDRESS"):
        yield parent_of_listener(int(known.rpartition(":")[2]))
        return
    # drivers need what the head has: loopback, or they look for it at this machine's outer address, and the token
    with patch.dict(os.environ, LOOPBACK | {"RAY_AUTH_MODE": os.environ.get("RAY_AUTH_MODE", "token")}):
        head, os.environ["RAY_ADDRESS"] = _started_head()
        try:
            yield head.pid
        finally:
            head.communicate()


def _started_head() -> tuple[subprocess.Popen[str], str]:
    """On a busy machine Ray may take longer to start than it allows itself, so it is tried a few times."""
    for _ in range(HEAD_ATTEMPTS):
        head = subprocess.Popen([sys.executable, "-c", HEAD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert head.stdout is not None
        if address := head.stdout.readline().strip():
            return head, address
        head.communicate()
    raise RuntimeError("Ray did not start; what it printed above says why")


@dataclass
class Driver:
    """A forked process that trains a seed; `lines` is what it has said so far."""

    process: int
    pipe: int
    lines: list[str] = field(default_factory=list)
    code: int | None = None

    def listen(self, until: float) -> None:
        """Takes in what it says until a moment (`time.monotonic`) or its end."""
        os.set_blocking(self.pipe, False)
        unfinished = ""
        while self.code is None and time.monotonic() < until:
            try:
                unfinished += os.read(self.pipe, 65536).decode()
            except BlockingIOError:
                time.sleep(0.002)
            *whole, unfinished = unfinished.split("\n")
            self.lines += whole
            ended, status = os.waitpid(self.process, os.WNOHANG)
            if ended:
                self.code = os.waitstatus_to_exitcode(status)
        self.lines += (unfinished + self._rest()).split("\n") if self.code is not None else []

    def wait_for(self, line: str) -> None:
        """Until it says `line`, or ends."""
        while line not in self.lines and self.code is None:
            self.listen(time.monotonic() + 0.05)

    def kill(self) -> None:
        """SIGKILL: it can do nothing about it."""
        if self.code is None:
            os.kill(self.process, signal.SIGKILL)
            _, status = os.waitpid(self.process, 0)
            self.code = os.waitstatus_to_exitcode(status)
            self.lines += self._rest().split("\n")

    def close(self) -> None:
        """Ends it, and the pipe to it."""
        self.kill()
        os.close(self.pipe)

    def iteration(self) -> int:
        """The last iteration that it has shown; 0 if none."""
        return max((int(line) for line in self.lines if line.isdigit()), default=0)

    def _rest(self) -> str:
        try:
            return os.read(self.pipe, 1 << 20).decode()
        except BlockingIOError:
            return ""


class Teller:
    """A display (`experiments.training.progress.Display`) that writes iterations into a pipe."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def start(self, title: str, done: int, total: int) -> None:
        """See Display."""
        self.note(STARTED)

    def update(self, row: Mapping[str, float]) -> None:
        """See Display."""
        self.note(str(int(row["iteration"])))

    def note(self, text: str) -> None:
        """See Display."""
        os.write(self._pipe, f"{text}\n".encode())


def start_training(experiment: Experiment, seed: int, folder: Path) -> Driver:
    """A driver that trains a seed from its latest checkpoint; needs a `ray_head`."""

    def train(pipe: int) -> None:
        from experiments.training.trainer import train_seed
        from rllib_smfg.processes.ray_session import ray_session

        with ray_session(0):
            train_seed(experiment, seed, folder, Teller(pipe))

    return forked(train)


def forked(work: Callable[[int], None]) -> Driver:
    """A process that does some work; it is given the end of a pipe to write to."""
    inside, outside = os.pipe()
    process = os.fork()
    if process:
        os.close(outside)
        return Driver(process, inside)
    code = 1
    try:
        os.close(inside)
        work(outside)
        code = 0
    except Exception as error:
        os.write(outside, f"{type(error).__name__}: {error}\n".encode())
    finally:
        os._exit(code)
