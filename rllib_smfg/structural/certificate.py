"""What can be proved of a trained pair: what either side could still gain, and which instruments rest at a bound.

`smfg train` writes it as certificate.json beside each seed where households' problem can be solved exactly and the
government's paths can be differentiated (`calibrated`).
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from envs import make
from envs.arithmetic import ArithmeticGame
from envs.economy.game import Economy
from envs.game import Array
from rllib_smfg.economics.welfare import measurable
from rllib_smfg.exploitability.exact import household_gains
from rllib_smfg.export import TrainedPolicies
from rllib_smfg.playing import one_thread
from rllib_smfg.rollout import play
from rllib_smfg.storage.files import write_json
from rllib_smfg.structural.gain import LeaderGain, leader_gain
from rllib_smfg.structural.games import arithmetic_game

FILE = "certificate.json"
GAMES = 4  # behind households' gains
SINCES, SHIFTS = (0, 40), (0.0, 0.1, -0.1)
NOBODY = "-"  # where no game lives that long
AT_BOUND = 0.01  # of an instrument's range
YEARS_LOOKED_AT = 100
MOST_FOLLOWERS = 1000  # on whose paths a better leader is searched for: means of more hardly stray


def can_certify(policies: TrainedPolicies) -> bool:
    """Whether both sides are networks in an economy whose households' problem can be solved."""
    game = policies.make_game(games=1, followers=2)
    both = isinstance(policies.leader, torch.nn.Module) and isinstance(policies.follower, torch.nn.Module)
    return both and isinstance(game, ArithmeticGame) and measurable(game)


def certify(policies: TrainedPolicies, seed: int) -> dict[str, Any]:
    """The certificate of a pair, as JSON: households' exact gains in per cent of their consumption, the leader's gain
    from three starts in per cent of all consumption, and the instruments that rest at a bound.

    seed: luck of the episodes, none of which was trained on.
    """
    game = policies.make_game(games=GAMES)
    leader, follower = policies.policies(game, seed)
    households = household_gains(game, leader, follower, seed, sinces=SINCES, shifts=SHIFTS)
    return {
        "seed": seed,
        "followers": game.n_followers,
        "households": [asdict(each) for each in households],
        "leader": asdict(_leader(policies, seed)),
        "at_bound": instruments_at_bound(policies, seed),
    }


def instruments_at_bound(policies: TrainedPolicies, seed: int) -> dict[str, dict[str, float | str]]:
    """Instruments that in at least half of the years are within `AT_BOUND` of their range from an end of it."""
    game = policies.make_game(games=GAMES)
    assert isinstance(game, ArithmeticGame)
    acted: list[Array] = []
    for year, played in enumerate(play(game, *policies.policies(game, seed), game.reset(seed))):
        acted.append(played.leader_action)
        if year + 1 == YEARS_LOOKED_AT:
            break
    actions = np.concatenate(acted)
    found: dict[str, dict[str, float | str]] = {}
    box = game.leader_action_space
    for k, name in enumerate(game.instruments):
        low, high = float(box.low[k]), float(box.high[k])
        near = AT_BOUND * (high - low)
        for end, bound, there in (
            ("lower", low, actions[:, k] <= low + near),
            ("upper", high, actions[:, k] >= high - near),
        ):
            if there.mean() >= 0.5:
                found[name] = {"end": end, "bound": bound, "share_of_years": float(there.mean())}
    return found


def show(console: Console, certificates: dict[int, dict[str, Any]]) -> None:
    """Prints the worst of all seeds in one table, and every instrument at a bound in a line."""
    table = Table("seed", "household, year 0", "year 40", "instruments 10 % off, worst", "government", title=TITLE)
    for seed, known in certificates.items():
        on_path = {each["since"]: each for each in known["households"] if each["shift"] == 0}
        off = [each["of_consumption"]["value"] for each in known["households"] if each["shift"]]
        leader = known["leader"]
        table.add_row(
            str(seed),
            *(_interval(on_path[since]["of_consumption"]) if since in on_path else NOBODY for since in SINCES),
            f"{np.max(off):.3f}" if off else NOBODY,  # or no number
            f"{leader['gain']:.3f} [{leader['low']:.3f}, {leader['high']:.3f}]",
        )
    console.print(table)
    for seed, known in certificates.items():
        for name, where in known["at_bound"].items():
            console.print(
                f"seed {seed}: {name} rests at its {where['end']} bound {where['bound']:.4g}", highlight=False
            )


TITLE = "certificate: what one player could still gain, % of consumption (exact for households)"


def write(console: Console, trained: Sequence[TrainedPolicies], folders: dict[int, Path], seed: int) -> None:
    """Certifies every seed that can be, writes it beside the seed and prints the table."""
    found: dict[int, dict[str, Any]] = {}
    for (number, folder), policies in zip(folders.items(), trained, strict=True):
        if not can_certify(policies):
            continue
        console.print(f"seed {number}: certificate (a minute) ...", highlight=False)
        with one_thread():
            found[number] = certify(policies, seed)
        write_json(folder / FILE, found[number])
    if found:
        show(console, found)


def _leader(policies: TrainedPolicies, seed: int) -> LeaderGain:
    followers = min(int(policies.game.get("followers", 100)), MOST_FOLLOWERS)
    economy = make(**{**policies.game, "games": 1})
    assert isinstance(economy, Economy)
    make_game = partial(arithmetic_game, policies.game, followers=followers)
    leader, follower = deepcopy(policies.leader), deepcopy(policies.follower)
    assert isinstance(leader, torch.nn.Module)
    assert isinstance(follower, torch.nn.Module)
    return leader_gain(make_game, leader, follower, seed, economy.parameters.utility_unit)


def _interval(of_consumption: dict[str, Any]) -> str:
    if of_consumption["low"] is None:
        return f"{of_consumption['value']:.3f}"
    return f"{of_consumption['value']:.3f} [{of_consumption['low']:.3f}, {of_consumption['high']:.3f}]"
