"""Households' best plans under many tax systems, and one network fitted to all of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from envs.economy.calibration import first_prices, gdp_per_household, household_of
from envs.economy.household_problem import Conditions, Household, Plan, hsv, solve_household
from envs.economy.parameters import EconomyParameters
from envs.economy.stationary import long_run
from envs.game import Array, InvalidSetting
from envs.scaling import ShareBox, coordinate
from policies.planning_household import planned_for, tax_features
from rllib_smfg.cloning.fit import regress
from rllib_smfg.networks import Network

STATES, POINTS, TOLERANCE, ROUNDS = 9, 100, 1e-4, 500
USUAL_RATE, LASTING = 0.042, 0.5  # half of what r differs from its usual value is taken to last
LASTING_RATES = (0.010, 0.075)
LEAST, MOST = 0.001, 0.998  # shares that are fitted
HIDDEN = (64, 64)


@dataclass(frozen=True)
class Answers:
    """Features of households (R, 3) and of taxes (R, 4), and log odds (R, 2) of the saving rate and of time worked."""

    household: Tensor
    taxes: Tensor
    choice: Tensor


def draw_taxes(random: np.random.Generator) -> Array:
    """(tau, xi, tau_a, xi_a) within the bounds of `calibrated`, most where budgets can balance."""
    xi = random.uniform(0.0005, 0.4)
    tau = np.clip(random.normal(0.18 + 0.5 * xi, 0.08), 0.01, 0.5)
    on_assets = random.choice([0.0, 1.0]) * np.array([random.exponential(0.008), random.exponential(0.003)])
    return np.array([tau, xi, *np.clip(on_assets, 0.0, (0.04, 0.01))])


def conditions_at(parameters: EconomyParameters, rate: float, taxes: Array) -> Conditions:
    """Prices that go with an interest rate, and schedules in units of about the mean income and assets there."""
    p, tau, xi = parameters, float(taxes[0]), float(taxes[1])
    per_labour = (p.tfp * p.capital_share / (rate + p.depreciation)) ** (1 / (1 - p.capital_share))
    wage = (1 - p.capital_share) * p.tfp * per_labour**p.capital_share
    gdp = gdp_per_household(p) * wage / first_prices(p)[0] * (1 - 0.6 * (xi - 0.18))
    capital = p.capital_share / (rate + p.depreciation)
    return hsv(
        wage=wage,
        interest_rate=rate,
        tau=tau,
        xi=xi,
        scale=gdp * (1 - p.depreciation * capital),
        consumption_tax=p.consumption_tax,
        asset_tau=float(taxes[2]),
        asset_xi=float(taxes[3]),
        asset_scale=gdp * capital,
    )


def answers(parameters: EconomyParameters, systems: int, states: int, seed: int) -> Iterator[Answers]:
    """Choices at `states` states in each of so many tax systems, half as they are met in the long run, half anywhere.

    Systems without a plan (where saving would be worth while without limit) are drawn again.
    """
    random, household = np.random.default_rng(seed), household_of(parameters, STATES, POINTS)
    found, plan = 0, None
    while found < systems:
        taxes, rate = draw_taxes(random), random.uniform(*LASTING_RATES)
        conditions = conditions_at(parameters, rate, taxes)
        try:
            plan = solve_household(household, conditions, plan, TOLERANCE, ROUNDS)
        except InvalidSetting:
            plan = None
            continue
        found += 1
        yield _sampled(parameters, household, conditions, plan, taxes, states, random)


def _sampled(
    parameters: EconomyParameters,
    household: Household,
    conditions: Conditions,
    plan: Plan,
    taxes: Array,
    states: int,
    random: np.random.Generator,
) -> Answers:
    share = long_run(household, plan).share
    chance = 0.5 * share.ravel() + 0.5 / share.size
    row, column = np.unravel_index(random.choice(share.size, states, p=chance / chance.sum()), share.shape)
    # between the grid's points; superstars (the last row) stand alone
    below = np.where(row < STATES - 1, row + 1, row)
    right, down, across = np.minimum(column + 1, POINTS - 1), random.random(states), random.random(states)

    def at(values: Array) -> Array:
        top, bottom = (values[r, column] * (1 - across) + values[r, right] * across for r in (row, below))
        mixed: Array = top * (1 - down) + bottom * down
        return mixed

    ability = np.exp(np.log(household.ability[row]) * (1 - down) + np.log(household.ability[below]) * down)
    assets = household.assets[column] * (1 - across) + household.assets[right] * across
    cash = conditions.income_tax.kept(plan.income) + conditions.asset_tax.kept(household.assets)
    saving = 1 - (1 + parameters.consumption_tax) * plan.consumption / cash
    choice = np.clip(np.stack([at(saving), at(plan.labour)], -1), LEAST, MOST)
    seen_rate = USUAL_RATE + (conditions.interest_rate - USUAL_RATE) / LASTING
    seen = np.stack([ability, assets, np.full(states, conditions.wage), np.full(states, seen_rate)], -1)
    box = ShareBox(LEAST, MOST, (2,), np.float64)
    parts = (planned_for(seen), np.tile(tax_features(taxes), (states, 1)), coordinate(choice, box))
    return Answers(*(torch.from_numpy(x.astype(np.float32)) for x in parts))


def fit_answers(known: list[Answers], steps: int, batch: int, seed: int) -> tuple[Network, list[float]]:
    """A network fitted to all of them, and its mean squared error in log odds, a hundredth of the steps at a time."""
    torch.manual_seed(seed)
    household, taxes, choice = (torch.cat([getattr(x, name) for x in known]) for name in Answers.__dataclass_fields__)
    network = Network(household.shape[-1], taxes.shape[-1], HIDDEN, choice.shape[-1])
    losses = list(regress(network, household, taxes, choice, steps, batch))
    return network, [loss.item() for loss in losses[:: max(1, steps // 100)]]
