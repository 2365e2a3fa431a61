"""The economy of a transition: its parameters and household, and the states it starts from. Dollars per household."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from envs.economy.best_response import RARE, Tastes
from envs.economy.calibration import first_prices, gdp_per_household, household_of
from envs.economy.histogram import shares_of
from envs.economy.household_problem import Household, Matrix, Vector
from envs.economy.parameters import EconomyParameters
from envs.game import Array, InvalidSetting, StackelbergMeanFieldGame

STATES, POINTS = 9, 200
SURVEYED = 200_000  # households that are drawn from the survey to stand for its distribution
SCALINGS = 5
MOST_ASSETS = 5000.0  # in years of GDP per household: the survey's richest lie far out


class Government(Protocol):
    """What a transition asks of a leader policy: one action a year from what is seen that year, nothing remembered."""

    def act(self, observation: Array) -> Array:
        """Actions (T, al) for observations (T, dl)."""


@dataclass(frozen=True)
class TransitionSetting:
    """The economy a transition takes place in."""

    parameters: EconomyParameters
    household: Household

    @classmethod
    def of(cls, parameters: EconomyParameters, states: int = STATES, points: int = POINTS) -> TransitionSetting:
        """The preset's own, with a chain of so many normal abilities and so many points of assets.

        Raises InvalidSetting for a preset without a household problem.
        """
        if "debt_to_gdp" not in parameters.laws.leader_sees:
            raise InvalidSetting("transitions need households whose problem is known: preset must be 'calibrated'")
        grid = MOST_ASSETS * gdp_per_household(parameters) * np.linspace(0, 1, points) ** 4
        return cls(parameters, replace(household_of(parameters, states), assets=grid))

    @property
    def tastes(self) -> Tastes:
        """What households like."""
        p = self.parameters
        return Tastes(p.crra, p.log_consumption_unit, p.labour_disutility, p.inverse_frisch, p.utility_unit)

    def wage(self, ratio: Any, productivity: Any = 1.0) -> Any:
        """W, dollars for an hour of ability 1, from capital over labour and a factor on TFP."""
        p = self.parameters
        return (1 - p.capital_share) * productivity * p.tfp * ratio**p.capital_share

    def interest_rate(self, ratio: Any, productivity: Any = 1.0) -> Any:
        """R from capital over labour and a factor on TFP."""
        p = self.parameters
        return p.capital_share * productivity * p.tfp * ratio ** (p.capital_share - 1) - p.depreciation

    def output(self, capital: Any, labour: Any, productivity: Any = 1.0) -> Any:
        """Y = A K^alpha L^(1 - alpha), with a factor on A = TFP."""
        p = self.parameters
        return productivity * p.tfp * capital**p.capital_share * labour ** (1 - p.capital_share)


@dataclass(frozen=True)
class Start:
    """Where a transition starts: who owns what, what the government owes, and what the year before showed.

    share (S, A): households as the first year begins, with the ability they will work with in it. last_share,
    last_income, ability_since (S, A): the year before, its incomes, and the mean ability now of those who stood there.
    """

    share: Matrix
    debt: float
    gdp: float
    wage: float
    interest_rate: float
    last_share: Matrix
    last_income: Matrix
    ability_since: Matrix

    @property
    def mean_income(self) -> float:
        """Of the year before."""
        return float((self.last_share * self.last_income).sum())


def surveyed(game: StackelbergMeanFieldGame, seed: int = 0) -> tuple[Vector, Vector]:
    """Abilities and wealth (N,) of the households that an economy of one game draws with a seed."""
    seen = game.reset(seed).follower[0].astype(np.float64)
    return seen[:, 0], seen[:, 1]


def survey_start(setting: TransitionSetting, ability: Vector, assets: Vector) -> Start:
    """The economy before its first year, with abilities and wealth of households (N,) as `surveyed` draws them."""
    p, household = setting.parameters, setting.household
    gdp = gdp_per_household(p)
    owned = (p.capital_to_gdp + p.debt_to_gdp) * gdp
    factor = owned / float(assets.mean())
    for _ in range(SCALINGS):  # the few beyond the grid stand at its end
        share = shares_of(household, ability, ability > RARE * household.ability[-1], factor * assets)
        factor *= owned / float((share * household.assets).sum())
    wage, rate = first_prices(p)
    hours = p.maximal_hours * p.initial_labour_share
    income = wage * hours * household.ability[:, None] + rate * household.assets[None, :]
    return Start(
        share=share,
        debt=p.debt_to_gdp * gdp,
        gdp=gdp,
        wage=wage,
        interest_rate=rate,
        last_share=share,
        last_income=income,
        ability_since=np.broadcast_to(household.ability[:, None], share.shape).astype(np.float64),
    )
