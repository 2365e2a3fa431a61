"""`smfg optimum`: the best rule of a family, over households who plan and as a commitment over exact transitions."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from envs.economy.presets import CALIBRATED
from envs.game import InvalidSetting
from rllib_smfg.bars import progress
from rllib_smfg.exploitability.exact import Interval
from rllib_smfg.optimum.commitment import Paths, commit, starts_of
from rllib_smfg.optimum.family import NAMES, US, RuleFamily
from rllib_smfg.optimum.search import Lucky, SearchEffort, Shape, World, evolve, shape, simplex
from rllib_smfg.playing import one_thread
from rllib_smfg.storage.files import write_json

Vector = NDArray[np.float64]
Concept = Literal["feedback", "commitment"]
CONCEPTS: tuple[Concept, ...] = ("feedback", "commitment")
FLAT = 5e-4  # discounted welfare, .2 % of consumption: what a move may lose to be called flat
JUDGE = (9, 200, 150)  # abilities, points of assets and years of the transitions that judge
FORESEEING = "perfect_foresight"


@dataclass(frozen=True)
class OptimumRequest:
    """What is asked for; see the command's options."""

    family: RuleFamily = field(default_factory=RuleFamily)
    concepts: Sequence[Concept] = CONCEPTS
    followers: int = 1000
    households: str = "planning"
    seed: int = 0
    effort: SearchEffort = field(default_factory=SearchEffort)
    trials: int = 150  # transitions of the commitment's search
    horizon: int | None = None


@dataclass(frozen=True)
class Optimum:
    """The best rule that was found by one concept.

    rule: all instruments, by name. gain: discounted welfare over the US system, with an interval over luck where there
    is any. percent: the same in per cent of consumption. at_bounds: free instruments that end at a bound. flat: how far
    each can move alone before .0005 of discounted welfare is lost. in_economies: of a commitment, the same gain in
    economies of N households with luck, who know the path without it. directions: principal directions, flattest first,
    with what moving one width along them loses. checked_by, checked_gain: what an independent search from there adds
    (below 0: nothing), with its interval.
    """

    concept: Concept
    rule: dict[str, float]
    gain: Interval
    percent: float
    at_bounds: list[str]
    flat: dict[str, float]
    directions: list[dict[str, Any]]
    checked_by: str
    checked_gain: Interval
    cpu_seconds: float
    in_economies: Lucky | None = None


def search_optimum(request: OptimumRequest, console: Console | None = None) -> list[Optimum]:
    """The best rule by each concept that is asked for."""
    console = console or Console(quiet=True)
    if request.family.gives and "feedback" in request.concepts and request.households == "planning":
        raise InvalidSetting("instrument 'transfer': planners know none; must be --concept commitment")
    with one_thread():
        return [FINDERS[concept](request, console) for concept in request.concepts]


def feedback(request: OptimumRequest, console: Console) -> Optimum:
    """Over households who respond to what they see, in economies of N with luck."""
    started, family, effort = time.process_time(), request.family, request.effort
    world = World(request.followers, request.households, request.horizon, family)
    searching, judging, common = np.random.SeedSequence(request.seed).generate_state(3).tolist()
    with progress(console, "feedback: evolution", 1) as advance:
        found = evolve(family, world, effort, searching, advance)

    def welfare(chosen: Vector) -> float:
        return float(world.welfare(family.rules(chosen), effort.games, common).mean())

    with progress(console, "feedback: shape, and simplex from the optimum", 1):
        around = shape(welfare, family, found, _points(effort, found.size), FLAT, request.seed)
        other = simplex(welfare, family, found, effort.simplex)
    base, best, checked = (
        world.welfare(rule, effort.judges, judging) for rule in (US, family.rules(found), family.rules(other))
    )
    seconds = time.process_time() - started
    return _optimum(request, "feedback", found, around, best - base, checked - best, seconds)


def commitment(request: OptimumRequest, console: Console) -> Optimum:
    """Over households who know that the rule holds for ever, from the survey's distribution, without luck."""
    started, family, effort = time.process_time(), request.family, request.effort
    coarse, size = Paths.coarse(family), len(family.free)
    with progress(console, "commitment: transitions", 1) as advance:
        found = commit(family, coarse, request.trials, starts_of(family), advance)

    def welfare(chosen: Vector) -> float:
        return coarse.welfare(family.rules(chosen))

    with progress(console, "commitment: shape, and simplex from the optimum", 1):
        around = shape(welfare, family, found, _points(effort, size), FLAT, request.seed)
        other = simplex(welfare, family, found, effort.simplex)
    with progress(console, "commitment: judgement", 1):
        fine = Paths(family, *JUDGE)
        base, best, checked = (fine.welfare(each) for each in (US, family.rules(found), family.rules(other)))
        world = World(request.followers, FORESEEING, request.horizon, family)
        judging = int(np.random.SeedSequence(request.seed).generate_state(2)[1])
        lucky = world.gained(family.rules(found), US, effort.judges, judging)
    gains = np.array([best - base]), np.array([checked - best])
    seconds = time.process_time() - started
    return replace(_optimum(request, "commitment", found, around, *gains, seconds), in_economies=lucky)


FINDERS: dict[Concept, Callable[[OptimumRequest, Console], Optimum]] = {"feedback": feedback, "commitment": commitment}


def _optimum(
    request: OptimumRequest,
    concept: Concept,
    found: Vector,
    around: Shape,
    gained: Vector,
    added: Vector,
    seconds: float,
) -> Optimum:
    family = request.family
    low, high = family.limits()
    near = 0.02 * (high - low)
    gain = Interval.of(gained)
    return Optimum(
        concept=concept,
        rule=dict(zip(NAMES, family.rules(found).tolist(), strict=True)),
        gain=gain,
        percent=100 * float(np.expm1(CALIBRATED.utility_unit * gain.value)),
        at_bounds=[
            n for n, x, a, b, e in zip(family.free, found, low, high, near, strict=True) if min(x - a, b - x) < e
        ],
        flat=dict(zip(family.free, around.by_instrument.tolist(), strict=True)),
        directions=[
            {"loses": float(loss), "widths": dict(zip(family.free, direction.round(3).tolist(), strict=True))}
            for loss, direction in zip(around.losses, around.directions, strict=True)
        ],
        checked_by="Nelder and Mead's simplex",
        checked_gain=Interval.of(added),
        cpu_seconds=seconds,
    )


def _points(effort: SearchEffort, size: int) -> int:
    """Of a quadratic in so many instruments: twice as many as it has coefficients, at least."""
    return max(2 * (size + size * (size + 1) // 2), effort.points_each * size)


def run(console: Console, request: OptimumRequest, json: Path | None, command: str) -> None:
    """Searches, prints what was found, and writes it to `json`."""
    found = search_optimum(request, console)
    console.print(_table(found, request))
    for each in found:
        for line in _said(each):
            console.print(line, highlight=False)
    if json is not None:
        rules = [asdict(each) for each in found]
        write_json(json, {"command": command, "us_system": dict(zip(NAMES, US.tolist(), strict=True)), "optima": rules})


def _table(found: Sequence[Optimum], request: OptimumRequest) -> Table:
    table = Table("instrument", "US system", title="best rule of the family", title_justify="left")
    for each in found:
        table.add_column(each.concept, justify="right")
        table.add_column("loses .2 % at", justify="right")
    for name, us in zip(NAMES, US, strict=True):
        cells = []
        for each in found:
            bound = " (bound)" if name in each.at_bounds else ""
            cells += [f"{each.rule[name]:.4f}{bound}", f"+- {each.flat[name]:.4f}" if name in each.flat else "held"]
        table.add_row(name, f"{us:.4f}", *cells)
    return table


def _said(each: Optimum) -> Iterator[str]:
    luck = "" if each.gain.low is not None else " (a histogram of households: no luck)"
    yield (
        f"{each.concept}: {each.gain.in_words()} of discounted welfare over us_system, {each.percent:+.1f} % of"
        f" consumption{luck}; {each.cpu_seconds:.0f} s of CPU"
    )
    if each.in_economies is not None:
        yield f"{each.concept}: {each.in_economies.in_words()}"
    added = each.checked_gain
    least = added.value if added.low is None else added.low
    unended = " - the search had not ended: more rounds or trials would find more" if least > FLAT else ""
    yield f"{each.concept}: {each.checked_by} from there adds {added.in_words()}{unended}"
    flattest = each.directions[0]
    moves = ", ".join(f"{name} {x:+.2f}" for name, x in flattest["widths"].items() if abs(x) > 0.2)
    yield f"{each.concept}: flattest direction ({moves}, in widths) loses {flattest['loses']:.5f} a width squared"
