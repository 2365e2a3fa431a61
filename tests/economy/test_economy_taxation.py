"""Tax schedules: marginal rates are derivatives, brackets are continuous, and the figures are the law's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs import InvalidSetting
from envs.economy.taxation import HSV, Brackets, NoTax, us_federal_2022

INCOMES = np.array([[500.0, 12_000.0, 23_000.0, 60_000.0, 120_000.0, 180_000.0, 300_000.0, 900_000.0, 3e8]])
SCHEDULES = [
    HSV(0.15, 0.04),
    HSV(np.array([[0.2]]), np.array([[0.05]])),
    us_federal_2022(),
    Brackets([0, 1e6, 2e6, 3e6, 4e6], [0.1, 0.9, 0.3, 0.0, 1.0]),
    Brackets([0, 1e5], [[0.2, 0.4]], deduction=10_000, credit=500),
    NoTax(),
]


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_marginal_rate_is_the_derivative_of_the_tax(schedule) -> None:
    step = INCOMES * 1e-6
    slope = (schedule.tax(INCOMES + step) - schedule.tax(INCOMES - step)) / (2 * step)
    np.testing.assert_allclose(schedule.marginal_rate(INCOMES), slope, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_whoever_has_more_before_tax_has_no_less_after(schedule) -> None:
    income = np.sort(np.exp(np.random.default_rng(0).uniform(0, 22, (1, 5000))))
    kept = income - schedule.tax(income)
    assert np.all(np.diff(kept) >= -1e-9 * income[:, 1:])


@given(tau=st.floats(0, 0.9), xi=st.floats(0, 0.9), x=st.floats(1e-3, 1e15))
def test_hsv_is_its_formula(tau: float, xi: float, x: float) -> None:
    expected = x - (1 - tau) / (1 - xi) * np.power(x, 1 - xi)
    np.testing.assert_allclose(HSV(tau, xi).tax(np.array([[x]])), expected, rtol=1e-9, atol=1e-12 * x)


def test_hsv_takes_nothing_from_nothing_and_a_flat_share_without_progressivity() -> None:
    assert HSV(0.2, 0.05).tax(np.zeros((2, 3))).tolist() == [[0, 0, 0]] * 2
    np.testing.assert_allclose(HSV(0.2, 0.0).tax(INCOMES), 0.2 * INCOMES)


def test_hsv_taxes_every_game_by_its_own_schedule() -> None:
    both = HSV(np.array([[0.1], [0.2]]), np.array([[0.0], [0.05]])).tax(np.repeat(INCOMES, 2, axis=0))
    np.testing.assert_array_equal(both[:1], HSV(0.1, 0.0).tax(INCOMES))
    np.testing.assert_array_equal(both[1:], HSV(0.2, 0.05).tax(INCOMES))


# taxable = income - 12950; the brackets of Rev. Proc. 2021-45, table 3, by hand; then minus the credit of 559.98
BY_HAND = [
    (10_000, 0.0),
    (12_950, 0.0),
    (12_950 + 5_599.8, 0.0),
    (12_950 + 10_275, 1_027.50 - 559.98),
    (50_000, 1_027.50 + 0.12 * (37_050 - 10_275) - 559.98),
    (100_000, 4_807.50 + 0.22 * (87_050 - 41_775) - 559.98),
    (150_000, 15_213.50 + 0.24 * (137_050 - 89_075) - 559.98),
    (200_000, 34_647.50 + 0.32 * (187_050 - 170_050) - 559.98),
    (500_000, 49_335.50 + 0.35 * (487_050 - 215_950) - 559.98),
    (1_000_000, 162_718.00 + 0.37 * (987_050 - 539_900) - 559.98),
]


@pytest.mark.parametrize(("income", "owed"), BY_HAND)
def test_us_federal_tax_by_hand(income: float, owed: float) -> None:
    assert us_federal_2022().tax(np.array([[income]]))[0, 0] == pytest.approx(owed, abs=1e-6)


def test_the_authors_us_federal_tax_stops_at_a_billion_and_the_law_does_not() -> None:
    rich = np.array([[1e9 + 12_950, 3e9]])
    owed = us_federal_2022().tax(rich)
    assert owed[0, 0] == owed[0, 1] == pytest.approx(162_718 + 0.37 * (1e9 - 539_900) - 559.98)
    assert us_federal_2022().marginal_rate(rich).tolist() == [[0, 0]]
    law = us_federal_2022(credit=0, ceiling=np.inf)
    np.testing.assert_allclose(law.tax(rich), 162_718 + 0.37 * (rich - 12_950 - 539_900))
    assert law.marginal_rate(rich).tolist() == [[0.37, 0.37]]


@given(
    rates=st.lists(st.floats(0, 1), min_size=4, max_size=4),
    deduction=st.floats(0, 1e4),
    credit=st.floats(0, 1e3),
    x=st.floats(0, 1e6),
)
def test_brackets_sum_the_parts(rates: list[float], deduction: float, credit: float, x: float) -> None:
    cutoffs = [0, 1e4, 5e4, 2e5]
    taxable, owed = max(0.0, x - deduction), -credit
    for rate, low, high in zip(rates, cutoffs, [*cutoffs[1:], np.inf], strict=True):
        owed += rate * max(0.0, min(taxable, high) - low)
    schedule = Brackets(cutoffs, rates, deduction, credit)
    assert schedule.tax(np.array([[x]]))[0, 0] == pytest.approx(max(0.0, owed), abs=1e-7)


def test_brackets_are_continuous_at_their_cutoffs() -> None:
    schedule = us_federal_2022()
    edges = np.array([np.asarray(schedule.cutoffs) + schedule.deduction])
    gap = schedule.tax(edges * (1 + 1e-12)) - schedule.tax(edges * (1 - 1e-12))
    assert np.all(np.abs(gap) <= 1e-11 * edges)


def test_brackets_may_differ_by_game() -> None:
    cutoffs, rates = [0, 1e5], np.array([[0.1, 0.2], [0.3, 0.4]])
    both = Brackets(cutoffs, rates)
    incomes = np.repeat(INCOMES, 2, axis=0)
    for b in (0, 1):
        alone = Brackets(cutoffs, rates[b])
        np.testing.assert_array_equal(both.tax(incomes)[b], alone.tax(INCOMES)[0])
        np.testing.assert_array_equal(both.marginal_rate(incomes)[b], alone.marginal_rate(INCOMES)[0])


def test_schedules_keep_float32() -> None:
    x = INCOMES.astype(np.float32)
    tau, xi = np.full((1, 1), 0.1, np.float32), np.full((1, 1), 0.01, np.float32)
    for schedule in (HSV(tau, xi), us_federal_2022(), Brackets([0, 1e5], [[0.2, 0.4]]), NoTax()):
        assert schedule.tax(x).dtype == schedule.marginal_rate(x).dtype == np.float32
        np.testing.assert_allclose(schedule.tax(x), schedule.tax(x.astype(np.float64)), rtol=1e-5, atol=1e-2)


@pytest.mark.parametrize(
    ("cutoffs", "rates", "fault"),
    [
        ([1, 2], [0.1, 0.2], "rises from 0"),
        ([0, 5, 5], [0.1, 0.2, 0.3], "rises from 0"),
        ([], [], "rises from 0"),
        ([0, 1], [0.1], "one rate for each cutoff"),
        ([0, 1], [0.1, 1.2], "between 0 and 1"),
        ([0, 1], [0.1, np.nan], "between 0 and 1"),
    ],
)
def test_impossible_brackets_are_refused(cutoffs: list[float], rates: list[float], fault: str) -> None:
    with pytest.raises(InvalidSetting, match=fault):
        Brackets(cutoffs, rates)
