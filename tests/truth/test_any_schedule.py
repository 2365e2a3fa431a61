"""The household problem under any schedule on income and on assets, with a transfer."""

from dataclasses import replace

import numpy as np
import pytest

from envs.economy.calibration import first_prices, gdp_per_household, household_of
from envs.economy.household_problem import Conditions, euler_errors, hand_to_mouth, hsv, keeping, solve_household
from envs.economy.presets import CALIBRATED
from envs.economy.taxation import Brackets

WAGE, RATE = first_prices(CALIBRATED)
GDP = gdp_per_household(CALIBRATED)


@pytest.fixture(scope="module")
def household():
    return household_of(CALIBRATED, states=5, points=90)


def test_one_bracket_is_a_flat_tax_on_income_and_on_assets(household):
    flat = Conditions(
        WAGE, RATE, keeping(Brackets((0.0,), (0.3,))), keeping(Brackets((0.0,), (0.01,))), consumption_tax=0.065
    )
    same = solve_household(household, hsv(WAGE, RATE, 0.3, 0.0, GDP, 0.065, 0.01, 0.0, GDP))
    found = solve_household(household, flat)
    np.testing.assert_allclose(found.consumption, same.consumption, rtol=1e-6)
    np.testing.assert_allclose(found.labour, same.labour, rtol=1e-6)


def test_a_transfer_is_spent_and_lowers_hours(household):
    without = hsv(WAGE, RATE, 0.35, 0.0, GDP, 0.065)
    basic = replace(without, transfer=0.1 * GDP)
    first, second = solve_household(household, without), solve_household(household, basic)
    assert (second.consumption > first.consumption).all()
    assert (second.labour <= first.labour + 1e-9).all()
    left = basic.kept(second.income, household.assets) - 1.065 * second.consumption - second.next_assets
    inside = second.next_assets < household.assets[-1]
    assert (
        np.abs(left / basic.kept(second.income, household.assets))[inside].max() < 5e-3
    )  # straight lines between points


def test_brackets_with_a_kink_and_an_exemption_for_wealth(household):
    kink, rates = 0.64 * GDP, (0.15, 0.45)
    taxed = Conditions(
        WAGE,
        RATE,
        keeping(Brackets((0.0, kink), rates)),
        keeping(Brackets((0.0, 1e-3), (0.0, 0.02), deduction=5 * GDP)),
        0.065,
        0.05 * GDP,
    )
    plan = solve_household(household, taxed, tolerance=1e-6)
    bunching = np.abs(plan.income / kink - 1) < 1e-6
    assert 0.01 < bunching.mean() < 0.5
    errors, free = euler_errors(household, taxed, plan)
    assert np.median(errors[free]) < 3e-3
    untaxed = solve_household(household, replace(taxed, asset_tax=keeping(Brackets((0.0,), (0.0,)))), tolerance=1e-6)
    assert plan.next_assets[2, -10] < untaxed.next_assets[2, -10]


def test_who_keeps_nothing_works_as_much_as_is_best_kink_or_not(household):
    taxed = Conditions(WAGE, RATE, keeping(Brackets((0.0, 0.5 * GDP), (0.1, 0.5))), transfer=0.02 * GDP)
    plan = hand_to_mouth(household, taxed)
    labour = np.linspace(1e-3, 1, 4001)
    for state in range(len(household.ability)):
        income = WAGE * household.hours * household.ability[state] * labour
        consumption = taxed.kept(income, np.zeros(1))
        utility = np.log(consumption) - household.disutility / 3 * labour**3
        best = labour[np.argmax(utility)]
        assert plan.labour[state, 0] == pytest.approx(best, abs=3e-4)
