"""Starting Ray, or joining one, without silence and without end: what is missing is said in one line."""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

from envs import InvalidSetting
from rllib_smfg.processes.quiet import ENVIRONMENT
from rllib_smfg.processes.waiting import say, saying

REACHED = 5.0  # seconds in which a cluster's head must answer
CPU_PATIENCE = 300.0  # seconds in which nodes may join, or others may end
PAUSE = 2.0
ADDRESS = re.compile(r"^(ray://)?(?P<host>[^:/\s]+|\[[^\]]+\]):(?P<port>\d+)$")


class NoRay(InvalidSetting):
    """There is no Ray to train on; nothing has been trained."""


def start(processes: int) -> None:
    """Starts a Ray of this process alone, or joins the one that RAY_ADDRESS names; raises NoRay.

    processes: runners and learners that there must be CPUs for.
    """
    import ray

    address = os.environ.get("RAY_ADDRESS")
    if address:
        _refuse_unreachable(address)
        with saying(f"joining Ray at {address}"), _in_one_line(f"Ray at {address} cannot be joined"):
            ray.init(log_to_driver=False, logging_level="WARNING")
        wait_for_cpus(processes, busy=True)
        return
    # more processes than cores are slow, but waiting for cores that never come would be worse
    cores = max(os.cpu_count() or 1, processes + 1)
    limit = ENVIRONMENT["RAY_raylet_start_wait_time_s"]
    with saying(f"starting Ray (at most {limit} s)"), _in_one_line("Ray does not start"):
        ray.init(
            address="local",
            num_cpus=cores,
            include_dashboard=False,
            log_to_driver=False,
            logging_level="WARNING",
        )


def wait_for_cpus(needed: int, *, busy: bool = False, patience: float | None = None) -> None:
    """Waits until the cluster has so many CPUs, or, with `busy`, so many that nobody uses; says so at once.

    An autoscaler is asked for them. Raises NoRay after `patience` seconds.
    """
    if needed < 1 or _cpus(busy) >= needed:
        return
    from ray.autoscaler.sdk import request_resources

    limit = CPU_PATIENCE if patience is None else patience
    say(f"waiting for {needed} CPUs, {_found(busy)} (at most {limit:g} s)")
    request_resources(num_cpus=needed)
    until = time.monotonic() + limit
    try:
        while _cpus(busy) < needed:
            if time.monotonic() > until:
                raise NoRay(
                    f"{needed} CPUs are needed, {_found(busy)} after {limit:g} s; must have fewer"
                    " training.env_runners and training.learners, or more nodes"
                )
            time.sleep(min(PAUSE, limit))
    finally:
        request_resources(num_cpus=0)


def _cpus(free: bool) -> int:
    import ray

    return int((ray.available_resources() if free else ray.cluster_resources()).get("CPU", 0))


def _found(busy: bool) -> str:
    total = _cpus(False)
    return (
        f"{_cpus(True)} of the cluster's {total} are free"
        if busy and _cpus(True) < total
        else (f"the cluster has {total}")
    )


def _refuse_unreachable(address: str) -> None:
    """Raises NoRay where nothing listens at host:port; Ray itself would try for minutes."""
    found = ADDRESS.match(address)
    if found is None:
        return
    host, port = found["host"].strip("[]"), int(found["port"])
    try:
        with saying(f"asking Ray at {address} (at most {REACHED:g} s)"):
            socket.create_connection((host, port), timeout=REACHED).close()
    except (OSError, OverflowError) as error:
        why = "no answer" if isinstance(error, TimeoutError) else getattr(error, "strerror", None) or error
        raise NoRay(
            f"RAY_ADDRESS = {address}: no Ray there ({why}); must be the address of a cluster's head, or unset"
        ) from None


@contextmanager
def _in_one_line(fault: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise NoRay(f"{fault}: {lines[0] if lines else type(error).__name__}") from None
