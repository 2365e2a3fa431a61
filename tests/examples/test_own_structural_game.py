"""The polluting market of docs/extend.md: what firms and the leader do in equilibrium, and how near defaults get."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from own_structural_game import BEND, COST, SLOPE, PollutingMarket, exact_tax

ROOT = Path(__file__).resolve().parents[2]


def firms(state: Any, tax: np.ndarray) -> np.ndarray:
    """Outputs (B, N) at which nobody would sell more or less at the price that follows."""
    q = (state["demand"] - tax - COST) / (SLOPE + BEND)
    return q + (COST - state["cost"]) / BEND


def leaders_return(rule: np.ndarray, games: int = 256, years: int = 150) -> float:
    """Mean discounted sum of a tax that is linear in (1, pollution, demand), with firms that answer it exactly."""
    game = PollutingMarket(games=games, horizon=years)
    seen, total = game.reset(3).leader, 0.0
    for year in range(years - 1):
        tax = (rule[0] + seen @ rule[1:])[:, None]
        step = game.step(tax, firms(game.state, tax)[..., None])
        total += game.discount**year * float(step.leader_reward.mean())
        seen = step.observations.leader
    return total


def test_no_other_linear_tax_does_better() -> None:
    """The exact rule against each of its three numbers moved to either side, on common random numbers."""
    best = leaders_return(exact_tax())
    for moved in (*np.diag([0.1, 0.01, 0.05]), *np.diag([-0.1, -0.01, -0.05])):
        assert leaders_return(exact_tax() + moved) < best - 0.01


def test_no_firm_would_sell_another_amount() -> None:
    """Alone among many, at the price that the others make: profit is largest at the output of equilibrium."""
    game = PollutingMarket(games=41, followers=2000)
    game.reset(1)
    for name, x in game.state.items():
        game.state = {**game.state, name: np.broadcast_to(x[:1], x.shape).copy()}
    tax = np.full((41, 1), 2.0)
    output = firms(game.state, tax)
    tried = output[0, 0] + np.linspace(-0.5, 0.5, 41)
    output[:, 0] = tried
    profit = game.step(tax, output[..., None]).follower_reward[:, 0]
    assert tried[np.argmax(profit)] == pytest.approx(tried[20], abs=0.026)


def test_tax_and_output_keep_within_their_boxes() -> None:
    game = PollutingMarket(games=200)
    seen = game.reset(5).leader
    for _ in range(50):
        tax = (exact_tax()[0] + seen @ exact_tax()[1:])[:, None]
        output = firms(game.state, tax)
        assert game.leader_action_space.low < tax.min()
        assert tax.max() < game.leader_action_space.high
        assert game.follower_action_space.low < output.min()
        assert output.max() < game.follower_action_space.high
        seen = game.step(tax, output[..., None]).observations.leader


@pytest.mark.slow
def test_the_example_learns_the_tax_with_the_defaults() -> None:
    """One seed: every printed tax within 2 % of the exact one."""
    command = [sys.executable, str(ROOT / "docs" / "examples" / "own_structural_game.py")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    pairs = re.findall(r"tax (\S+), exact (\S+)", done.stdout)
    assert len(pairs) == 4, done.stdout + done.stderr
    for learned, exact in pairs:
        assert float(learned) == pytest.approx(float(exact), rel=0.02)
