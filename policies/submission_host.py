"""The process a submission runs in; started by `policies.submission`, imports nothing of this project.

    submission_host.py REQUEST_FD REPLY_FD FILE CLASS SEED MEMORY_BYTES CPU_SECONDS

A guard starts the submission in a process of its own, apart from other processes and from the network where the kernel
allows it, and ends it as soon as the scorer closes the requests. The submission is asked by one JSON line,
{"shapes": [...]}, followed by the arrays; it answers with {"shape": [...]} and one array, or {"failed": reason}.
Arrays are plain little-endian float64 in C order. Nothing is ever unpickled.
"""

from __future__ import annotations

import ctypes
import importlib.util
import json
import os
import random
import resource
import select
import signal
import sys
import traceback
from contextlib import suppress
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

# sched.h: namespaces of users, processes, networks and inter-process communication
NAMESPACES = 0x10000000 | 0x20000000 | 0x40000000 | 0x08000000
LARGEST_FILE = 64 * 2**20
MOST_PROCESSES = 64
LONGEST_REASON = 500


def main(arguments: list[str]) -> None:
    """The guard: starts the submission, waits for its end or the scorer's, and takes over its exit status."""
    request_fd, reply_fd = int(arguments[0]), int(arguments[1])
    isolated = _leave_namespaces()
    submission = os.fork()
    if submission == 0:
        os.setsid()
        _limit(int(arguments[5]), int(arguments[6]), isolated)
        _run(request_fd, reply_fd, isolated, *arguments[2:5])
        os._exit(0)
    os.close(reply_fd)
    ended, events = os.pidfd_open(submission), select.poll()
    events.register(ended, select.POLLIN)
    events.register(request_fd, 0)  # a closed pipe is always reported
    if ended not in dict(events.poll()):
        os.kill(submission, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(submission, 0)[1])
    os._exit(status if status >= 0 else 128 - status)


def _leave_namespaces() -> bool:
    """Cuts the processes started from here off from all others and from networks; False where the kernel refuses."""
    user, group = os.getuid(), os.getgid()
    if ctypes.CDLL(None, use_errno=True).unshare(NAMESPACES) != 0:
        return False
    with suppress(OSError):  # without these names the process is "nobody", and works as well
        for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            Path("/proc/self", name).write_text(text)
    return True


def _limit(memory_bytes: int, cpu_seconds: int, isolated: bool) -> None:
    """What the kernel holds this process to."""
    limits = {
        resource.RLIMIT_AS: memory_bytes,
        resource.RLIMIT_CPU: cpu_seconds,
        resource.RLIMIT_FSIZE: LARGEST_FILE,
        resource.RLIMIT_CORE: 0,
    }
    if isolated:  # elsewhere this counts every process of the user
        limits[resource.RLIMIT_NPROC] = MOST_PROCESSES
    for which, limit in limits.items():
        hard = resource.getrlimit(which)[1]
        limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(which, (limit, limit))


def _run(request_fd: int, reply_fd: int, isolated: bool, file: str, name: str, seed: str) -> None:
    """Makes the policy and answers until there are no more requests, or the policy fails."""
    with os.fdopen(request_fd, "rb") as requests, os.fdopen(reply_fd, "wb") as replies:
        try:
            policy = _load(Path(file), name, int(seed))
            _reply(replies, {"ready": True, "isolated": isolated})
            while line := requests.readline():
                action = policy.act(*_arrays(requests, json.loads(line)["shapes"]))
                _answer(replies, action)
        except BaseException as error:
            _reply(replies, {"failed": _reason(error, file)})


def _load(file: Path, name: str, seed: int) -> Any:
    import numpy as np

    random.seed(seed)
    np.random.seed(seed)
    sys.path.insert(0, str(file.parent))
    spec = importlib.util.spec_from_file_location("submission", file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file.name} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules["submission"] = module
    spec.loader.exec_module(module)
    if not hasattr(module, name):
        raise AttributeError(f"{file.name} has no class '{name}'")
    policy = getattr(module, name)()
    if not callable(getattr(policy, "act", None)):
        raise AttributeError(f"'{name}' has no method 'act'")
    return policy


def _arrays(requests: BinaryIO, shapes: list[list[int]]) -> list[Any]:
    import numpy as np

    arrays = (np.frombuffer(requests.read(8 * prod(shape)), dtype="<f8").reshape(shape) for shape in shapes)
    return [array.copy() for array in arrays]


def _answer(replies: BinaryIO, action: Any) -> None:
    import numpy as np

    array = np.asarray(action, dtype="<f8")
    _reply(replies, {"shape": array.shape}, array.tobytes())


def _reply(replies: BinaryIO, header: dict[str, Any], data: bytes = b"") -> None:
    replies.write(json.dumps(header).encode() + b"\n" + data)
    replies.flush()


def _reason(error: BaseException, file: str) -> str:
    """What went wrong, and in which line of the submission."""
    if isinstance(error, MemoryError):
        return "MemoryError: needs more memory than it may have"
    try:
        text = str(error)
    except BaseException:
        text = "(no text)"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    where = f" ({Path(file).name}, line {lines[-1]})" if lines else ""
    return f"{type(error).__name__}: {text[:LONGEST_REASON]}{where}"


if __name__ == "__main__":
    main(sys.argv[1:])
