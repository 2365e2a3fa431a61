"""`smfg verify --published`: figures of the literature beside what this software computes in the same economies."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from envs.economy.aiyagari import Parameters as Aiyagari
from envs.economy.aiyagari import aiyagari_household, equilibrium
from envs.economy.krusell_smith import Parameters as KrusellSmith
from envs.economy.krusell_smith_solution import BURN_IN, usual_forecast_equilibrium
from envs.game import InvalidSetting
from envs.registry import nearest
from rllib_smfg.economics.published_boar_midrigan import boar_midrigan
from rllib_smfg.storage.files import write_json

AIYAGARI = "Aiyagari 1994, QJE 109, table II"
KRUSELL_SMITH = "Krusell and Smith 1998, JPE 106"
# sd of log earnings, persistence, mu -> net return to capital in per cent, and by how much his own approximation errs
RATES = {
    (0.2, 0.0, 1.0): (4.1666, 0.05),
    (0.2, 0.6, 3.0): (3.8767, 0.05),
    (0.2, 0.9, 3.0): (3.2903, 0.1),
    (0.4, 0.6, 3.0): (2.7835, 0.15),
    (0.4, 0.9, 1.0): (3.3054, 0.1),
    (0.4, 0.9, 5.0): (-0.3456, 0.3),
}
LABOUR_OF_1998 = 0.3271  # of the employed; here it is 1 / .9, and capital larger by as much
# what the family of economies here does not hold
LEFT_OUT = {
    "Heathcote, Storesletten and Violante 2017, QJE 132: optimal progressivity .084": (
        "their optimum weighs the choice of skills, which no game here has; `static_hsv` is their economy without it,"
        " and `smfg solve static_hsv` its closed form"
    ),
    "Bakis, Kaymak and Poschke 2015, RED 18: best steady state xi = -.09": (
        "xi below 0 (taxes that regress) is outside the instruments, and their households are dynasties who hand on"
        " ability from parent to child"
    ),
    "Dyrda and Pedroni 2023, REStud: capital tax at its bound for 33 years, then 45 %": (
        "transitions have one schedule on all income, not a tax path on capital beside one on labour"
    ),
    "Acikgoz, Hagedorn, Holter and Wang 2018, CEPR 12952: capital tax 11 %, labour tax 77 %": (
        "as above; and the long run of a commitment whose instruments change with time is not computed here"
    ),
    "Kindermann and Krueger 2022, AEJ:Macro: top rate of 79 %": "overlapping generations; households here do not age",
}


@dataclass(frozen=True)
class Figure:
    """A published figure and ours. tolerance: how far they may be apart; why: where they are farther, if known."""

    source: str
    what: str
    theirs: float
    ours: float
    tolerance: float
    why: str = ""

    @property
    def passed(self) -> bool:
        """Whether ours is near enough."""
        return abs(self.ours - self.theirs) <= self.tolerance


def aiyagari() -> Iterator[Figure]:
    """Interest rates, with his chain of seven states."""
    for (sigma, rho, mu), (rate, within) in RATES.items():
        parameters = Aiyagari(mu, rho, sigma)
        found = equilibrium(parameters, aiyagari_household(parameters, "tauchen", states=7, points=120), tolerance=1e-4)
        what = f"interest rate, %: sd {sigma:g}, persistence {rho:g}, mu {mu:g}"
        yield Figure(AIYAGARI, what, rate, 100 * found.interest_rate, within)


def krusell_smith() -> Iterator[Figure]:
    """The rule by which capital is forecast, in their units."""
    found = usual_forecast_equilibrium(KrusellSmith())
    shift = np.log(KrusellSmith().hours / LABOUR_OF_1998)
    middle = float(np.log(found.path.capital[BURN_IN:]).mean())
    for phase, word, intercept, slope in ((0, "recession", 0.085, 0.965), (1, "boom", 0.095, 0.962)):
        ours = float(found.forecast.slope[phase])
        yield Figure(KRUSELL_SMITH, f"slope of ln K' in ln K, {word}", slope, ours, 0.002)
        theirs = intercept + slope * (middle - shift)
        ahead = float(found.forecast.intercept[phase]) + ours * middle - shift
        yield Figure(KRUSELL_SMITH, f"ln K' at the mean, {word}", theirs, ahead, 0.002)
        r_squared = float(found.forecast.r_squared[phase])
        yield Figure(KRUSELL_SMITH, f"R2 of the forecast, {word}", 0.999998, r_squared, 1e-5)


SOURCES: dict[str, Callable[[], Iterator[Figure]]] = {
    "aiyagari": aiyagari,
    "krusell_smith": krusell_smith,
    "boar_midrigan": lambda: (Figure(*each) for each in boar_midrigan()),
}


def sources_of(named: Sequence[str], options: Mapping[str, Any]) -> list[str]:
    """The sources that are named, or all; raises InvalidSetting for another, or an option without effect."""
    for name, value in options.items():
        if value is not None:
            raise InvalidSetting(f"{name}: says nothing with --published, where nothing is trained; leave it out")
    for name in named:
        if name not in SOURCES:
            raise InvalidSetting(f"no published figures of '{name}' are computed{nearest(name, list(SOURCES))}")
    return list(named) or list(SOURCES)


def run(console: Console, sources: Sequence[str], json: Path | None) -> int:
    """Prints theirs beside ours; exit code 0 where all are within their tolerances, else 1."""
    began = time.perf_counter()
    found: list[Figure] = []
    for source in sources:
        console.print(f"{source}: computing, seconds to minutes")
        for figure in SOURCES[source]():
            found.append(figure)
            console.print(f"{figure.what}: theirs {figure.theirs:.6g}, ours {figure.ours:.6g}", highlight=False)
    console.print(table(found))
    for what, why in LEFT_OUT.items():
        console.print(f"not computed: {what}: {why}", highlight=False)
    missed = [figure for figure in found if not figure.passed]
    for figure in missed:
        why = figure.why or "not known"
        console.print(f"missed: {figure.source}, {figure.what}: why: {why}", highlight=False)
    console.print(f"{len(found) - len(missed)} of {len(found)} within tolerance, {time.perf_counter() - began:.0f} s")
    if json is not None:
        figures = [{**asdict(figure), "passed": figure.passed} for figure in found]
        write_json(json, {"figures": figures, "not_computed": LEFT_OUT})
    return 1 if missed else 0


def table(found: Sequence[Figure]) -> Table:
    """One line a figure."""
    shown = Table("source", "figure", "theirs", "ours", "tolerance", "")
    for figure in found:
        mark = "pass" if figure.passed else "MISSED"
        numbers = (f"{figure.theirs:.6g}", f"{figure.ours:.6g}", f"+- {figure.tolerance:g}")
        shown.add_row(figure.source, figure.what, *numbers, mark)
    return shown
