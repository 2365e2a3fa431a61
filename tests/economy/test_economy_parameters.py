"""Every number of an economy can be set, changes what happens, and agrees with the others or is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from economies import economy

from envs import InvalidSetting
from envs.economy.parameters import BOUNDS
from envs.economy.presets import CALIBRATED, OWN_SETTINGS, PRESETS, RECORDS, changed_parameters
from policies.registry import leader as named_leader

# another value, where a tenth more than the preset's would not be one that shows or that is allowed
OTHERS: dict[str, float] = {
    "depreciation": 0.05,
    "interest_rate": 0.05,
    "consumption_tax": 0.2,
    "usual_spending_share": 0.25,
    "public_spending_weight": 0.5,
    "share_high": 0.95,
    "saving_floor": 0.6,
    "ability_persistence": 0.9,
    "superstar_stay": 0.8,
    "discount": 0.9,
    "gini_shift": 1.0,
    "gini_limit": 0.01,
    "demand_limit": 0.01,
    "top_share": 0.3,
    "bottom_share": 0.3,
    "failed_gini": 0.5,
}
LIMITS = {
    "paper": {"debt_limit": 0.001, "least_capital": 0.18},
    "taxai": {"debt_limit": 0.01, "least_capital": 500.0},
    "calibrated": {"debt_limit": 1.0, "least_capital": 3.7},
    "boar_midrigan": {"debt_limit": 1.03, "least_capital": 4.1},
}
# many superstars and, where debt is small beside GDP anyway, none at first, so that they show
COMMON = {name: {"superstar_entry": 0.2} for name in PRESETS}
COMMON["paper"]["debt_to_gdp"] = 0.0


def traces(preset: str, **changes: float) -> list[np.ndarray]:
    """What can be seen of an economy: spaces, scales, five years, and one in which something goes wrong."""
    game = economy(games=3, followers=20, preset=preset, parameters=COMMON[preset] | changes)
    seen = game.reset(seed=4)
    spaces = (game.leader_action_space, game.follower_action_space)
    noted: list[Any] = [x for box in spaces for x in (box.low, box.high)]
    noted += [game.discount, game.follower_reward_scale, game.leader_reward_scale, seen.leader, seen.follower]
    noted += [named_leader("us_federal", game).act(seen.leader)[:, -1]]
    random = np.random.default_rng(5)
    for year in range(6):
        if year == 5:
            assert game.state is not None
            game.state = replace(game.state, capital=-game.state.capital)
        sides = []
        # low taxes, high spending
        for box, shape, least in zip(spaces, ((3, 1), (3, 20, 1)), (np.eye(5)[4] * 0.8, 0.79), strict=True):
            sides.append(box.low + (least + random.uniform(0.0, 0.2, shape)) * (box.high - box.low))
        step = game.step(*sides)
        noted += [step.leader_reward, step.follower_reward, step.terminated, *step.indicators.values()]
        assert game.flows is not None
        noted += [step.final_observations.leader, step.final_observations.follower, game.flows.consumption]
    return [np.asarray(x, dtype=np.float64) for x in noted]


def same(some: list[np.ndarray], others: list[np.ndarray]) -> bool:
    return all(np.array_equal(x, y, equal_nan=True) for x, y in zip(some, others, strict=True))


@pytest.mark.parametrize("preset", list(PRESETS))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_every_number_can_be_set_and_changes_something(preset: str) -> None:
    parameters, usual = PRESETS[preset], traces(preset)
    settled = parameters.laws.follows(parameters)
    for name in BOUNDS:
        if name in (*OWN_SETTINGS, *RECORDS):
            continue
        value = (OTHERS | LIMITS[preset]).get(name, 1.1 * getattr(parameters, name))
        if name in settled or name in parameters.laws.without_effect:
            with pytest.raises(InvalidSetting, match=f"parameters.{name}: "):
                changed_parameters(preset, {name: value})
        else:
            assert not same(usual, traces(preset, **{name: value})), name


@pytest.mark.parametrize("preset", list(PRESETS))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_is_refused_as_without_effect_has_none(preset: str, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = traces(preset)
    without = PRESETS[preset].laws.without_effect
    allowed = replace(PRESETS[preset], laws=replace(PRESETS[preset].laws, without_effect=()))
    monkeypatch.setitem(PRESETS, preset, allowed)
    for name in (*without,):
        value = OTHERS.get(name, 1.1 * getattr(PRESETS[preset], name))
        assert same(usual, traces(preset, **{name: value})), name


def test_what_follows_is_worked_out_anew() -> None:
    assert changed_parameters("calibrated", {}) == CALIBRATED
    other = changed_parameters("calibrated", {"depreciation": 0.07, "capital_to_gdp": 3.0})
    assert other.interest_rate == pytest.approx(0.38 / 3 - 0.07)
    game = economy(preset="calibrated", followers=2000, parameters={"depreciation": 0.07, "capital_to_gdp": 3.0})
    game.reset(seed=0)
    np.testing.assert_allclose(game.state.interest_rate, other.interest_rate)
    np.testing.assert_allclose(game.state.capital_to_gdp, 3.0)
    # a household that has the mean of everything still produces US GDP per household, and consumes what is left of it
    gdp = other.us_gdp / other.us_population
    hours = other.maximal_hours * other.initial_labour_share
    assert other.tfp * (3 * gdp) ** 0.38 * hours**0.62 == pytest.approx(gdp)
    assert other.log_consumption_unit == pytest.approx((1 - 0.07 * 3 - 0.19) * gdp)


@pytest.mark.parametrize(
    ("preset", "changes", "fault"),
    [
        ("paper", {"depreciaton": 0.1}, "parameters has no number 'depreciaton': did you mean"),
        ("calibrated", {"depreciaton": 0.1}, "did you mean 'depreciation'"),
        ("calibrated", {"depreciation": 1.5}, "depreciation = 1.5: must be between 0 and 1"),
        ("calibrated", {"depreciation": "much"}, "depreciation = much: must be between 0 and 1"),
        ("calibrated", {"depreciation": float("nan")}, "depreciation = nan: must be between"),
        ("calibrated", {"depreciation": 0.3}, "must be below 1, or nothing is left to consume"),
        ("calibrated", {"tfp": 2.0}, "parameters.tfp: follows from the preset's other numbers"),
        ("calibrated", {"interest_rate": 0.05}, "parameters.interest_rate: follows"),
        ("calibrated", {"log_consumption_unit": 1e4}, "parameters.log_consumption_unit: follows"),
        ("calibrated", {"crra": 2.0}, "parameters.crra: is a setting of its own"),
        ("calibrated", {"laws": 2.0}, "parameters has no number 'laws'"),
        ("calibrated", {"debt_limit": 0.5}, "debt_limit = 0.5: must be at least debt_to_gdp = 0.97"),
        ("calibrated", {"least_capital": 4.0}, "least_capital = 4: must be at most capital_to_gdp = 3.8"),
        ("calibrated", {"debt_to_gdp": -4.0}, "debt_to_gdp = -4: must be above -capital_to_gdp"),
        ("calibrated", {"ability_persistence": 1.0}, "ability_persistence = 1: must be below 1"),
        ("calibrated", {"superstar_stay": 1.0}, "superstar_stay = 1: must be below 1"),
        ("calibrated", {"bottom_share": 1.0}, "bottom_share = 1: must leave somebody"),
        ("taxai", {"interest_rate": 0.2}, "must be below 1, or the first year has no labour"),
        ("taxai", {"us_gdp": 1e12}, "parameters.us_gdp: nothing in the preset 'taxai' depends on it"),
        ("paper", {"raw_low": -1.0}, "parameters.raw_low: nothing in the preset 'paper' depends on it"),
        ("paper", 3.0, "parameters = 3.0: must be numbers by name"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(preset: str, changes: Any, fault: str) -> None:
    with pytest.raises(InvalidSetting) as error:
        economy(preset=preset, parameters=changes)
    assert fault in str(error.value)
    assert "\n" not in str(error.value)
