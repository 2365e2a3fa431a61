"""A Ray to train on: the cluster that RAY_ADDRESS names, or one of this process alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from experiments.quiet import quieten


@contextmanager
def ray_session(processes: int) -> Iterator[None]:
    """Ray for the time of the block; `processes` are the runners and learners beside the main process.

    A Ray of our own listens on loopback only (see `quiet.LOOPBACK`) and has no dashboard. One that is running stays.
    """
    quieten()
    import ray

    if ray.is_initialized():
        yield
        return
    if os.environ.get("RAY_ADDRESS"):
        ray.init(log_to_driver=False, logging_level="WARNING")
    else:
        # more processes than cores are slow, but waiting for cores that never come would be worse
        cores = max(os.cpu_count() or 1, processes + 1)
        ray.init(
            address="local",
            num_cpus=cores,
            include_dashboard=False,
            log_to_driver=False,
            logging_level="WARNING",
        )
    try:
        yield
    finally:
        ray.shutdown()
