"""A reform as households live through it who know the whole path, against what would have been."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from envs import InvalidSetting, make
from envs.economy.foresight import (
    SURVEYED,
    Closure,
    Start,
    TransitionPath,
    TransitionSetting,
    steady_state,
    survey_start,
    surveyed,
)
from envs.economy.foresight import transition as solve_transition
from envs.economy.game import Economy
from envs.economy.instruments import FURTHER, names
from policies import LeaderPolicy
from policies.tax_rule import TaxRule
from rllib_smfg import named_policies

SURVEY = "survey"
USUAL = "us_system"  # against which reforms from the survey's distribution are held
FIVE = ("tau", "xi", "asset_tau", "asset_xi", "spending_share")  # as files of transitions call them


@dataclass(frozen=True)
class Named:
    """A government as it is named on the command line: its name or folder, and settings of its own."""

    name: str
    settings: Mapping[str, float]

    @classmethod
    def read(cls, text: str) -> Named:
        """NAME, or NAME:KEY=VALUE,KEY=VALUE; raises InvalidSetting where a value is no number."""
        name, _, rest = text.partition(":")
        if not rest or Path(text).exists():
            return cls(text, {})
        settings = {}
        for pair in rest.split(","):
            key, _, value = pair.partition("=")
            try:
                settings[key.strip()] = float(value)
            except ValueError:
                raise InvalidSetting(f"'{pair}' in '{text}': must be KEY=NUMBER") from None
        return cls(name, settings)


@dataclass(frozen=True)
class Reform:
    """What is asked: see the command's options."""

    policy: str
    origin: str = SURVEY
    against: str | None = None
    years: int = 150
    closure: Closure = "none"
    announced: int = 0
    lasts: int | None = None
    preset: str = "calibrated"
    seed: int = 0


@dataclass(frozen=True)
class ReformTransition:
    """The path of the reform, and that of the policy it is held against, from the same start."""

    reform: TransitionPath
    baseline: TransitionPath
    against: str


def transition(reform: Reform) -> ReformTransition:
    """The transition that a reform asks for, and the one it is held against: staying where it starts.

    From the survey's distribution what would have been is the `against` policy (default `us_system`); from the
    stationary state of a policy it is that policy for ever. Raises InvalidSetting where there is no such path.
    """
    usual = reform.origin if reform.origin != SURVEY else USUAL
    against = reform.against or usual
    game = _game(reform, (reform.policy, usual, against))
    setting = TransitionSetting.of(game.parameters)
    new, old, stays = (_government_of(text, game, reform) for text in (reform.policy, usual, against))
    start = start_of(setting, reform)
    found = solve_transition(
        setting,
        start,
        new,
        closure=reform.closure,
        before=old if reform.announced or reform.lasts is not None else None,
        announced=reform.announced,
        lasts=reform.lasts,
        years=reform.years,
    )
    baseline = solve_transition(setting, start, stays, years=reform.years)
    return ReformTransition(found, baseline, against)


def start_of(setting: TransitionSetting, reform: Reform) -> Start:
    """Where a reform starts: the survey's distribution, or the stationary state of a policy."""
    if reform.origin != SURVEY:
        return steady_state(setting, _government_of(reform.origin, _game(reform, (reform.origin,)), reform)).start
    game = make("economy", preset=reform.preset, games=1, followers=SURVEYED)
    return survey_start(setting, *surveyed(game, reform.seed))


def content(found: ReformTransition, reform: Reform) -> dict[str, Any]:
    """What is written as JSON: gains, and every year's numbers of both paths, dollars per household."""
    return {
        "policy": reform.policy,
        "from": reform.origin,
        "against": found.against,
        "closure": reform.closure,
        "announced": reform.announced,
        "lasts": reform.lasts,
        "consumption_equivalent": found.reform.equivalent(found.baseline),
        "by_wealth": found.reform.equivalent_by_wealth(found.baseline),
        "discounted_welfare": found.reform.welfare,
        "discounted_welfare_against": found.baseline.welfare,
        "path": path(found.reform),
        "path_against": path(found.baseline),
    }


def path(found: TransitionPath) -> dict[str, Any]:
    """Every year's numbers."""
    years = {
        "r": found.interest_rate,
        "W": found.wage,
        "K": found.capital,
        "B": found.debt,
        "Y": found.gdp,
        "C": found.consumption,
        "G": found.spending,
        "revenue": found.revenue,
        "transfers": found.transfers,
        "labour": found.labour,
        **dict(zip(FIVE + names(found.setting.parameters)[len(FIVE) :], found.actions.T, strict=True)),
    }
    largest = float(np.abs(found.clearing).max())
    return {**{name: x.tolist() for name, x in years.items()}, "largest_gap_over_A": largest, "rounds": found.rounds}


def _game(reform: Reform, policies: Sequence[str]) -> Economy:
    """A small game that has all instruments of these policies."""
    named = [name for text in policies for name in named_policies.instruments_of(Named.read(text).name)]
    further = [name for name in FURTHER if name in named]
    if reform.closure == "transfer" and "transfer" not in further:
        further = ["transfer", *further]
    game = make("economy", preset=reform.preset, games=1, followers=10, instruments=further or None)
    assert isinstance(game, Economy)
    return game


def _government_of(text: str, game: Economy, reform: Reform) -> LeaderPolicy:
    named = Named.read(text)
    found = named_policies.leader(named.name, game, reform.seed, **named.settings)
    if isinstance(found, TaxRule) and found.remembers:
        raise InvalidSetting(f"'{named.name}' taxes by what it saw: nobody foresees years not lived")
    if isinstance(found, TaxRule) and reform.closure == "tau":
        raise InvalidSetting(f"closure tau: the schedule of '{named.name}' has no level: must be another")
    return found
