"""The preset `calibrated` set against data on the United States."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from envs.economy.arrays import total
from envs.economy.calibration import Benchmark, first_prices
from envs.economy.game import Economy
from envs.economy.indicators import gini
from envs.economy.presets import CALIBRATED
from policies.planned_household import PlannedHousehold
from policies.us_system import USSystem
from rllib_smfg.rollout import play

TOLERANCE = 0.1
BEHAVIOUR = (
    "Government: HSV schedule with the US progressivity 0.181, the level follows debt (policies/us_system.py)."
    " Households: the plan that is best at the first year's prices and taxes for ever (policies/planned_household.py)."
)


@dataclass(frozen=True)
class Target:
    """A figure of the United States, and where it is from."""

    value: float
    source: str


TARGETS: dict[str, Target] = {
    "capital to GDP": Target(3.8, "reproducible capital over GDP; see docs/calibration.md"),
    "interest rate": Target(0.04, "real return to capital, net of depreciation; see docs/calibration.md"),
    "debt to GDP": Target(0.97, "federal debt held by the public, end of fiscal year 2022, CBO"),
    "wealth gini": Target(0.83, "net worth, SCF 2022"),
    "income gini": Target(0.607, "income before tax, SCF 2022"),
    "top-10 % wealth share": Target(0.734, "net worth, SCF 2022"),
    "hours": Target(2183.0, "OECD hours per worker 2022 (1811) times CPS employment per household"),
    "gross saving rate": Target(0.219, "private and public gross investment over GDP 2022, BEA"),
    "GDP per household": Target(25.7e12 / 131.3e6, "BEA, US Census Bureau"),
}


@dataclass(frozen=True)
class MomentRow:
    """A target and what the model says: in its first year, after `years` years, and in the long run of the plan.

    `missed` names those of the first two that are further than 10 % from the target.
    """

    what: str
    target: float
    start: float
    end: float
    long_run: float | None
    source: str
    missed: tuple[str, ...]


def moment_rows(
    settled: Benchmark, long_run: Mapping[str, float], *, games: int, followers: int, years: int, seed: int
) -> list[MomentRow]:
    """Every target with the model's figures: means over the games, after year 1 and after year `years`."""
    start, end = simulate_moments(settled, games=games, followers=followers, years=years, seed=seed)
    rows = []
    for what, target in TARGETS.items():
        missed = [when for when, x in (("start", start[what]), ("end", end[what])) if _is_far(x, target.value)]
        rows.append(
            MomentRow(what, target.value, start[what], end[what], long_run.get(what), target.source, tuple(missed))
        )
    return rows


def simulate_moments(
    settled: Benchmark, *, games: int, followers: int, years: int, seed: int
) -> tuple[dict[str, float], dict[str, float]]:
    """The model's figures for the first and the last of `years` years, under the behaviour that `BEHAVIOUR` states."""
    game = Economy(games=games, followers=followers, preset="calibrated", horizon=years + 1)
    leader, households = USSystem(game), PlannedHousehold(settled)
    first: dict[str, float] = {}
    for number, _ in enumerate(play(game, leader, households, game.reset(seed)), start=1):
        if number == 1:
            first = moments(game)
        if number == years:
            break
    return first, moments(game)


def moments(game: Economy) -> dict[str, float]:
    """The figures of `TARGETS` in the year a game has just played, as means over its economies."""
    flows = game.flows
    assert flows is not None
    investment = flows.next_capital - (1 - game.parameters.depreciation) * flows.capital
    figures = {
        "capital to GDP": flows.capital / flows.gdp,
        "interest rate": flows.interest_rate,
        "debt to GDP": flows.debt / flows.gdp,
        "wealth gini": flows.wealth_gini,
        "income gini": gini(flows.income),
        "top-10 % wealth share": game.parameters.laws.also_reported["top_10_wealth_share"](flows, game.state),
        "hours": total(flows.hours) / game.n_followers,
        "gross saving rate": investment / flows.gdp,
        "GDP per household": flows.gdp / game.n_followers,
    }
    return {what: float(x.mean()) for what, x in figures.items()}


def long_run_moments(settled: Benchmark) -> dict[str, float]:
    """What the plan's long run says of the targets, at the first year's prices."""
    m, p = settled.moments, CALIBRATED
    return {
        "capital to GDP": m["wealth_to_gdp"] - p.debt_to_gdp,
        "interest rate": first_prices(p)[1],
        "wealth gini": m["wealth_gini"],
        "income gini": m["income_gini"],
        "top-10 % wealth share": m["top_10_wealth_share"],
        "hours": p.maximal_hours * m["working_share"],
        "gross saving rate": p.depreciation * (m["wealth_to_gdp"] - p.debt_to_gdp),
        "GDP per household": m["gdp"],
    }


def _is_far(value: float, target: float) -> bool:
    return not np.isfinite(value) or abs(value / target - 1) > TOLERANCE
