"""How an update of fixed total size shares among 1, 2 and 3 learners: python -m tests.campaigns.learners [ROUNDS].

All learners are there all the time, each a process of its own, as root in a network namespace of its own (a node, as
far as talking goes); updates of 1, 2 and 3 of them take turns, so that whatever else the machine does is shared.
Processor time of the busiest is what an update takes where each has a core of its own; the clock stands beside it.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack
from functools import partial
from typing import Any

import torch
from torch import distributed

from rllib_smfg.networks import SmoothActor
from rllib_smfg.structural.games import arithmetic_game
from rllib_smfg.structural.learner import StructuralLearner
from rllib_smfg.structural.settings import StructuralSettings
from rllib_smfg.structural.together import Together
from tests.campaigns import namespaces

COUNTS = (1, 2, 3)
GAME: dict[str, Any] = {"name": "brock_mirman", "followers": 2000}
# 24 economies, and as many paths of the leader
SETTINGS = StructuralSettings(
    updates=100, lead_in=0.0, economies=24, population=2000, household_years=2 * 10**6, window_years=15, tail=0.05
)
PORT = 29577


# --- a learner -------------------------------------------------------------------------------------------------------
def learner(together: Together) -> StructuralLearner:
    """One of those who share the updates of the same games."""
    torch.manual_seed(1)
    game = arithmetic_game(GAME, 1)
    leader = SmoothActor(len(game.leader_observes), 0, SETTINGS.hidden, game.leader_action_space, None)
    seen, told = len(game.follower_observes), len(game.instruments)
    follower = SmoothActor(seen, told, SETTINGS.hidden, game.follower_action_space, None)
    return StructuralLearner(partial(arithmetic_game, GAME), leader, follower, SETTINGS, 1, together=together)


def play(rank: int, host: str, rounds: int) -> None:
    """The learner of a rank: it waits for its group's turns, and tells the first of all what each took."""
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"tcp://{host}:{PORT}", rank=rank, world_size=sum(COUNTS))
    groups = {count: distributed.new_group(ranks(count)) for count in COUNTS}
    mine = next(count for count in COUNTS if rank in ranks(count))
    together = Together(groups[mine] if mine > 1 else None)
    own = learner(together)
    rows = []
    for _ in range(rounds + 1):
        for count in COUNTS:
            distributed.barrier()
            if count == mine:
                rows.append(measured(own))
    found: list[Any] = [None] * sum(COUNTS)
    distributed.all_gather_object(found, rows[1:])  # the first one warms up
    if rank == 0:
        print(json.dumps({count: summed_up(found, count) for count in COUNTS}, indent=1))
    distributed.destroy_process_group()


def ranks(count: int) -> list[int]:
    """Who is in the group of so many."""
    return list(range(sum(COUNTS[: count - 1]), sum(COUNTS[:count])))


def measured(own: StructuralLearner) -> dict[str, float]:
    """What an update took: processor seconds, the clock, and what was told."""
    told = own.together.told
    before = (time.process_time(), time.perf_counter(), told.calls, told.bytes, told.seconds)
    own.update()
    after = (time.process_time(), time.perf_counter(), told.calls, told.bytes, told.seconds)
    names = ("processor", "clock", "calls", "bytes", "telling")
    return dict(zip(names, (b - a for a, b in zip(before, after, strict=True)), strict=True))


def summed_up(found: list[list[dict[str, float]]], count: int) -> dict[str, float]:
    """Medians over rounds of a group, and of its ratios to one learner; telling is that of who waited least."""
    rows = [
        {name: (min if name == "telling" else max)(each[name] for each in together) for name in together[0]}
        for together in zip(*(found[rank] for rank in ranks(count)), strict=True)
    ]
    medians = {name: statistics.median(row[name] for row in rows) for name in rows[0]}
    for name in ("processor", "clock"):
        ratios = [row[name] / one[name] for row, one in zip(rows, found[0], strict=True)]
        medians[f"{name} to one learner"] = statistics.median(ratios)
    return medians


# --- nodes -----------------------------------------------------------------------------------------------------------
def run(rounds: int) -> int:
    """Starts everybody, each in its namespace where this may be made; returns 0 if all went well."""
    with ExitStack() as stack:
        spaces = namespaces.made(stack, sum(COUNTS), "smfg", "10.77.0") if os.geteuid() == 0 else None
        host = spaces[0].address if spaces else "127.0.0.1"
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "eth0" if spaces else "lo"}
        learners = []
        for rank in range(sum(COUNTS)):
            command = [sys.executable, "-m", "tests.campaigns.learners", str(rounds), str(rank), host]
            learners.append(subprocess.Popen(spaces[rank].command(*command) if spaces else command, env=environment))
        return max(each.wait() for each in learners)


if __name__ == "__main__":
    asked = sys.argv[1:]
    if len(asked) == 3:
        play(int(asked[1]), asked[2], int(asked[0]))
    else:
        sys.exit(run(int(asked[0]) if asked else 5))
