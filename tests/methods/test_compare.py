"""`smfg compare`: rows of all kinds meet the same luck, and the statistics are what they say."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from scipy import stats
from tiny import tiny

from envs import InvalidSetting, make
from experiments.compare.config import Comparing, Row
from experiments.compare.contenders import crossed
from experiments.compare.run import run
from experiments.configuration.loading import load
from experiments.configuration.shipped import SHIPPED
from policies.free_market import free_market
from policies.given import Given
from policies.random import RandomFollower
from rllib_smfg.configuration.sections import Rule
from rllib_smfg.export import save_policies
from rllib_smfg.rollout import evaluate
from rllib_smfg.statistics.estimates import differences, estimates

GAME = "game: {name: economy, followers: 6, horizon: 6}\n"
LUCK = "evaluation: {seeds: [5, 6], episodes: 3}\n"


def compared(tmp_path: Path, rows: str, *overrides: str, local: bool = True, resume: bool = False) -> tuple[dict, str]:
    """comparison.json of a comparison of these rows, and what was printed."""
    screen, folder = io.StringIO(), tmp_path / "compared"
    (tmp_path / "compare.yaml").write_text(f"{GAME}{LUCK}rows:\n{rows}")
    config = None if resume else str(tmp_path / "compare.yaml")
    where = {"output": None, "resume": folder} if resume else {"output": folder, "resume": None}
    console = Console(file=screen, width=100)
    run(console, config=config, overrides=overrides, local=local, command="smfg compare x", **where)
    return json.loads((folder / "comparison.json").read_text()), screen.getvalue()


RULES = """
  - {name: Free, leader: free_market, follower: random}
  - {name: Again, leader: free_market, follower: random}
  - {name: Constant, leader: {name: constant, action: [.1, .02, .1, .02, .01]}, follower: random}
"""


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, str, Path]:
    folder = tmp_path_factory.mktemp("rules")
    return *compared(folder, RULES), folder


def test_rows_meet_the_same_luck_and_are_what_evaluation_gives(rules: tuple[dict, str, Path]) -> None:
    rows = rules[0]["rows"]
    assert rows["Free"]["episodes"] == rows["Again"]["episodes"] != rows["Constant"]["episodes"]
    by_hand = []
    for seed in (5, 6):
        game = make("economy", followers=6, horizon=6, games=3)
        follower = RandomFollower(game.follower_action_space, seed + 1)
        by_hand.append(evaluate(game, free_market(game), follower, seed=seed)["per_capita_gdp"])
    assert rows["Free"]["episodes"]["per_capita_gdp"] == [np.concatenate(by_hand).tolist()]
    gdp = rows["Free"]["indicators"]["per_capita_gdp"]
    assert gdp["iqm"] == pytest.approx(stats.trim_mean(np.concatenate(by_hand), 0.25))
    assert gdp["ci_low"] <= gdp["iqm"] <= gdp["ci_high"]
    assert rows["Free"]["differences"] == {}  # no reference was named


def test_it_is_written_as_json_csv_and_markdown(rules: tuple[dict, str, Path]) -> None:
    content, printed, folder = rules
    lines = list(csv.DictReader((folder / "compared" / "comparison.csv").open(newline="")))
    assert {line["policy"] for line in lines} == set(content["rows"])
    for line in lines:
        there = content["rows"][line["policy"]]["indicators"][line["indicator"]]
        assert [float(line[name]) for name in ("mean", "iqm", "ci_low", "ci_high")] == pytest.approx(
            [there[name] for name in ("mean", "iqm", "ci_low", "ci_high")]
        )
    page = (folder / "compared" / "comparison.md").read_text()
    assert page.count("\n| ") == 2 + len(content["rows"])  # a head, a rule, and a line for each row
    assert "`smfg compare x`" in page
    for word in ("Constant", "per-capita", "welfare", "inter-quartile"):
        assert word in printed


def test_ray_finds_the_same_as_this_process(ray_local: None, rules: tuple[dict, str, Path], tmp_path: Path) -> None:
    assert compared(tmp_path, RULES, local=False)[0]["rows"] == rules[0]["rows"]


def test_a_row_is_trained_kept_resumed_and_compared(ray_local: None, tmp_path: Path, monkeypatch) -> None:
    algorithm = tiny("iddpg").algorithm_config(1).build_algo()
    (tmp_path / "exported").mkdir()
    save_policies(algorithm.trained_policies(), tmp_path / "exported")
    algorithm.stop()
    small = (
        "[training.iterations=1, 'training.seeds=[1, 2]', algorithm.updates_per_iteration=1, evaluation.interval=0,"
        " algorithm.years_per_iteration=8, algorithm.warm_up_years=8, game.games=2]"
    )
    rows = f"""
  - {{name: Exported, policies: {tmp_path / "exported"}}}
  - {{name: Mixed, leader: {tmp_path / "exported"}, follower: real_data}}
  - {{name: SMFG (2 seeds), train: smfrl, set: {small}}}
"""
    content, _ = compared(tmp_path, rows, "evaluation.episodes=4")
    trained = content["rows"]["SMFG (2 seeds)"]["episodes"]["years"]
    assert np.shape(trained) == (2, 8)
    assert np.shape(content["rows"]["Exported"]["episodes"]["years"]) == (1, 8)
    own = tmp_path / "compared" / "trained" / "smfg_2_seeds"
    kept = load_kept(own)
    assert (kept.game.followers, kept.game.games, kept.game.own_settings()["horizon"]) == (6, 2, 6)

    def trained_again(*_: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr("experiments.training.train.train_seed", trained_again)
    assert compared(tmp_path, rows, resume=True)[0]["rows"] == content["rows"]
    by_path = f"  - {{name: Run, policies: {own}}}\n"
    (tmp_path / "later").mkdir()
    again, _ = compared(tmp_path / "later", by_path, "evaluation.episodes=4")
    assert again["rows"]["Run"]["episodes"]["years"] == trained


def load_kept(folder: Path):
    from experiments.configuration.config import Experiment

    return load(Experiment, folder / "config.yaml")


@pytest.mark.parametrize(("leaders", "followers", "met"), [(3, 1, "a0 b0 c0"), (1, 2, "a0 a1"), (2, 2, "a0 b1")])
def test_seeds_of_a_run_meet_a_rule_one_by_one_and_another_runs_seed_by_seed(
    leaders: int, followers: int, met: str
) -> None:
    row = Row(name="row", leader=Rule(name="x"), follower=Rule(name="y"))
    governing, living = ([Given(letter) for letter in names[:n]] for names, n in (("abc", leaders), ("012", followers)))
    found = [f"{pair.leader.name}{pair.follower.name}" for pair in crossed(row, governing, living)]  # type: ignore[union-attr]
    assert " ".join(found) == met


def test_other_numbers_of_seeds_do_not_meet() -> None:
    row = Row(name="row", leader=Rule(name="x"), follower=Rule(name="y"))
    with pytest.raises(InvalidSetting, match="2 seeds of the leader, 3 of the follower"):
        crossed(row, [Given("a")] * 2, [Given("b")] * 3)


def test_warming_up_lets_the_saez_tax_see_incomes(tmp_path: Path) -> None:
    rows = """
  - {name: Cold, leader: {name: saez, memory: 12}, follower: real_data}
  - {name: Warm, leader: {name: saez, memory: 12}, follower: real_data, warm_up: 1}
"""
    found = compared(tmp_path, rows)[0]["rows"]
    assert found["Cold"]["episodes"]["income_gini"] != found["Warm"]["episodes"]["income_gini"]


# --- statistics ------------------------------------------------------------------------------------------------------
def test_the_interval_of_one_seed_is_the_usual_bootstrap_of_the_inter_quartile_mean() -> None:
    x = np.random.default_rng(1).normal(3.0, 1.0, (1, 64))
    found = estimates({"x": x})["x"]
    assert found.iqm == pytest.approx(stats.trim_mean(x[0], 0.25))
    usual = stats.bootstrap(
        (x[0],), lambda y, axis: stats.trim_mean(y, 0.25, axis=axis), method="percentile", n_resamples=10_000, rng=2
    ).confidence_interval
    assert (found.ci_low, found.ci_high) == pytest.approx((usual.low, usual.high), abs=0.02)


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    """Training seeds differ by 1, episodes by .1: intervals that ignored the seeds would be far too narrow."""
    random = np.random.default_rng(3)
    covered = []
    for _ in range(40):
        x = random.normal(0.0, 1.0, (10, 1)) + random.normal(0.0, 0.1, (10, 8))
        found = estimates({"x": x})["x"]
        covered.append(found.ci_low <= 0.0 <= found.ci_high)
    assert np.mean(covered) > 0.75


def test_differences_are_paired_by_luck() -> None:
    luck = np.random.default_rng(4).normal(0.0, 100.0, 32)
    reference, better = {"x": luck[None]}, {"x": luck[None] + 1.0}
    found = differences(better, reference)["x"]
    assert (found.iqm, found.ci_low, found.ci_high) == pytest.approx((1.0, 1.0, 1.0))
    shuffled = {"x": np.random.default_rng(5).permutation(luck)[None] + 1.0}
    apart = differences(shuffled, reference)["x"]
    assert apart.ci_high - apart.ci_low > 50.0
    two_seeds = {"x": luck + np.array([[0.0], [2.0]])}
    of_seeds = differences(two_seeds, reference)["x"]
    assert (of_seeds.iqm, of_seeds.ci_low, of_seeds.ci_high) == pytest.approx((1.0, 0.0, 2.0))
    assert of_seeds.per_seed == pytest.approx([0.0, 2.0])


# --- what is refused -------------------------------------------------------------------------------------------------
REFUSED = {
    "  - {name: a, leader: free_market}\n": "row 'a' must have leader and follower, or policies, or train",
    "  - {name: a, leader: free_market, follower: random, train: smfrl}\n": "or policies, or train",
    "  - {name: a, leader: fre_market, follower: random}\n": "no such folder: did you mean 'free_market'",
    "  - {name: a, leader: free_market, folower: random}\n": "unknown setting 'folower' in section 'rows'",
    "  - {name: a, leader: {name: saez, memori: 1}, follower: random}\n": "did you mean 'memory'",
    "  - {name: a, policies: nowhere}\n": "'nowhere': no such policy and no such folder",
    "  - {name: a, train: smfrll}\n": "smfrll: no such configuration: did you mean 'smfrl'",
    "  - {name: a, train: smfrl, set: [algorithm.hiden=3]}\n": "did you mean 'hidden'",
    "  - {name: a, policies: x}\n  - {name: A, policies: x}\n": "every row must have a name of its own",
    "  - {name: a, policies: x, set: [a.b=1]}\n": "set belongs to train",
}


@pytest.mark.parametrize(("rows", "remedy"), REFUSED.items(), ids=range(len(REFUSED)))
def test_mistakes_are_one_line_and_leave_nothing(rows: str, remedy: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting) as mistake:
        compared(tmp_path, rows)
    assert remedy in str(mistake.value)
    assert "\n" not in str(mistake.value)
    assert not (tmp_path / "compared").exists()


def test_table_3_compares_all_six_policies_of_the_paper() -> None:
    comparing = load(Comparing, SHIPPED / "table3_quick.yaml")
    names = [row.name for row in comparing.rows]
    assert names == ["Free market", "Saez tax", "US federal tax", "AI Economist-BC", "AI Economist", "SMFG"]
    rules = {row.leader.name: row.follower.name for row in comparing.rows if row.leader and row.follower}
    assert rules == dict.fromkeys(["free_market", "saez", "us_federal"], "real_data")
    assert [row.train for row in comparing.rows if row.train] == ["ai_economist_bc", "ai_economist", "smfrl_bc"]
