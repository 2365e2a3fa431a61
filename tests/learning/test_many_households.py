"""A population that passes through the networks piece by piece acts as it would at once, in bounded memory."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from envs import make
from rllib_smfg import learned
from rllib_smfg.build import Interface, follower_actor
from rllib_smfg.learned import LearnedFollower
from rllib_smfg.settings import LearningSettings


@pytest.mark.parametrize(("games", "at_once"), [(1, 7), (3, 7), (3, 1), (3, 90)])
@pytest.mark.parametrize("sees_leader", [True, False])
def test_pieces_act_as_the_whole(games: int, at_once: int, sees_leader: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    game = make("economy", games=games, followers=25)
    interface = Interface.of(game)
    torch.manual_seed(0)
    settings = LearningSettings(followers_see_leader=sees_leader)
    follower = LearnedFollower(follower_actor(interface, settings, None), interface, sees_leader)
    observation = game.reset(0).follower
    leader = np.random.default_rng(0).uniform(-1, 1, (games, 5)).astype(np.float32)
    whole = follower.unit_action(observation, leader)
    monkeypatch.setattr(learned, "AT_ONCE", at_once)
    assert whole.shape == (games, 25, 2)
    assert np.ptp(whole) > 0
    np.testing.assert_allclose(follower.unit_action(observation, leader), whole, atol=1e-6)


@pytest.mark.slow
def test_a_hundred_thousand_households_train_in_memory_of_a_few_numbers_each(tmp_path: Path) -> None:
    """The shipped configuration for a million, with a tenth of them; in a process of its own, whose peak is read."""
    settings = {
        "game.followers": 100_000,
        "game.horizon": 8,
        "algorithm.years_per_iteration": 4,
        "algorithm.warm_up_years": 4,
        "algorithm.updates_per_iteration": 4,
        "training.iterations": 2,
        "comparison.baselines": "[]",
    }
    overrides = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    command = [sys.executable, "-m", "experiments", "train", "million", "--output", str(tmp_path / "run"), *overrides]
    subprocess.run(command, check=True, capture_output=True, timeout=900)
    progress = tmp_path / "run" / "progress.csv"
    rows = list(csv.DictReader(progress.read_text().splitlines()))
    assert [float(row["years"]) for row in rows] == [4.0, 8.0]
    assert all(np.isfinite(float(rows[-1][f"losses/{side}_critic"])) for side in ("leader", "follower"))
    # a process with Ray and torch, and 1,000 numbers a household
    assert float(rows[-1]["timing/peak_memory_mib"]) < 1000 + 1000 * 8 * 100_000 / 2**20
