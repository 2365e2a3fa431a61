"""The comparison at the end of a run: rows, common luck, and the best constant policy."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from envs import make
from experiments.configuration.config import Experiment
from experiments.results import comparison
from experiments.results.comparison import TITLES, compare_policies, show
from experiments.results.figures import training_curves
from experiments.studies.benchmark import QUICK
from rllib_smfg.build import Interface, follower_actor, leader_actor
from rllib_smfg.economics.constant_search import best_constant_policy
from rllib_smfg.export import TrainedPolicies
from rllib_smfg.playing import evaluate_policies
from rllib_smfg.settings import LearningSettings
from rllib_smfg.speed import DTYPES

LEARNED = "SMFRL (learned)"


def test_a_known_game_is_compared_by_its_own_indicators(finished_run: Path) -> None:
    written = json.loads((finished_run / "comparison.json").read_text())
    assert set(written["policies"]) == {LEARNED, TITLES["random"], TITLES["best_constant"]}
    for row in written["policies"].values():
        assert {"mean_action", "z", "leader_return"} <= set(row)
    # z moves by itself: under common luck it is the same whoever acts
    assert len({row["z"]["mean"] for row in written["policies"].values()}) == 1
    summary = json.loads((finished_run / "summary.json").read_text())
    learned = {name: written["policies"][LEARNED][name] for name in summary["indicators"]}
    assert learned == summary["indicators"]
    printed = (finished_run / "printed.txt").read_text()
    assert "best constant" in printed
    assert "free market" not in printed


def test_the_best_constant_policy_of_the_stage_game_is_known(finished_run: Path) -> None:
    """The leader's cost (abar + kappa g - T)^2 / 2 + rl g^2 / 2 is 0 at abar = T = 0 and g = 0, and only there."""
    found = best_constant_policy({"name": "stage_game", "followers": 20}, seed=3)
    assert found.search_return == pytest.approx(0.0, abs=0.02)
    assert abs(found.leader_action[0]) < 0.1
    kept = json.loads((finished_run / "best_constant.json").read_text())
    assert kept["policy"]["search_return"] == pytest.approx(0.0, abs=0.02)
    assert kept["command"].split()[0] == "smfg"  # what follows are the arguments of this test process
    assert kept["settings"]["game"]["name"] == "stage_game"


@pytest.mark.slow
def test_the_best_constant_policy_of_the_paper_s_economy_is_the_published_corner() -> None:
    """PUBLISHED.md: (1, 1, 1, 1, 0) with everybody saving and working the maximum reaches the largest GDP."""
    found = best_constant_policy({"name": "economy", "followers": 100}, seed=1)
    assert found.follower_action == pytest.approx([0.99, 0.99])
    assert found.leader_action == pytest.approx([0.198, 0.0495, 0.198, 0.0495, 0.0003], rel=0.3)


# --- a small economy -------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def small() -> Experiment:
    return Experiment.model_validate(
        {"game": {"name": "economy", "followers": 10, "horizon": 6}, "evaluation": {"final_episodes": 5}}
    )


@pytest.fixture(scope="module")
def savers(small: Experiment) -> TrainedPolicies:
    """Untrained networks that start as a given action, in the place of learned ones."""
    interface, settings = Interface.of(make(**small.game.settings())), LearningSettings(hidden=(4,))
    leader = leader_actor(interface, settings, [0.1, 0.02, 0.001, 0.001, 0.001])
    return TrainedPolicies(
        leader, follower_actor(interface, settings, [0.95, 0.5]), interface, settings, small.game.settings()
    )


@pytest.fixture(scope="module")
def compared(small: Experiment, savers: TrainedPolicies, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("compared")
    learned = [evaluate_policies(savers, episodes=5, seed=small.evaluation.seed)] * 2
    return compare_policies(small, [savers, savers], learned, folder, "smfg train small"), folder


def test_an_economy_is_compared_with_every_baseline(compared, small: Experiment) -> None:
    rows, _ = compared
    assert list(rows) == [LEARNED, *TITLES.values()]
    screen = StringIO()
    show(Console(file=screen, width=80), small, rows)
    for words in ("per-capita", "welfare", "gini", "years", "constant", "learned", "random"):
        assert words in screen.getvalue()
    assert "…" not in screen.getvalue()
    assert max(map(len, screen.getvalue().splitlines())) <= 80


def test_equal_policies_get_equal_numbers(compared) -> None:
    rows, _ = compared
    for summary in rows[LEARNED].values():
        assert summary.per_seed[0] == summary.per_seed[1]
        assert (summary.ci_low, summary.ci_high) == (summary.mean, summary.mean)


def test_the_best_constant_policy_earns_the_government_most(compared) -> None:
    rows, _ = compared
    returns = {policy: row["leader_return"].mean for policy, row in rows.items()}
    assert max(returns, key=lambda policy: returns[policy]) == TITLES["best_constant"]
    years = {policy: row["years"].mean for policy, row in rows.items()}
    assert years[TITLES["free_market_random"]] <= years[TITLES["best_constant"]] == 6.0


def test_the_best_constant_policy_is_searched_once(compared, small, savers, monkeypatch) -> None:
    rows, folder = compared

    def searched_again(*_: object) -> None:
        raise AssertionError("searched again")

    monkeypatch.setattr(comparison, "best_constant_policy", searched_again)
    learned = [evaluate_policies(savers, episodes=5, seed=small.evaluation.seed)] * 2
    assert compare_policies(small, [savers, savers], learned, folder, "smfg train small") == rows
    other = small.model_copy(update={"game": small.game.model_copy(update={"followers": 12})})
    with pytest.raises(AssertionError, match="searched again"):
        compare_policies(other, [savers], learned, folder, "smfg train other")


def test_training_curves_name_the_number_of_seeds(tmp_path: Path, monkeypatch) -> None:
    titles = []
    monkeypatch.setattr("matplotlib.figure.Figure.suptitle", lambda self, text, **_: titles.append(text))
    rows = [
        {"iteration": k, "years": 300.0 * k, "economy/per_capita_gdp": 10.0**k, "learning/leader_saturation": 0.1}
        for k in (1, 2, 3, 8)
    ]
    for seeds in (1, 3):
        training_curves(tmp_path / f"{seeds}.png", "SMFRL", [rows] * seeds, ["per_capita_gdp"])
        assert (tmp_path / f"{seeds}.png").stat().st_size > 5_000
    assert ["1 seed" in titles[0], "3 seeds" in titles[1]] == [True, True]


def test_a_benchmark_measures_every_size(ray_local, tmp_path: Path, smfg, monkeypatch) -> None:
    little = {"sizes": ((1, 10), (4, 20)), "trained": (10,), "seconds": 0.01}
    monkeypatch.setattr("experiments.studies.benchmark.QUICK", replace(QUICK, **little))
    result = smfg("benchmark", "--quick", "--json", tmp_path / "docs" / "benchmark.json")
    assert result.code == 0, result.err
    content = json.loads((tmp_path / "docs" / "benchmark.json").read_text())
    measured = [(size["games"], size["followers"], size["dtype"]) for size in content["simulator"]]
    assert measured == [(*size, dtype) for size in little["sizes"] for dtype in DTYPES]
    for size in content["simulator"]:
        assert size["simulator_household_years"] == pytest.approx(size["simulator_years"] * size["followers"])
        assert size["acting_years"] > 0
    iteration = content["iteration"][0]
    phases = [iteration[phase] for phase in ("sampling", "update", "weights", "other")]
    assert np.sum(phases) == pytest.approx(iteration["seconds"], rel=0.5)
    assert iteration["update_milliseconds"] == pytest.approx(1000 * iteration["update"] / 100)
    assert iteration["update_milliseconds"] > 0
    assert iteration["peak_memory_mib"] > 50
    assert {"processor", "cores", "memory_gib"} <= set(content["machine"])
