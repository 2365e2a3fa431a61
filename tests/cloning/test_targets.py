"""What surveyed households are taken to decide, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from envs.economy.presets import preset_parameters
from rllib_smfg.cloning.households import Households
from rllib_smfg.cloning.targets import TARGETS, as_published, survey_and_all_hours, survey_targets


def households(**changes: float) -> Households:
    values = {
        "education": 12.0, "assets": 100_000.0, "income": 60_000.0, "food": 5_000.0, "loan_payments": 8_000.0,
        "works": True, "kind": 0,
    }  # fmt: skip
    return Households(**{name: np.array([value]) for name, value in (values | changes).items()})


def test_the_saving_rate_is_what_food_spending_leaves_of_income_after_the_federal_tax() -> None:
    tax = 0.10 * 10_275 + 0.12 * (41_775 - 10_275) + 0.22 * (60_000 - 12_950 - 41_775)
    spending = 5_000 * 0.88 / 0.128
    saving_rate, _ = survey_targets(preset_parameters("paper"), households())[0]
    assert saving_rate == pytest.approx(1 - spending / (60_000 - tax), rel=1e-12)


def test_where_the_economy_saves_out_of_wealth_the_base_holds_assets_too() -> None:
    income, wealth = (
        survey_targets(preset_parameters(name), households(assets=0.0))[0, 0] for name in ("paper", "taxai")
    )
    assert income == wealth
    after_tax = 60_000 - 5_968
    saving_rate = survey_targets(preset_parameters("taxai"), households())[0, 0]
    assert saving_rate == pytest.approx(1 - 34_375 / (after_tax + 100_000), rel=1e-12)


def test_as_published_a_household_consumes_its_payments_on_loans() -> None:
    saving_rate, _ = as_published(preset_parameters("paper"), households())[0]
    assert saving_rate == pytest.approx(1 - 8_000 / 160_000, rel=1e-12)


def test_all_hours_are_those_of_the_economy_it_is_calibrated_to() -> None:
    parameters = preset_parameters("calibrated")
    for works, hours in ((True, 2183.0), (False, 0.0)):
        share = survey_and_all_hours(parameters, households(works=works))[0, 1]
        assert share * parameters.maximal_hours == pytest.approx(hours)


@pytest.mark.parametrize("targets", [TARGETS["survey"], TARGETS["as_published"]])
def test_whoever_works_works_an_average_workers_hours(targets: object) -> None:
    assert callable(targets)
    parameters = preset_parameters("paper")
    for works, hours in ((True, 1791.0), (False, 0.0)):
        share = targets(parameters, households(works=works))[0, 1]
        assert share * parameters.maximal_hours == pytest.approx(hours)


@pytest.mark.parametrize(("spent", "saving_rate"), [(0.0, 1.0), (100.0, 0.0)])
def test_out_of_nothing_nothing_is_saved_unless_nothing_is_spent(spent: float, saving_rate: float) -> None:
    poor = households(assets=0.0, income=0.0, food=spent, loan_payments=spent)
    for targets in TARGETS.values():
        assert targets(preset_parameters("paper"), poor)[0, 0] == saving_rate
