"""A structural update of the calibrated economy with many households: python -m tests.campaigns.million [HOUSEHOLDS].

JSON has processor seconds of a step of each side, and the most memory that the process has held by then.
"""

from __future__ import annotations

import json
import resource
import sys
import time

from experiments.configuration.loading import load_experiment


def run(households: int) -> None:
    """One economy, of which all households are trained on, and one path of its government."""
    settings = {
        "game.followers": households,
        "algorithm.population": households,
        "algorithm.economies": 1,
        "algorithm.household_years": households,
    }
    experiment = load_experiment("calibrated", [f"{name}={value}" for name, value in settings.items()])
    algorithm = experiment.algorithm_config(1).build_algo()
    learner = algorithm.learner_group._learner.structural  # where Ray's learner group keeps a learner in its process
    found: dict[str, float] = {"households": households, "years": learner.path_years}
    for side, step in (("follower", learner._follower_step), ("leader", learner._leader_step)):
        began = time.process_time()
        step()
        found[f"{side}, seconds"] = round(time.process_time() - began, 1)
        found[f"{side}, GiB"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2)
    algorithm.stop()
    print(json.dumps(found))


if __name__ == "__main__":
    run(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
