"""Consumption equivalents: what they are, against whom, and that no early end is a gain."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from envs import InvalidSetting, make
from envs.economy.indicators import by_tenth
from experiments.compare.run import run
from policies import registry
from policies.constant import ConstantFollower, ConstantLeader
from rllib_smfg.rollout import episodes, play

US = "  - {name: US, leader: us_system, follower: planning}\n"
WEALTH_TAX = "  - {name: Wealth tax, leader: {name: constant, action: [.281, .181, .02, 0, .19]}, follower: planning}\n"
ENDS = "  - {name: Ends, leader: {name: constant, action: [.35, .35, 0, 0, .19]}, follower: planning}\n"
HALF = "  - {name: Half, leader: {name: constant, action: [.281, .181, .5, 0, .19]}, follower: planning}\n"
N, EPISODES, SEED = 200, 6, 1_000_000


def compared(
    folder: Path, rows: str, *, followers: int = N, episodes: int = EPISODES, **more
) -> tuple[dict, str, Path]:
    """comparison.json, what was printed, and the folder of a comparison of these rows in the calibrated economy."""
    screen, target = io.StringIO(), folder / "compared"
    game = f"game: {{name: economy, preset: calibrated, task: social_welfare, followers: {followers}}}\n"
    luck = f"evaluation: {{seeds: [{SEED}], episodes: {episodes}}}\n"
    (folder / "compare.yaml").write_text(f"{game}{luck}rows:\n{rows}")
    given = {"overrides": (), "output": target, "resume": None, "local": True, "command": "smfg compare x", **more}
    run(Console(file=screen, width=100), config=str(folder / "compare.yaml"), **given)
    return json.loads((target / "comparison.json").read_text()), screen.getvalue(), target


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, str, Path]:
    return compared(tmp_path_factory.mktemp("four"), WEALTH_TAX + ENDS + US, by_wealth=True)


def test_a_consumption_equivalent_is_what_discounted_rewards_say(four: tuple[dict, str, Path]) -> None:
    """By hand: rewards of 100 years, discounted at .96, 0 after the end; one of them is worth 4 log points."""
    worth = {}
    for name, action in {"us": None, "tax": [0.281, 0.181, 0.02, 0, 0.19], "ends": [0.35, 0.35, 0, 0, 0.19]}.items():
        game = make("economy", preset="calibrated", games=EPISODES, followers=N)
        leader = registry.leader("us_system", game) if action is None else ConstantLeader(action)
        alive, value = np.ones(EPISODES, dtype=bool), np.zeros((EPISODES, N))
        years = play(game, leader, registry.follower("planning", game), game.reset(SEED))
        for index, year in zip(range(100), years, strict=False):
            value += 0.96**index * year.step.follower_reward * alive[:, None]
            alive &= ~year.step.done
        worth[name] = value / sum(0.96**index for index in range(100))
    rows = four[0]["rows"]
    for name, row in {"tax": "Wealth tax", "ends": "Ends"}.items():
        gain = 100 * np.expm1(4 * (worth[name].mean() - worth["us"].mean()))
        assert rows[row]["consumption_equivalent"]["mean"] == pytest.approx(gain)


def test_signs_are_those_of_discounted_returns_and_intervals_are_paired(four: tuple[dict, str, Path]) -> None:
    rows = four[0]["rows"]
    tax, ends, us = (rows[name]["consumption_equivalent"] for name in ("Wealth tax", "Ends", "US"))
    assert tax["ci_low"] < tax["mean"] < tax["ci_high"] < 0
    assert ends["mean"] < tax["mean"]
    assert us == {"mean": 0.0, "ci_low": 0.0, "ci_high": 0.0, "per_seed": [0.0]}
    # luck that both met is no part of the difference: as wide as the levels vary it would be tens of per cent
    assert tax["ci_high"] - tax["ci_low"] < 5


def test_rows_that_end_early_are_marked_everywhere_and_gain_nothing(four: tuple[dict, str, Path]) -> None:
    content, printed, folder = four
    rows = content["rows"]
    assert (rows["Ends"]["ended_early"], rows["US"]["ended_early"], rows["Wealth tax"]["ended_early"]) == (1, 0, 0)
    years = np.array(rows["Ends"]["episodes"]["years"])
    assert rows["Ends"]["ends"].startswith(f"ends in year {years.mean():.0f}")
    assert rows["US"]["ends"] == ""
    best = max(rows, key=lambda row: rows[row]["consumption_equivalent"]["mean"])
    assert best != "Ends"
    for text in (" ".join(printed.split()), (folder / "comparison.md").read_text()):
        assert text.count("Ends: ends in year") >= 3
        assert "rank nothing" in text
    lines = list(csv.DictReader((folder / "comparison.csv").open(newline="")))
    assert {line["policy"]: float(line["ended_early"]) for line in lines} == {"Wealth tax": 0, "Ends": 1, "US": 0}


def test_by_wealth_is_ten_numbers_whose_worst_is_the_taxed(four: tuple[dict, str, Path]) -> None:
    content, printed, _ = four
    tenths = content["rows"]["Wealth tax"]["by_wealth"]
    assert len(tenths) == 10
    assert tenths[9] == min(tenths) < -5
    # utilities average, and so do their logarithms over tenths
    log = np.log1p(np.array(tenths) / 100).mean()
    assert 100 * np.expm1(log) == pytest.approx(content["rows"]["Wealth tax"]["consumption_equivalent"]["mean"])
    assert "by tenth of households by first wealth" in " ".join(printed.split())


def test_consumption_equivalents_stand_first_with_prices_and_ratios(four: tuple[dict, str, Path]) -> None:
    content, printed, _ = four
    words = " ".join(printed.split())
    assert words.index("consumption equivalent against US") < words.index("per-capita")
    for head in ("interest", "revenue", "ends"):
        assert head in words
    assert {"interest_rate", "capital_output_ratio", "debt_to_gdp", "tax_revenue", "social_welfare"} <= set(
        content["rows"]["US"]["indicators"]
    )
    assert "sum over all 200 households" in words


def test_the_us_system_is_the_reference_where_none_is_named(four: tuple[dict, str, Path], tmp_path: Path) -> None:
    assert four[0]["reference"] == "US"
    assert {row["reference"] for row in four[0]["rows"].values()} == {"US"}
    content, _, _ = compared(tmp_path, WEALTH_TAX)
    assert list(content["rows"]) == ["US system", "Wealth tax"]
    assert content["rows"]["US system"]["worth"] == four[0]["rows"]["US"]["worth"]
    assert content["config"]["rows"][0]["follower"] == {"name": "planning"}


def test_another_reference_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "row").mkdir()
    content, _, _ = compared(tmp_path / "row", WEALTH_TAX + US, reference="Wealth tax")
    assert content["rows"]["US"]["consumption_equivalent"]["mean"] > 0
    (tmp_path / "rule").mkdir()
    content, _, _ = compared(tmp_path / "rule", US, reference="free_market")
    assert content["rows"]["US"]["reference"] == "free_market"
    assert content["rows"]["US"]["consumption_equivalent"]["mean"] > 100
    with pytest.raises(InvalidSetting, match="no such row or government: did you mean 'free_market'"):
        compared(tmp_path, US, reference="fre_market")


def test_the_households_of_the_reference_are_the_rows(tmp_path: Path) -> None:
    content, _, _ = compared(tmp_path, "  - {name: a, leader: free_market, follower: real_data}\n")
    assert content["config"]["rows"][0]["follower"] == {"name": "real_data"}


def test_where_utility_is_not_logarithmic_that_is_said(tmp_path: Path) -> None:
    row = "  - {name: a, leader: free_market, follower: real_data}\n"
    content, printed, _ = compared(tmp_path, row, overrides=("game.crra=2",))
    assert content["rows"]["a"]["consumption_equivalent"] is None
    assert "no consumption equivalents: crra = 2" in printed


def test_what_is_out_of_bounds_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting) as mistake:
        compared(tmp_path, US + HALF)
    assert "row 'Half'" in str(mistake.value)
    assert "tau_a = 0.5: must be between 4e-05 and 0.03992" in str(mistake.value)
    assert not (tmp_path / "compared").exists()


@pytest.mark.slow
def test_a_thousand_households_are_worth_what_a_simulation_by_hand_said(tmp_path: Path) -> None:
    """FAULTS.md A2: a wealth tax of 2 % beside the US schedule costs 2.8 % of consumption."""
    content, _, _ = compared(tmp_path, US + WEALTH_TAX + ENDS, followers=1000, episodes=16)
    rows = content["rows"]
    assert rows["Wealth tax"]["consumption_equivalent"]["mean"] == pytest.approx(-2.8, abs=0.5)
    assert rows["Ends"]["ends"].startswith("ends in year 22")
    assert rows["Ends"]["consumption_equivalent"]["ci_high"] < -50


# --- what they are made of -------------------------------------------------------------------------------------------
def test_there_are_ten_tenths_at_any_number_of_households() -> None:
    ranked = np.array([[3.0, 1.0, 2.0]])
    values = np.array([[30.0, 10.0, 20.0]])
    found = by_tenth(values, ranked)
    third = 10 / 3 - 3  # of the fourth tenth belongs to the poorest
    assert found[0] == pytest.approx(
        [10] * 3 + [10 * third + 20 * (1 - third)] + [20] * 2 + [20 * (2 / 3) + 10] + [30] * 3
    )
    assert found.mean() == pytest.approx(values.mean())
    many = np.random.default_rng(0).normal(size=(2, 1000))
    assert by_tenth(many, many)[0] == pytest.approx(np.sort(many[0]).reshape(10, 100).mean(1))


def test_years_that_are_not_lived_count_as_rewards_of_0() -> None:
    game = make("economy", games=3, followers=12, horizon=50)
    found = episodes(game, ConstantLeader(game.leader_action_space.low), ConstantFollower([0.01, 0.9]), seed=1)
    assert found.ended_early.all()
    lived = found.indicators["years"]
    assert (lived < 50).all()
    weights = game.discount ** np.arange(50)
    # utilities of the preset paper lie between 0 and 1
    bound = np.array([weights[: int(years)].sum() / weights.sum() for years in lived])
    assert (found.worth <= bound[:, None]).all()
    assert found.worth.shape == (3, 10)
