"""How an update of fixed total size shares among 1, 2 and 3 learners, one a node: python -m tests.campaigns.learners.

Three nodes of this machine (a raylet each). All learners are there all the time; updates of 1, 2 and 3 learners take
turns, so that whatever else the machine does is shared. Processor time is what an update takes where each learner has a
core of its own; what it takes on the clock here is told beside it.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from typing import Any

import ray
from ray.cluster_utils import Cluster

from rllib_smfg.rllib.structural import StructuralSMFRLConfig

ECONOMIES, UPDATES = 12, 1
COUNTS = (1, 2, 3)


def config(learners: int) -> StructuralSMFRLConfig:
    """Learners one a node: node n has the resource of every group of more than n."""
    made = StructuralSMFRLConfig().game("aiyagari", games=1, followers=100)
    made.training(
        economies=ECONOMIES, updates=100, updates_per_iteration=UPDATES, household_years=10**6, lead_in=0.0, tail=0.02
    )
    made.learners(num_learners=learners, custom_resources_per_learner={f"of_{learners}": 1})
    return made.debugging(seed=1, log_level="ERROR")


def asked(learner: Any) -> tuple[float, int, int, float, str]:
    """Processor seconds, and calls, bytes and seconds of telling, so far; the node."""
    told = learner.structural.together.told
    return time.process_time(), told.calls, told.bytes, told.seconds, ray.get_runtime_context().get_node_id()


def measured(algorithm: Any) -> dict[str, float]:
    """One iteration: the busiest learner's processor time, the clock, and what was told, an update."""
    before = [each.get() for each in algorithm.learner_group.foreach_learner(asked)]
    began = time.perf_counter()
    algorithm.train()
    clock = time.perf_counter() - began
    after = [each.get() for each in algorithm.learner_group.foreach_learner(asked)]
    spent = [[b - a for a, b in zip(one[:4], other[:4], strict=True)] for one, other in zip(before, after, strict=True)]
    return {
        "processor": max(each[0] for each in spent) / UPDATES,
        "clock": clock / UPDATES,
        "calls": spent[0][1] / UPDATES,
        "bytes": spent[0][2] / UPDATES,
        "telling": min(each[3] for each in spent) / UPDATES,
        "nodes": len({each[4] for each in after}),
    }


def main(rounds: int) -> None:
    """Prints medians over rounds, and of ratios to one learner, as JSON."""
    cluster = Cluster()
    for n in range(max(COUNTS)):
        cluster.add_node(num_cpus=6, resources={f"of_{count}": 1 for count in COUNTS if count > n})
    cluster.wait_for_nodes()
    ray.init(address=cluster.address, log_to_driver=False)
    algorithms = {count: config(count).build_algo() for count in COUNTS}
    rows: dict[int, list[dict[str, float]]] = {count: [] for count in COUNTS}
    for each in range(rounds + 1):
        for count, algorithm in algorithms.items():
            found = measured(algorithm)
            print(count, found, file=sys.stderr, flush=True)
            if each:  # the first one is warming up
                rows[count].append(found)
    result: dict[str, Any] = {}
    for count, found_here in rows.items():
        own = {name: statistics.median(row[name] for row in found_here) for name in found_here[0]}
        ratios = {
            f"{name} to one learner": statistics.median(
                row[name] / one[name] for row, one in zip(found_here, rows[1], strict=True)
            )
            for name in ("processor", "clock")
        }
        result[str(count)] = own | ratios
    print(json.dumps(result, indent=1))
    for algorithm in algorithms.values():
        algorithm.stop()
    ray.shutdown()
    cluster.shutdown()


if __name__ == "__main__":
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
