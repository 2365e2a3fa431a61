"""Several learners of the same games, each in a process of its own, or one alone: what they come to.

As a program: learning_together.py RANK SIZE FOLDER; leaves FOLDER/RANK.pt, {case: what `learned` gives}.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Any

import torch
from structural_parts import built, constant_rule, networks
from torch import distributed

from rllib_smfg.structural.learner import FOLLOWER, StructuralLearner
from rllib_smfg.structural.settings import StructuralSettings
from rllib_smfg.structural.together import Together

QUICK = {
    "updates": 4,
    "follower_steps": 2,
    "economies": 4,
    "household_years": 300,
    "hidden": (8,),
    "window_years": 4,
    "lead_in": 0.0,
    "settling": 0.0,
    "warm_up": 0.0,
    "tail": 0.2,
    "follower_lr": 1e-4,
    "leader_lr": 1e-4,
}
SAVERS: dict[str, Any] = {"name": "aiyagari", "followers": 6, "horizon": 6}
LINEAR: dict[str, Any] = {"name": "linear_quadratic", "followers": 5, "horizon": 6, "gam": 0.5}
LASTING = {"tremble": 0.0, "lasting_spread": 0.2, "yearly_spread": 0.02}
REFINING = "a rule at its best"
UNEVEN = "more economies than paths"
# case -> (game, settings); paths are as many as economies where household_years says nothing else
CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a static game": ({"name": "stage_game", "followers": 5}, {}),
    "households who save": (SAVERS, {}),
    "an economy that can fail": (
        {"name": "economy", "preset": "calibrated", "followers": 5, "horizon": 8},
        {"tail": 0.45},
    ),
    "lasting spread": (LINEAR, LASTING),
    "paired search": (LINEAR, {"leader_search": "paired", "search_pairs": 2}),
    REFINING: (LINEAR, {"leader_policy": "rule", "settling": 0.5, "updates": 2}),
    "partial": (LINEAR, {"leader_gradient": "partial"}),
    "a team": (LINEAR, {"follower_gradient": "team"}),
    UNEVEN: (LINEAR, {"economies": 6, "household_years": 1}),
}
UPDATES = 2


def begun(case: str, together: Together | None = None) -> StructuralLearner:
    """The learner of a case, in double precision; it steps along plain gradients, which enlarge no rounding error."""
    game, settings = CASES[case]
    make = partial(_made, game)
    leader, follower = networks(make(games=1), seed=1)
    chosen = StructuralSettings(**{**QUICK, **settings})
    if chosen.leader_policy == "rule":
        leader = constant_rule(make(games=1), [0.1])
    learner = StructuralLearner(make, leader, follower, chosen, 1, together=together)
    learner.optimizers = {
        side: torch.optim.SGD(network.parameters(), lr=0.0) for side, network in learner.networks.items()
    }
    return learner


def _made(game: dict[str, Any], games: int, followers: int | None = None) -> Any:
    return built(**{**game, "games": games} | ({} if followers is None else {"followers": followers}))


def weights(learner: StructuralLearner) -> torch.Tensor:
    """All that learns, and its averages."""
    modules = [*learner.networks.values(), *(each.average for each in learner.averaged.values())]
    return torch.cat([p.detach().flatten() for module in modules for p in module.parameters()])


def learned(case: str, together: Together | None = None) -> dict[str, Any]:
    """Each step's gradient, weights after each update, what was logged last, and the games as they stand."""
    learner = begun(case, together)
    gradients = keep_gradients(learner.together)
    found, logs = [], {}
    for _ in range(UPDATES):
        logs = learner.update()
        found.append(weights(learner))
    learner.economies.tell()
    state = learner.get_state()
    return {
        "gradients": gradients,
        "weights": torch.stack(found),
        "logs": logs,
        "economies": state["economies"],
        "offset": state["offset"],
        "years": learner.years,
        "told": learner.together.told,
        "state": state,
    }


def keep_gradients(together: Together) -> list[torch.Tensor]:
    """The list that the sum of every step's gradient is kept in from now on."""
    kept: list[torch.Tensor] = []
    summed = together.summed

    def keeping(parts: Any, weight: float) -> Any:
        found = summed(parts, weight)
        kept.append(torch.cat([x.flatten() for x in found if x is not None]))
        return found

    together.summed = keeping  # type: ignore[method-assign]
    return kept


def skipped(together: Together) -> dict[str, Any]:
    """A step whose derivative is no number with the last learner alone."""
    learner = begun("a static game", together)
    before = weights(learner)
    whole = [torch.ones_like(p) for p in learner.networks[FOLLOWER].parameters()]
    if together.rank == together.size - 1:
        whole[1][0] = float("nan")
    learner._step(FOLLOWER, whole)
    return {"skipped": dict(learner.skipped), "moved": not torch.equal(before, weights(learner))}


def main(rank: int, size: int, folder: Path) -> None:
    """Learns every case twice; three learners only what they cannot share evenly."""
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=size)
    together = Together(distributed.new_group(backend="gloo"))
    found: dict[str, Any] = {}
    for case in CASES if size == 2 else (UNEVEN,):
        found[case] = learned(case, Together(together.group))
        found[f"{case}, again"] = learned(case, Together(together.group))
    found["skipped"] = skipped(together)
    x = torch.arange(40, dtype=torch.float64).reshape(20, 2).square().sin()
    found["median"] = together.median(x[together.own(20)])
    torch.save(found, folder / f"{rank}.pt")
    distributed.barrier()  # who leaves while another still tells aborts it
    del together
    distributed.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
