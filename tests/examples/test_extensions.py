"""The examples that docs/extend.md walks through: short, true to what they claim, and played like the rest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import own_algorithm
import own_game
import own_tax_rule
import pytest

from envs import make
from policies import registry
from policies.constant import ConstantFollower, ConstantLeader
from rllib_smfg.rollout import evaluate

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ("own_game", "own_structural_game", "own_tax_rule", "own_algorithm")


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_short_and_the_documentation_names_it(name: str) -> None:
    assert len((ROOT / "docs" / "examples" / f"{name}.py").read_text().splitlines()) < 80
    assert f"docs/examples/{name}.py" in (ROOT / "docs" / "extend.md").read_text()


def test_catches_are_largest_with_half_of_the_stock_left() -> None:
    """Maximal sustainable yield: growth / 4, at s = 1/2, by the effort growth / (2 skill)."""
    game = make("fishery", games=3, followers=5, horizon=400)
    efforts = np.array([[0.3], [0.4], [0.5]])  # the middle one is .4 / (2 x .5)
    evaluate(game, ConstantLeader([0.0]), ConstantFollower(efforts), seed=1)
    game.reset(1)
    for _ in range(300):
        step = game.step(np.zeros((3, 1)), np.broadcast_to(efforts[:, None], (3, 5, 1)))
    assert step.indicators["stock"][1] == pytest.approx(0.5, abs=1e-6)
    assert step.indicators["mean_catch"][1] == pytest.approx(game.growth / 4, abs=1e-6)
    assert (np.delete(step.indicators["mean_catch"], 1) < game.growth / 4).all()


def test_a_fishers_own_best_effort_falls_with_the_tax() -> None:
    """Alone among many it maximises (1 - t) skill e s - e^2 / 4: e = 2 (1 - t) skill s."""
    game = make("fishery", games=101, followers=1000, horizon=1)
    for tax in (0.0, 0.4):
        game.reset(3)
        game.stock[:] = 0.8
        efforts = np.full((101, 1000, 1), 0.5)
        efforts[:, 0, 0] = np.linspace(0, 1, 101)
        reward = game.step(np.full((101, 1), tax), efforts).follower_reward[:, 0]
        assert efforts[np.argmax(reward), 0, 0] == pytest.approx(2 * (1 - tax) * 0.5 * 0.8, abs=0.011)


def test_the_whole_machine_learns_a_game_it_has_never_seen(ray_local: None) -> None:
    found = own_game.main(iterations=2)
    assert set(found) >= {"stock", "mean_catch", "tax", "leader_return", "years"}
    assert 0 <= found["tax"] <= 1


def test_a_flat_tax_is_what_it_says_and_is_paid() -> None:
    schedule = own_tax_rule.Flat(0.25, 12_000)
    income = np.array([[0.0, 12_000.0, 20_000.0]])
    assert schedule.tax(income).tolist() == [[0.0, 0.0, 2000.0]]
    assert schedule.marginal_rate(income).tolist() == [[0.0, 0.0, 0.25]]
    game = make("economy", games=4, followers=20, horizon=3)
    rule, households = own_tax_rule.FlatTax(game), registry.follower("constant", game, action=[0.95, 0.9])
    observations = game.reset(1)
    leader = rule.act(observations.leader)
    rule.enact(game, leader, households.act(observations.follower, leader))
    flows = game.flows
    assert np.allclose(flows.income_tax, 0.25 * np.maximum(flows.income - 12_000, 0))
    assert flows.income_tax.sum() > 0
    assert (flows.asset_tax == 0).all()


def test_the_comparison_has_both_governments() -> None:
    found = own_tax_rule.compare(followers=20, episodes=2)
    assert set(found) == {"flat tax", "free market"}
    assert all(np.isfinite(list(row.values())).all() for row in found.values())


def test_the_search_finds_better_governments() -> None:
    history, weights = own_algorithm.search(
        generations=6, candidates=32, elite=6, followers=20, horizon=15, weighting="unweighted"
    )
    assert weights.shape == (5, 7)
    assert np.mean(history[-2:]) > history[0]
