"""US law of 2022: figures that the law itself, its published tables and a filled-in return give."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from envs import InvalidSetting, make
from envs.economy.taxation import us_federal_2022
from policies import registry
from policies.given import Given
from policies.us_law import Filer, FilerIncomeTax, PayrollTax, USLaw, law


def owed(income: float, status: str = "single", children: int = 0) -> float:
    return float(FilerIncomeTax(Filer(status, children)).tax(np.array([income]))[0])


def test_every_section_has_its_source() -> None:
    for section in law().values():
        assert "U.S.C." in section["source"] or "Rev. Proc. 2021-45" in section["source"]


@pytest.mark.parametrize(
    ("income", "status", "children", "tax"),
    [
        # 10 % of 10,275, 12 % up to 41,775, 22 % of the rest of 87,050
        (100_000, "single", 0, 14_768.0),
        # 10 % of 20,550, 12 % of the rest of 74,100; two credits of 2,000
        (100_000, "joint", 2, 4_481.0),
        # 10 % of 14,650, 12 % of the rest of 30,600
        (50_000, "head", 0, 3_379.0),
        # the table's 49,335.50 and 35 % of what 227,050 exceeds 215,950; 5 % of 40,000 takes the credit of one child
        (240_000, "single", 1, 53_220.5),
        # the table's 162,718 and 37 % of what 1,000,000 exceeds 539,900
        (1_012_950, "single", 0, 332_955.0),
    ],
)
def test_returns_filled_in_by_hand(income: float, status: str, children: int, tax: float) -> None:
    assert owed(income, status, children) == pytest.approx(tax)


@pytest.mark.parametrize(
    ("children", "status", "most", "gone"),
    [
        (0, "single", 560, 16_480),
        (1, "head", 3_733, 43_492),
        (2, "head", 6_164, 49_399),
        (3, "single", 6_935, 53_057),
        (0, "joint", 560, 22_610),
        (1, "joint", 3_733, 49_622),
        (2, "joint", 6_164, 55_529),
        (3, "joint", 6_935, 59_187),
    ],
)
def test_the_earned_income_credit_is_that_of_the_published_table(
    children: int, status: str, most: float, gone: float
) -> None:
    """Rev. Proc. 2021-45: the largest credit, and the income at which it is gone, whole dollars."""
    incomes = np.arange(0.0, 70_000.0)
    credit = FilerIncomeTax(Filer(status, children))._earned_income_credit(incomes)
    assert credit.max() == pytest.approx(most, abs=0.51)
    assert incomes[credit > 0].max() == pytest.approx(gone, abs=1.0)


def test_children_of_the_poor_are_paid_for_by_earnings() -> None:
    # 15 % of what 10,000 exceeds 2,500, and the earned income credit of two children
    assert owed(10_000, "head", 2) == pytest.approx(-0.15 * 7_500 - 0.4 * 10_000)
    # never more than 1,500 a child, beside a tax of 10 % of 600
    assert owed(20_000, "head", 1) == pytest.approx(60 - 60 - 1_500 - 3_733.2, abs=1.0)
    assert owed(0.0, "head", 3) == 0


def test_payroll_taxes_stop_at_the_wage_base_but_for_medicare() -> None:
    tax = PayrollTax(Filer("joint")).tax(np.array([0.0, 100_000.0, 147_000.0, 247_000.0, 350_000.0]))
    base = 0.062 * 147_000
    more = base + 0.0145 * 350_000 + 0.009 * 100_000
    np.testing.assert_allclose(tax, [0, 7_650, 0.0765 * 147_000, base + 0.0145 * 247_000, more])


@pytest.mark.parametrize("status", ["single", "head", "joint"])
@pytest.mark.parametrize("children", [0, 1, 3])
def test_of_one_dollar_more_at_most_one_is_taken_and_the_rate_says_how_much(status: str, children: int) -> None:
    incomes = np.arange(0.0, 700_000.0, 137.0)
    for schedule in (FilerIncomeTax(Filer(status, children)), PayrollTax(Filer(status))):
        rate = schedule.marginal_rate(incomes)
        np.testing.assert_allclose(rate, schedule.tax(incomes + 1) - schedule.tax(incomes), atol=1e-9)
        assert (rate < 0.6).all()
        assert schedule.tax(incomes.astype(np.float32)).dtype == np.float32
        assert (schedule.tax(np.array([-5e3])) == 0).all()


def test_single_filers_without_children_owe_the_brackets_where_no_credit_is_left() -> None:
    incomes = np.linspace(16_481, 2e6, 500)
    published = us_federal_2022(credit=0.0, ceiling=np.inf)
    np.testing.assert_allclose(FilerIncomeTax(Filer()).tax(incomes), published.tax(incomes))


def test_the_law_governs_an_economy_and_stands_in_its_books() -> None:
    kinds = [{"status": "single", "share": 0.5}, {"status": "joint", "children": 2, "share": 0.5}]
    game: Any = make("economy", preset="calibrated", games=2, followers=60, instruments=["transfer"])
    policy = {"base": {"name": "us_law_2022", "filers": kinds}, "wealth_tax": {"rate": 0.02}, "transfer": 0.1}
    government, seen = Given.of(policy).leader(game, 0), game.reset(seed=1)
    step = government.enact(game, government.act(seen.leader), np.full((2, 60, 2), [0.9, 0.4]))
    flows = game.flows
    earnings = flows.wage * flows.ability * flows.hours
    filers = (Filer(), Filer("joint", 2))
    taxes = [FilerIncomeTax(kind).tax(flows.income) + PayrollTax(kind).tax(earnings) for kind in filers]
    np.testing.assert_allclose(flows.income_tax, np.mean(taxes, axis=0))
    received = flows.transfers / 60
    np.testing.assert_allclose(flows.post_income, flows.income - flows.income_tax + received)
    assert (flows.asset_tax[flows.assets > 1e6] > 0).all()
    income = np.sort(flows.post_income, axis=1)
    gini = (income * np.arange(-59, 60, 2)).sum(axis=1) / (60 * income.sum(axis=1))
    np.testing.assert_allclose(step.indicators["income_gini"], gini)
    rates = [
        FilerIncomeTax(kind).marginal_rate(flows.income) + PayrollTax(kind).marginal_rate(earnings) for kind in filers
    ]
    np.testing.assert_allclose(step.indicators["mean_marginal_rate"], np.mean(rates, axis=(0, 2)))


def test_without_payroll_taxes_income_alone_is_taxed() -> None:
    game: Any = make("economy", preset="calibrated", games=1, followers=20)
    government, seen = registry.leader("us_law_2022", game, payroll=False), game.reset(seed=1)
    assert isinstance(government, USLaw)
    government.enact(game, government.act(seen.leader), np.full((1, 20, 2), [0.9, 0.4]))
    np.testing.assert_allclose(game.flows.income_tax, FilerIncomeTax(Filer()).tax(game.flows.income))


@pytest.mark.parametrize(
    ("filers", "says"),
    [
        ([{"status": "singel"}], "did you mean 'single'"),
        ([{"children": 1.5}], "whole number from 0"),
        ([{"share": 0.5}], "shares sum to 0.5"),
        ([{"share": 2}], "between 0 and 1 of households"),
        ([{"kids": 2}], "filers have no setting 'kids'"),
        ({"status": "single"}, "must be a list"),
        ([], "must be a list"),
        (["single"], "must be a mapping"),
    ],
)
def test_filers_that_make_no_sense_are_refused(filers: Any, says: str) -> None:
    game = make("economy", preset="calibrated", games=1, followers=5)
    with pytest.raises(InvalidSetting, match=says):
        registry.leader("us_law_2022", game, filers=filers)
