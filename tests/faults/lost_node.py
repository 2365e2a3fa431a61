"""Run as a program: takes a node with a runner away from a cluster, gives it another one, and prints what was seen."""

from __future__ import annotations

import json
import time

import ray
from fault_parts import tiny
from ray.cluster_utils import Cluster

from rllib_smfg.processes.recovery import train_until_years

PATIENCE = 240.0


def main() -> None:
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    nodes = [cluster.add_node(num_cpus=1, resources={"runners": 1}) for _ in range(2)]
    cluster.wait_for_nodes()
    ray.init(address=cluster.address, log_to_driver=False)
    config = tiny(env_runners=2).algorithm_config(1)
    config.env_runners(custom_resources_per_env_runner={"runners": 1})
    algorithm = config.build_algo()
    found = {"before": _healthy_after(algorithm, 2)}
    cluster.remove_node(nodes[0], allow_graceful=False)
    found["without"] = _healthy_after(algorithm, 1)
    found["years_without"] = train_until_years(algorithm, print)[1]
    cluster.add_node(num_cpus=1, resources={"runners": 1})
    found["again"] = _healthy_after(algorithm, 2)
    found["restarts"] = train_until_years(algorithm, print)[0]["fault_tolerance"]["num_remote_worker_restarts"]
    algorithm.stop()
    ray.shutdown()
    cluster.shutdown()
    print(json.dumps(found))


def _healthy_after(algorithm: object, wanted: int) -> int:
    """Trains until so many runners answer; returns how many do."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        result, _ = train_until_years(algorithm, print)  # type: ignore[arg-type]
        if result["fault_tolerance"]["num_healthy_workers"] == wanted:
            break
    return int(result["fault_tolerance"]["num_healthy_workers"])


if __name__ == "__main__":
    main()
