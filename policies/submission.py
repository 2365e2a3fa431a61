"""A stranger's policy: a class in a file, run in a process of its own, asked for actions through a pipe.

What comes back is taken as numbers and nothing else, and only if it has the right shape and is finite. Whatever else
the submission does (an exception, silence, too much memory, its own end) becomes `SubmissionFailed` with the reason.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, Self

import numpy as np

from envs.game import Array, InvalidSetting, StackelbergMeanFieldGame
from policies.policy import FollowerPolicy, LeaderPolicy

HOST = Path(__file__).with_name("submission_host.py")
LONGEST_HEADER = 8192
# Of the scorer's environment a submission is shown these only: no keys, no tokens.
SHOWN = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TMPDIR", "VIRTUAL_ENV", "PYTHONPATH", "SYSTEMROOT")
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class SubmissionFailed(Exception):
    """A submission that cannot be scored; the text says in one line why."""


@dataclass(frozen=True)
class Limits:
    """What a submission may take: seconds to start, for one action, and for all its actions; MiB of address space."""

    start_seconds: float = 60.0
    call_seconds: float = 5.0
    total_seconds: float = 600.0
    memory_mib: int = 4096

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0:
                raise InvalidSetting(f"{name} = {value}: must be above 0")


class Submission:
    """A running submission. `isolated`: whether the kernel keeps it apart from other processes and the network.

    source: FILE:CLASS. seed: what `random` and `numpy.random` are seeded with in its process.
    Raises InvalidSetting if there is no such file, SubmissionFailed if the class cannot be made in time.
    """

    def __init__(self, source: str, seed: int, limits: Limits | None = None) -> None:
        file, name = find_class(source)
        self._limits = limits or Limits()
        self._left, self._received = self._limits.total_seconds, bytearray()
        theirs, self._request = os.pipe()
        self._reply, answers = os.pipe()
        memory, cpu = self._limits.memory_mib * 2**20, self._limits.start_seconds + self._limits.total_seconds
        arguments = [theirs, answers, file.resolve(), name, seed, memory, int(cpu) + 1]
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-B", str(HOST), *map(str, arguments)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs, answers),
                env={name: os.environ[name] for name in SHOWN if name in os.environ} | ONE_THREAD,
                start_new_session=True,
            )
        finally:
            os.close(theirs)
            os.close(answers)
        os.set_blocking(self._request, False)
        try:
            hello = self._header(monotonic() + self._limits.start_seconds, f"start in {self._limits.start_seconds:g} s")
            self.isolated = hello.get("isolated") is True
        except BaseException:
            self.close()
            raise

    def act(self, arrays: Sequence[Array], shape: tuple[int, ...]) -> Array:
        """The submission's action of this shape, all finite, for what it observes; raises SubmissionFailed."""
        began = monotonic()
        seconds, limit = self._limits.call_seconds, f"act in {self._limits.call_seconds:g} s"
        if self._left < seconds:
            seconds, limit = self._left, f"play in {self._limits.total_seconds:g} s in all"
        action = self._ask(arrays, shape, began + seconds, limit)
        self._left -= monotonic() - began
        if not np.isfinite(action).all():
            raise SubmissionFailed("acted with a value that is not a finite number")
        return action

    def close(self) -> None:
        """Ends the submission's process, and whatever it started where it is isolated."""
        for end in (self._request, self._reply):
            os.close(end)
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- the conversation --------------------------------------------------------------------------------------
    def _ask(self, arrays: Sequence[Array], shape: tuple[int, ...], deadline: float, limit: str) -> Array:
        request = json.dumps({"shapes": [array.shape for array in arrays]}).encode() + b"\n"
        self._send(request + b"".join(np.asarray(a, dtype="<f8").tobytes() for a in arrays), deadline, limit)
        found = self._header(deadline, limit).get("shape")
        if found != list(shape):
            raise SubmissionFailed(f"acted with shape {_plain(found, 60)}: must be {list(shape)}")
        data = self._receive(8 * int(np.prod(shape)), deadline, limit)
        return np.frombuffer(data, dtype="<f8").reshape(shape)

    def _send(self, data: bytes, deadline: float, limit: str) -> None:
        rest = memoryview(data)
        while rest:
            self._wait(self._request, select.POLLOUT, deadline, limit)
            try:
                rest = rest[os.write(self._request, rest) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                # it may have said why before it ended
                self._header(deadline, limit)
                raise self._ended() from None

    def _header(self, deadline: float, limit: str) -> dict[str, Any]:
        """The next line of JSON; raises SubmissionFailed with the reason if it tells of a failure."""
        while (end := self._received.find(b"\n")) < 0:
            if len(self._received) > LONGEST_HEADER:
                raise SubmissionFailed("answered with something that is not an action")
            self._read(LONGEST_HEADER, deadline, limit)
        line = self._received[:end]
        del self._received[: end + 1]
        try:
            header = json.loads(line)
        except (ValueError, RecursionError):
            header = None
        if not isinstance(header, dict):
            raise SubmissionFailed("answered with something that is not an action")
        if "failed" in header:
            raise SubmissionFailed(_plain(header["failed"], 600))
        return header

    def _receive(self, size: int, deadline: float, limit: str) -> bytes:
        while len(self._received) < size:
            self._read(size - len(self._received), deadline, limit)
        data = bytes(self._received[:size])
        del self._received[:size]
        return data

    def _read(self, at_most: int, deadline: float, limit: str) -> None:
        self._wait(self._reply, select.POLLIN, deadline, limit)
        data = os.read(self._reply, at_most)
        if not data:
            raise self._ended()
        self._received += data

    def _wait(self, end: int, event: int, deadline: float, limit: str) -> None:
        poll = select.poll()
        poll.register(end, event)
        if not poll.poll(max(0.0, 1000 * (deadline - monotonic()))):
            raise SubmissionFailed(f"did not {limit}")

    def _ended(self) -> SubmissionFailed:
        """Why the process is gone."""
        try:
            status = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return SubmissionFailed("closed its pipe")
        number = status - 128 if status > 128 else -status
        if number in {each.value for each in signal.Signals}:
            return SubmissionFailed(f"its process was killed by {signal.Signals(number).name}")
        return SubmissionFailed(f"its process ended by itself (exit status {status})")


class SubmittedLeader(LeaderPolicy):
    """A government of `submission`, whose class has act(observation (B, dl)) -> (B, al)."""

    def __init__(self, submission: Submission, game: StackelbergMeanFieldGame) -> None:
        self._submission, self._size = submission, game.leader_action_space.shape[0]

    def act(self, observation: Array) -> Array:
        """Actions (B, al); raises SubmissionFailed."""
        return self._submission.act([observation], (len(observation), self._size))


class SubmittedFollower(FollowerPolicy):
    """Households of `submission`, whose class has act(observation (B, n, df), leader_action (B, al)) -> (B, n, af)."""

    def __init__(self, submission: Submission, game: StackelbergMeanFieldGame) -> None:
        self._submission, self._size = submission, game.follower_action_space.shape[0]

    def act(self, observation: Array, leader_action: Array) -> Array:
        """Actions (B, n, af); raises SubmissionFailed."""
        return self._submission.act([observation, leader_action], (*observation.shape[:2], self._size))


def find_class(source: str) -> tuple[Path, str]:
    """File and class of FILE:CLASS; raises InvalidSetting if there is no such file."""
    file, colon, name = source.rpartition(":")
    if not colon or not name.isidentifier():
        raise InvalidSetting(f"submission '{source}': must have the form FILE:CLASS, for example my_policy.py:MyPolicy")
    if not Path(file).is_file():
        raise InvalidSetting(f"submission '{source}': no such file '{file}'")
    return Path(file), name


def _plain(text: object, longest: int) -> str:
    """A stranger's words in one line of printable characters."""
    words = "".join(c if c.isprintable() else " " for c in str(text)[: 4 * longest])
    return " ".join(words.split())[:longest]
