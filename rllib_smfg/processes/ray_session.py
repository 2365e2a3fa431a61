"""A Ray to train on: the cluster that RAY_ADDRESS names, or one of this process alone."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from rllib_smfg.processes.interrupts import terminated_as_interrupted
from rllib_smfg.processes.quiet import quieten
from rllib_smfg.processes.ray_start import start, wait_for_cpus

Key = TypeVar("Key", bound=Hashable)
Result = TypeVar("Result")


@contextmanager
def ray_session(processes: int) -> Iterator[None]:
    """Ray for the time of the block; `processes` are the runners and learners beside the main process.

    A Ray of our own listens on loopback only (see `quiet.LOOPBACK`) and has no dashboard. One that is running stays.
    Raises `ray_start.NoRay` where there is none, or none with CPUs for them.
    """
    quieten()
    import ray

    if ray.is_initialized():
        wait_for_cpus(processes)
        with terminated_as_interrupted():
            yield
        return
    start(processes)
    try:
        with terminated_as_interrupted():
            yield
    finally:
        ray.shutdown()


def side_by_side(
    work: Callable[..., Result],
    calls: Mapping[Key, tuple[Any, ...]],
    lost: Callable[[Key, Exception], Result] | None = None,
    **options: Any,
) -> Iterator[tuple[Key, Result]]:
    """`work(*arguments)` of every call, with its key, as they are done; as many at a time as Ray has CPUs.

    lost: what a call comes to whose process is lost; without it that ends all. options: of the Ray tasks. Needs a Ray
    that is running.
    """
    import ray
    from ray.exceptions import RayError

    wait_for_cpus(1)
    task = ray.remote(num_cpus=1, **options)(work)
    waiting = {task.remote(*arguments): key for key, arguments in calls.items()}
    while waiting:
        (done,), _ = ray.wait(list(waiting))
        key = waiting.pop(done)
        try:
            result = ray.get(done)
        except RayError as error:
            if lost is None:
                raise
            result = lost(key, error)
        yield key, result
