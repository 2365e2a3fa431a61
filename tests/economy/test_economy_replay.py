"""Parity: the recorded trajectories of the authors' programs, replayed from their start."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from economy_by_hand import by_hand

from envs import InvalidSetting
from envs.economy.replay import OUTPUTS, load_trace, relative_differences, replay

PARITY = Path(__file__).resolve().parents[1] / "data" / "parity"
FILES = sorted(PARITY.glob("*.npz"))
TOLERANCE = 1e-9
recorded = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def test_all_outputs_are_compared() -> None:
    assert len(FILES) == 9
    trace = load_trace(FILES[0])
    inputs = {"ability", "gov_action", "house_action", "bracket_rates", "preset", "tax_rule", "shock"}
    assert {name for name in trace if not name.startswith("init_")} - inputs == set(OUTPUTS)


@recorded
def test_replay_agrees_in_every_output(path: Path) -> None:
    trace = load_trace(path)
    differences = relative_differences(trace, replay(trace, str(trace["preset"])))
    assert set(differences) == set(OUTPUTS)
    assert {name: d for name, d in differences.items() if d > TOLERANCE} == {}


@pytest.mark.parametrize("name", ["ability", "gov_action", "house_action", "init_assets", "init_capital", "init_debt"])
def test_parity_fails_when_one_input_is_perturbed(name: str) -> None:
    trace = load_trace(PARITY / "paper_hsv_n10.npz")
    perturbed = trace[name].astype(float)
    perturbed[(0,) * perturbed.ndim] *= 1 + 1e-4
    differences = relative_differences(trace, replay(trace | {name: perturbed}, "paper"))
    assert max(differences.values()) > TOLERANCE


def test_the_state_is_never_set_from_the_file() -> None:
    """Replaying needs the inputs only, and later recorded states change nothing."""
    trace = load_trace(PARITY / "paper_hsv_n10.npz")
    garbage = {name: np.zeros_like(trace[name]) for name in OUTPUTS}
    first, second = replay(trace, "paper"), replay(trace | garbage, "paper")
    for name in OUTPUTS:
        np.testing.assert_array_equal(first[name], second[name])


# --- an independent reading of ECONOMY, one household at a time, for what no recorded file contains -----------------
def synthetic(shock: str, tax_rule: str, years: int = 120, households: int = 11) -> dict[str, np.ndarray]:
    """Inputs of a trajectory that lives: everybody saves nearly everything and earns alike."""
    rng = np.random.default_rng(4)
    ability = np.exp(rng.normal(2, 0.3, (years, households)))
    ability[1:3, 3] = 504.3 * ability[1:3].mean()
    house = rng.uniform(0.95, 1.2, (years, households, 2))
    return {
        "ability": ability,
        "gov_action": rng.uniform(-0.1, 0.6, (years, 5)),
        "house_action": house,
        "init_ability": np.exp(rng.normal(2, 0.3, households)),
        "init_assets": np.exp(rng.normal(12, 0.5, households)),
        "init_income": np.exp(rng.normal(11, 0.5, households)),
        "init_capital": np.array(2e5),
        "init_debt": np.array(9e5),
        "init_gdp": np.array(7e5),
        "preset": np.array("paper"),
        "tax_rule": np.array(tax_rule),
        "shock": np.array(shock),
        "bracket_rates": rng.uniform(0, 1, (years, 5)),
        "saez_bracket_cutoffs": np.array([0, 1e6, 2e6, 3e6, 4e6]),
    }


@pytest.mark.parametrize("tax_rule", ["hsv", "us_federal", "saez"])
@pytest.mark.parametrize("shock", ["none", "financial_crisis", "disaster"])
def test_replay_agrees_with_a_reading_by_hand(shock: str, tax_rule: str) -> None:
    trace = synthetic(shock, tax_rule)
    expected = {name: np.array(values) for name, values in by_hand(trace).items()}
    assert expected["gdp"].shape == (120,)
    assert not expected["done"][:60].any(), "the synthetic economy should live"
    replayed = replay(trace, "paper")
    for name in OUTPUTS:
        assert replayed[name].shape == expected[name].shape
        found, wanted = replayed[name].astype(float), expected[name].astype(float)
        # a tax or a cut of a gini may be a small difference of large numbers
        scale = {"income_tax": expected["income"], "asset_tax": expected["assets"]}.get(name, np.abs(wanted))
        floor = 1e-6 if name in ("r_gini", "r_gdp_gini", "r_gdp") else 0.0
        assert np.all(np.abs(found - wanted) <= 1e-9 * scale + 1e-9 * floor), name


def test_the_last_year_of_the_horizon_is_done() -> None:
    trace = synthetic("none", "hsv", years=300, households=10)
    done = replay(trace, "paper")["done"]
    assert done[-1]
    assert (~done).any()


def test_an_economy_that_has_ended_stays_ended() -> None:
    """Idle spenders of great wealth demand more than GDP in the first year; all later years would be calm."""
    trace = synthetic("none", "hsv", years=8)
    trace["init_assets"], trace["init_capital"] = 50 * trace["init_assets"], np.array(2e6)
    trace["house_action"][:, :, 0] = 0.99
    trace["house_action"][0] = 0.0
    replayed = replay(trace, "paper")
    short = replayed["consumption"].sum(axis=1) + replayed["spending"] >= replayed["gdp"] * (1 - 1e-9)
    assert short.tolist() == [True] + [False] * 7
    assert replayed["done"].all()


def test_differences_are_relative_and_numbers_differ_from_nothing() -> None:
    recorded = {name: np.array([2.0, 0.0, np.nan]) for name in OUTPUTS}
    assert set(relative_differences(recorded, recorded).values()) == {0.0}
    for changed, difference in (([2.2, 0, np.nan], 0.1), ([2, 1e-300, np.nan], np.inf), ([2, 0, 1.0], np.inf)):
        found = relative_differences(recorded, recorded | {"gdp": np.array(changed)})
        assert found["gdp"] == pytest.approx(difference)
        assert found["wage"] == 0
    assert relative_differences(recorded, recorded | {"gdp": np.array([2, 0, np.inf])})["gdp"] == np.inf
    with pytest.raises(InvalidSetting, match="recorded shape"):
        relative_differences(recorded, recorded | {"gdp": np.zeros(2)})


# --- files that cannot be used --------------------------------------------------------------------------------------
def save(path: Path, **changes: np.ndarray | None) -> Path:
    trace = synthetic("none", "hsv", years=3)
    trace |= replay(trace, "paper")
    np.savez(path, **{name: x for name, x in (trace | changes).items() if x is not None})
    return path


def test_a_saved_replay_replays(tmp_path: Path) -> None:
    trace = load_trace(save(tmp_path / "trace.npz"))
    assert max(relative_differences(trace, replay(trace, "paper")).values()) == 0


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"gdp": None}, "no array 'gdp'"),
        ({"ability": None}, "no array 'ability'"),
        ({"preset": None}, "no array 'preset'"),
        ({"tax_rule": np.array("saez"), "bracket_rates": None}, "no array 'bracket_rates'"),
        ({"preset": np.array("taxai")}, "no array 'hours_max'"),
        ({"gov_action": np.zeros((3, 4))}, r"'gov_action' has shape \(3, 4\): must be \(3, 5\)"),
        ({"init_income": np.zeros(3)}, "'init_income' has shape"),
        ({"ability": np.zeros(3)}, "'ability' has shape"),
    ],
)
def test_incomplete_files_are_refused(tmp_path: Path, changes: dict, fault: str) -> None:
    with pytest.raises(InvalidSetting, match=fault) as error:
        load_trace(save(tmp_path / "trace.npz", **changes))
    assert "\n" not in str(error.value)


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "trace.npz")
    with pytest.raises(InvalidSetting, match="no such file"):
        load_trace(tmp_path / "absent.npz")
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(InvalidSetting, match="not a readable"):
        load_trace(path)
    path.write_text("hello")
    with pytest.raises(InvalidSetting, match="not a readable"):
        load_trace(path)
    np.save(tmp_path / "one.npy", np.zeros(3))
    with pytest.raises(InvalidSetting, match="not a readable"):
        load_trace(tmp_path / "one.npy")
    np.savez(path, ability=np.array([{"an": "object"}], dtype=object))
    with pytest.raises(InvalidSetting, match="not a readable"):
        load_trace(path)


def test_unknown_rules_are_refused() -> None:
    trace = synthetic("none", "hsv", years=2)
    with pytest.raises(InvalidSetting, match="preset 'paper', not 'taxai'"):
        replay(trace | {"hours_max": np.array(1.0)}, "taxai")
    with pytest.raises(InvalidSetting, match="unknown preset 'papre': did you mean 'paper'"):
        replay(trace, "papre")
    with pytest.raises(InvalidSetting, match="tax_rule is 'flat'"):
        replay(trace | {"tax_rule": np.array("flat")}, "paper")
    with pytest.raises(InvalidSetting, match="shock is 'plague'"):
        replay(trace | {"shock": np.array("plague")}, "paper")
