"""The leader's paths as they are written and compiled, in the calibrated economy: python -m tests.campaigns.compiled.

JSON has processor seconds, medians of `TIMES`, of a derivative on the paths of the leader's steps and its refinements,
and what compiling each took on the clock (the first time on a machine; then torch finds it in its cache).
"""

from __future__ import annotations

import json
import time

import numpy as np
import torch

from experiments.configuration.loading import load_experiment
from rllib_smfg.structural.learner import LEADER
from rllib_smfg.structural.paths import CompiledYear, draw_luck, next_year

TIMES = 7


def run() -> None:
    """Both kinds of paths, in turns."""
    algorithm = load_experiment("calibrated", []).algorithm_config(1).build_algo()
    learner = algorithm.learner_group._learner.structural  # where Ray's learner group keeps a learner in its process
    leader = learner.networks[LEADER]
    found: dict[str, float] = {"years": learner.path_years}
    for name, game in (("steps", None), ("refinements", learner.refined_game)):
        played = game or learner.path_game
        luck = draw_luck(played, 1, learner.path_years, learner.like)
        compiled = CompiledYear()
        found[f"{name}, households"] = played.n_games * played.n_followers
        for year, kind in ((next_year, "written"), (compiled, "compiled")):
            learner.step_year = learner.refined_year = year
            seconds = []
            for _ in range(1 + TIMES):
                began = time.process_time()
                worth = learner._objective(learner._played_by(leader, luck, game))
                torch.autograd.grad(worth, list(leader.parameters()))
                seconds.append(time.process_time() - began)
            found[f"{name}, {kind}, seconds"] = round(float(np.median(seconds[1:])), 3)
        assert not compiled.compiled.why_not, compiled.compiled.why_not
        found[f"{name}, compiling, seconds"] = round(compiled.compiled.seconds, 1)
    algorithm.stop()
    print(json.dumps(found))


if __name__ == "__main__":
    run()
