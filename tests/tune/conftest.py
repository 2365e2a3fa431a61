"""A configuration that trains in a second or two."""

from __future__ import annotations

from pathlib import Path

import pytest

TINY = """
game: {name: stage_game, followers: 20, games: 4}
algorithm:
  hidden: [16, 16]
  years_per_iteration: 80
  warm_up_years: 80
  updates_per_iteration: 10
  transitions_per_update: 32
training: {iterations: 4, checkpoint_interval: 2, seeds: [1]}
evaluation: {interval: 2, episodes: 8, final_episodes: 16}
comparison: {baselines: []}
"""


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("configs") / "tiny.yaml"
    path.write_text(TINY)
    return path
