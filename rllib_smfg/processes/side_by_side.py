"""Long works side by side: each in a Ray task of its own, on any node, which tells this process how it gets on.

A work that dies with its process is started again, twice at most. Ctrl-C and SIGTERM reach every work as Ctrl-C, at
which it may save what it has (`interrupts.Interrupts`).
"""

from __future__ import annotations

import logging
import signal
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Self

from envs import InvalidSetting
from rllib_smfg.processes.interrupts import GRACE, Interrupted, Interrupts
from rllib_smfg.processes.ray_session import Key

PACKAGE = "rllib_smfg"  # whose warnings are told
RETRIES = 2
PAUSE = 0.2  # seconds between two looks at what is new
Tell = Callable[..., None]  # anything that can be pickled
Bundle = dict[str, float]


@dataclass(frozen=True)
class Trouble:
    """Why a work came to no end, in one line (empty: it was stopped before it began), and its traceback."""

    text: str
    trace: str = ""


def bundles(runners: int, learners: int, gpus: float) -> list[Bundle]:
    """What a work's processes ask of Ray, the main one first; a CUDA device is that of the process that learns."""
    learner = {"CPU": 1.0, **({"GPU": gpus} if gpus else {})}
    main = {"CPU": 1.0} if learners else learner
    return [main, *[{"CPU": 1.0}] * runners, *[learner] * learners]


def room_for(needed: Sequence[Bundle]) -> int:
    """How many works with these processes the CPUs of all nodes have room for."""
    import ray

    return int(ray.cluster_resources().get("CPU", 0) / sum(bundle["CPU"] for bundle in needed))


def here() -> Bundle:
    """What a process asks for that must be on this node."""
    import ray

    return {f"node:{ray.util.get_node_ip_address()}": 0.001}


def on_all_nodes(folder: Path) -> bool:
    """Whether all nodes of the cluster see this node's folder."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    nodes = [node["NodeID"] for node in ray.nodes() if node["Alive"]]
    if len(nodes) < 2:
        return True
    look = ray.remote(num_cpus=0)(_is_there)
    with NamedTemporaryFile(dir=folder, prefix=".seen_from_all_nodes") as marker:
        places = [NodeAffinitySchedulingStrategy(node, soft=False) for node in nodes]
        return all(ray.get([look.options(scheduling_strategy=place).remote(marker.name) for place in places]))


def _is_there(path: str) -> bool:
    return Path(path).is_file()


class Warnings(logging.Handler):
    """Hands on what this package logs as a warning."""

    def __init__(self, note: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._note = note

    def emit(self, record: logging.LogRecord) -> None:
        """One of them."""
        self._note(record.getMessage())


class Telling:
    """A display of training that tells another process what it is told, and what is logged as a warning meanwhile;
    `first` hears of every row before.
    """

    def __init__(self, tell: Tell, first: Callable[[Mapping[str, float]], None]) -> None:
        self._tell, self._first = tell, first
        self._warnings = Warnings(self.note)

    def __enter__(self) -> Self:
        logging.getLogger(PACKAGE).addHandler(self._warnings)
        return self

    def __exit__(self, *exception: object) -> None:
        logging.getLogger(PACKAGE).removeHandler(self._warnings)

    def start(self, title: str, done: int, total: int) -> None:
        """A seed begins."""
        self._tell("start", title, done, total)

    def note(self, text: str) -> None:
        """Something that should be read."""
        self._tell("note", text)

    def update(self, row: Mapping[str, float]) -> None:
        """An iteration is done."""
        self._first(row)
        self._tell("update", dict(row))


def told_side_by_side(
    work: Callable[..., None],
    calls: Mapping[Key, tuple[Any, ...]],
    needed: Sequence[Bundle],
    screens: Mapping[Key, Any],
) -> dict[Key, Trouble]:
    """Runs `work(tell, *arguments)` of every call, as many at a time as there is room for; returns what went wrong.

    What a work tells, tell(method, ...), its screen hears in this process, as `method(...)`. Needs a Ray that is
    running. Raises Interrupted, once all have stopped, with what they said at last; KeyboardInterrupt after a second
    Ctrl-C.
    """
    import ray
    from ray.util.placement_group import placement_group, remove_placement_group
    from ray.util.queue import Queue
    from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

    queue = Queue(actor_options={"num_cpus": 0})
    task = ray.remote(max_retries=RETRIES)(_run)
    groups = {key: placement_group([dict(bundle) for bundle in needed], strategy="PACK") for key in calls}
    waiting = {}
    for key, given in calls.items():
        strategy = PlacementGroupSchedulingStrategy(groups[key], 0, placement_group_capture_child_tasks=True)
        main = task.options(num_cpus=1, num_gpus=needed[0].get("GPU", 0), scheduling_strategy=strategy)
        waiting[main.remote(queue, key, work, given)] = key
    troubles: dict[Key, Trouble] = {}
    try:
        with Interrupts() as interrupts:
            asked = 0.0
            while waiting:
                done, _ = ray.wait(list(waiting), timeout=PAUSE)
                for key, (method, *arguments) in queue.get_nowait_batch(queue.qsize()):
                    getattr(screens[key], method)(*arguments)
                for each in done:
                    key = waiting.pop(each)
                    remove_placement_group(groups.pop(key))
                    if (trouble := _trouble(each)) is not None:
                        troubles[key] = trouble
                if interrupts.received is None:
                    continue
                if not asked:
                    asked = time.monotonic()
                    for each in waiting:
                        ray.cancel(each, recursive=False)
                elif interrupts.received == signal.SIGTERM and time.monotonic() - asked > GRACE:
                    break  # whoever asked waits no longer; what took long is saved already
            if interrupts.received is not None:
                said = [trouble.text for trouble in troubles.values() if trouble.text]
                raise Interrupted("; ".join(said) or "stopped", interrupts.received)
    finally:
        for each in waiting:
            ray.cancel(each, force=True)
        for group in groups.values():
            remove_placement_group(group)
        queue.shutdown(force=True)
    return troubles


def _run(queue: Any, key: Any, work: Callable[..., None], arguments: tuple[Any, ...]) -> Trouble | None:
    """What a Ray worker runs."""
    try:
        work(lambda *message: queue.put((key, message)), *arguments)
    except Interrupted as stop:
        return Trouble(str(stop))
    except InvalidSetting as error:
        return Trouble(str(error))
    except Exception as error:
        return Trouble(f"{type(error).__name__}: {' '.join(str(error).split())}", traceback.format_exc())
    return None


def _trouble(task: Any) -> Trouble | None:
    """What went wrong with a task that has ended."""
    import ray
    from ray.exceptions import RayError, TaskCancelledError

    try:
        found: Trouble | None = ray.get(task)
    except TaskCancelledError:  # before it had begun, or had anything to save
        return Trouble("")
    except RayError as error:
        return Trouble(f"its process was lost ({type(error).__name__})")
    return found
