"""What trials came to: a cell for every learner and game, over seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table

from envs import InvalidSetting
from envs.solution import SOLVED_GAMES
from rllib_smfg.bench.learners import CONTENDERS
from rllib_smfg.bench.trial import IDENTITY

Result = Mapping[str, Any]
MANY = 1000.0  # shares of a bound beyond it say no more


@dataclass(frozen=True)
class Cell:
    """All seeds of a learner in a game; failed ones count as infinitely far.

    shares: worst error of each seed as a share of its acceptance bound; empty for a game without one. within: how many
    end within it. first: CPU seconds to the first look within it, of the seeds that had one. gains: what a household
    gains by its best response, of the seeds in which that is known.
    """

    game: str
    learner: str
    seeds: tuple[int, ...]
    failures: Mapping[int, str]
    shares: tuple[float, ...]
    within: int
    first: tuple[float, ...]
    gains: tuple[float, ...]
    unit: str
    curves: tuple[tuple[tuple[float, float], ...], ...]

    @property
    def in_words(self) -> str:
        """Median and worst share, how many seeds are within, and after how long."""
        if not self.shares:
            return f"{len(self.failures)} of {len(self.seeds)} failed" if self.failures else "no bound"
        told = f"{share_in_words(float(np.median(self.shares)))} / {share_in_words(max(self.shares))}"
        reached = f"{np.median(self.first):.0f} s" if len(self.first) > len(self.seeds) / 2 else "-"
        return f"{told}, {reached}" + (f", {len(self.failures)} failed" if self.failures else "")


@dataclass(frozen=True)
class Summary:
    """Cells by (game, learner), in the benchmark's order."""

    cells: Mapping[tuple[str, str], Cell]
    budget: float

    @property
    def games(self) -> list[str]:
        """Those that were played."""
        return list(dict.fromkeys(game for game, _ in self.cells))

    @property
    def learners(self) -> list[str]:
        """Those that took part, in the order of `CONTENDERS`."""
        present = {learner for _, learner in self.cells}
        return [name for name in CONTENDERS if name in present]

    @property
    def seeds(self) -> list[int]:
        """Of all cells together."""
        return sorted({seed for cell in self.cells.values() for seed in cell.seeds})

    def bounded(self) -> list[str]:
        """The games that have an acceptance bound."""
        return [game for game in self.games if any(cell.shares for (of, _), cell in self.cells.items() if of == game)]

    def cells_with_seed(self) -> dict[int, int]:
        """How many cells each seed is in; all of them, where nothing was stopped before its end."""
        return {seed: sum(seed in cell.seeds for cell in self.cells.values()) for seed in self.seeds}

    def first_place(self, game: str) -> str | None:
        """The learner with the smallest median share; None for a game without a bound."""
        found = {learner: cell for (of, learner), cell in self.cells.items() if of == game and cell.shares}
        return min(found, key=lambda name: float(np.median(found[name].shares))) if found else None


def summed_up(trials: Sequence[Result]) -> Summary:
    """Cells of stored trials; raises InvalidSetting for what is none of `smfg bench`."""
    for trial in trials:
        if not isinstance(trial, dict) or not {*IDENTITY} <= set(trial) or trial["learner"] not in CONTENDERS:
            raise InvalidSetting("a trial of this file is none of smfg bench's; must have " + ", ".join(IDENTITY))
    budgets = {trial["cpu_seconds"] for trial in trials}
    if len(budgets) != 1:
        raise InvalidSetting(f"trials of different CPU times, {sorted(budgets)}: must be the same for all")
    grouped: dict[tuple[str, str], list[Result]] = {}
    for trial in sorted(trials, key=_place):
        grouped.setdefault((trial["game"], trial["learner"]), []).append(trial)
    judged = {game for (game, _), each in grouped.items() if any(trial.get("within") is not None for trial in each)}
    return Summary({key: _cell(key, each, key[0] in judged) for key, each in grouped.items()}, budgets.pop())


def _place(trial: Result) -> tuple[int, int]:
    """Games in the order of their solutions, then those without one; seeds in theirs."""
    order = [*SOLVED_GAMES]
    game = order.index(trial["game"]) if trial["game"] in order else len(order)
    return game, int(trial["seed"])


def _cell(key: tuple[str, str], trials: Sequence[Result], judged: bool) -> Cell:
    ended = [trial for trial in trials if "error" not in trial]
    gains = [trial["exploitability"] for trial in ended if trial["exploitability"] is not None]
    return Cell(
        game=key[0],
        learner=key[1],
        seeds=tuple(trial["seed"] for trial in trials),
        failures={trial["seed"]: trial["error"] for trial in trials if "error" in trial},
        shares=tuple(_number(trial.get("share")) for trial in trials) if judged else (),
        within=sum(bool(trial["within"]) for trial in ended),
        first=tuple(trial["first_within"] for trial in ended if trial["first_within"] is not None),
        gains=tuple(_number(each["gain"]) for each in gains),
        unit=gains[0]["unit"] if gains else "",
        curves=tuple(_curve(trial) for trial in ended) if judged else (),
    )


def _curve(trial: Result) -> tuple[tuple[float, float], ...]:
    return tuple((look["cpu"], _number(look["share"])) for look in trial["looks"])


def _number(stored: float | None) -> float:
    """JSON knows no infinity: null stands for it."""
    return math.inf if stored is None else float(stored)


def share_in_words(share: float) -> str:
    """Two digits; beyond `MANY` it is only said so."""
    return f">{MANY:.0f}" if share > MANY else f"{share:.2g}" if share < 10 else f"{share:.0f}"


def screen_table(summary: Summary) -> Table:
    """One row a learner, one column a game."""
    title = (
        "worst error as a share of its acceptance bound (1: just met): median / worst seed, CPU seconds to the first"
        f" time within; {summary.budget:g} s each"
    )
    table = Table("learner", title=title, box=SIMPLE_HEAD, show_edge=False)
    for game in summary.games:
        table.add_column(game, justify="right")
    for learner in summary.learners:
        cells = (summary.cells.get((game, learner)) for game in summary.games)
        table.add_row(learner, *("" if cell is None else cell.in_words for cell in cells))
    return table
