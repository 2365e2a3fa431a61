"""The search among constant policies: known optima, what is undominated, and what is kept for later."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from envs import InvalidSetting, make
from policies.constant import ConstantFollower, ConstantLeader
from policies.frontier import best, bounds, refine, spread, undominated
from rllib_smfg.economics import constant_search, frontier
from rllib_smfg.economics.constant_search import best_constant_policy, play_each, play_often
from rllib_smfg.economics.frontier import CRITERIA, constant_frontier, over_all_years
from rllib_smfg.rollout import evaluate

SMALL: dict[str, Any] = {"name": "economy", "followers": 10, "horizon": 5}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search of little effort."""
    for name, value in {
        "MIXED_STARTS": 8,
        "POPULATION": 8,
        "GENERATIONS": 2,
        "FINALISTS": 3,
        "FINAL_EPISODES": 2,
    }.items():
        for module in (frontier, constant_search):
            monkeypatch.setattr(module, name, value)


# --- the parts -------------------------------------------------------------------------------------------------------
def test_starts_are_all_corners_and_points_within() -> None:
    low, high = np.array([-1.0, 0.0, 2.0]), np.array([1.0, 0.5, 5.0])
    starts = spread(low, high, 16, seed=0)
    assert len(starts) == 8 + 16
    assert {tuple(corner) for corner in starts[:8]} == set(product((-1.0, 1.0), (0.0, 0.5), (2.0, 5.0)))
    within = starts[8:]
    assert ((within > low) & (within < high)).all()
    # spread evenly: every half of every side holds half of the points
    np.testing.assert_array_equal((within < (low + high) / 2).sum(0), 8)


def test_many_dimensions_have_no_corners() -> None:
    assert len(spread(np.zeros(20), np.ones(20), 4, seed=0)) == 4


def test_the_best_come_first_and_what_is_no_number_last() -> None:
    candidates = np.arange(4.0)[:, None]
    assert best(candidates, np.array([1.0, np.nan, 3.0, 2.0]), 4)[:, 0].tolist() == [2, 3, 0, 1]
    assert best(candidates, np.array([1.0, np.nan, 3.0, 2.0]), 2)[:, 0].tolist() == [2, 3]


def test_refinement_finds_the_optimum_of_a_known_function() -> None:
    target = np.array([0.3, -0.6, 0.9])
    low, high = -np.ones(3), np.ones(3)

    def play(candidates: np.ndarray) -> dict[str, np.ndarray]:
        value = -((candidates - target) ** 2).sum(-1)
        return {"value": np.where(candidates[:, 0] < -0.9, np.nan, value)}

    first = spread(low, high, 16, seed=1)
    found = refine(play, lambda seen: seen["value"], first, low, high, generations=80, seed=1)
    np.testing.assert_allclose(found[0], target, atol=0.02)
    values = play(found)["value"]
    assert (np.diff(values) <= 0).all()
    assert ((found >= low) & (found <= high)).all()


def test_undominated_points_agree_with_brute_force() -> None:
    points = np.random.default_rng(0).integers(0, 6, (60, 3)).astype(float)
    expected = [not any((other >= point).all() and (other > point).any() for other in points) for point in points]
    assert undominated(points).tolist() == expected
    assert 0 < sum(expected) < 60


def test_equal_points_do_not_dominate_each_other() -> None:
    assert undominated(np.array([[1.0, 2.0], [1.0, 2.0], [0.0, 2.0]])).tolist() == [True, True, False]


# --- candidates are played as constant policies ----------------------------------------------------------------------
def test_each_candidate_is_played_in_its_own_game() -> None:
    game = make(**{**SMALL, "games": 3})
    low, high = bounds(game)
    candidates = np.stack([high, (low + high) / 2, high])
    results = play_each(SMALL, candidates, seed=3)
    alone = evaluate(game, ConstantLeader(high[:5]), ConstantFollower(high[5:]), seed=3)
    for k in (0, 2):
        assert results["per_capita_gdp"][k] == alone["per_capita_gdp"][k]
    assert results["per_capita_gdp"][1] != alone["per_capita_gdp"][1]
    repeated = play_often(SMALL, high, 3, seed=3)
    np.testing.assert_array_equal(repeated["per_capita_gdp"], alone["per_capita_gdp"])


def test_best_constant_policy_finds_the_known_optimum_of_a_game() -> None:
    # the static income tax: the search must come within a hundredth of a fine grid's best
    settings = {"name": "income_tax", "followers": 10, "games": 1}
    found = best_constant_policy(settings, seed=0)
    low, high = bounds(make(**settings))
    grid = np.array(list(product(*(np.linspace(a, b, 41) for a, b in zip(low, high, strict=True)))))
    returns = np.mean([play_each(settings, grid, seed)["leader_return"] for seed in range(8)], axis=0)
    own = np.array([*found.leader_action, *found.follower_action])
    value = play_often(settings, own, 64, seed=9)["leader_return"].mean()
    reference = play_often(settings, grid[np.argmax(returns)], 64, seed=9)["leader_return"].mean()
    assert value >= reference - 0.01 * abs(reference)


def test_the_published_corner_is_best_for_growth(quick: None) -> None:
    # PUBLISHED.md: everybody saves and works the most, and the government spends nothing
    found = best_constant_policy({"name": "economy", "followers": 50, "horizon": 100}, seed=0)
    high = bounds(make("economy", followers=2))[1]
    np.testing.assert_allclose(found.follower_action, high[5:], rtol=0.02)
    assert found.leader_action[4] < 0.05


# --- the frontier ----------------------------------------------------------------------------------------------------
def test_no_point_of_the_frontier_surpasses_another(quick: None) -> None:
    points = constant_frontier(SMALL, seed=0)
    criteria = np.array([[sign * point.indicators[name] for name, sign in CRITERIA.items()] for point in points])
    assert len(points) > 2
    assert undominated(criteria).all()
    gdp = [point.indicators["per_capita_gdp"] for point in points]
    assert gdp == sorted(gdp, reverse=True)
    low, high = bounds(make(**SMALL))
    actions = np.array([[*point.leader_action, *point.follower_action] for point in points])
    assert ((actions >= low - 1e-12) & (actions <= high + 1e-12)).all()


def test_its_indicators_are_those_of_its_policies(quick: None) -> None:
    point = constant_frontier(SMALL, seed=0)[0]
    played = play_often(SMALL, np.array([*point.leader_action, *point.follower_action]), 2, seed=1)
    assert point.indicators["per_capita_gdp"] == pytest.approx(played["per_capita_gdp"].mean(), rel=1e-12)


def test_a_kept_frontier_is_taken_while_its_settings_match(
    quick: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "frontier.json"
    points = constant_frontier(SMALL, seed=0, file=file)
    content = json.loads(file.read_text())
    assert content["settings"]["game"]["followers"] == 10
    assert content["settings"]["seed"] == 0

    searches = []
    monkeypatch.setattr(frontier, "_search", lambda settings, seed: searches.append((settings, seed)) or points)
    assert constant_frontier(SMALL, seed=0, file=file) == points
    # how many games play side by side does not matter
    assert constant_frontier({**SMALL, "games": 9}, seed=0, file=file) == points
    assert searches == []
    for changed, seed in ((SMALL, 1), ({**SMALL, "horizon": 6}, 0)):
        constant_frontier(changed, seed=seed, file=file)
    file.write_text("{")
    constant_frontier(SMALL, seed=0, file=file)
    assert len(searches) == 3
    assert json.loads(file.read_text())["settings"]["seed"] == 0


def test_only_economies_have_this_frontier() -> None:
    with pytest.raises(InvalidSetting, match="must be 'economy'"):
        constant_frontier({"name": "stage_game", "followers": 5}, seed=0)


def test_an_early_end_is_no_gain_in_any_criterion() -> None:
    """A policy that ends its economy in year 1 of 10 with the best year there is, beside one that lives."""
    indicators = {
        "per_capita_gdp": np.array([2e5, 1e5]),
        "social_welfare": np.array([20.0, 10.0]),
        "wealth_gini": np.array([0.1, 0.5]),
        "years": np.array([1.0, 10.0]),
    }
    counted = over_all_years(indicators, 10)
    assert counted["per_capita_gdp"].tolist() == [2e4, 1e5]
    assert counted["social_welfare"].tolist() == [2.0, 10.0]
    assert counted["wealth_gini"] == pytest.approx([0.91, 0.5])
    values = np.stack([sign * counted[name] for name, sign in CRITERIA.items()], axis=-1)
    assert undominated(values).tolist() == [False, True]
    alive = np.stack([sign * indicators[name] for name, sign in CRITERIA.items()], axis=-1)
    assert undominated(alive).tolist() == [True, False]
