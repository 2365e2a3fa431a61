"""A job on a real head: submitted as docs/cluster.md says, followed to its end, its artefacts found."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from cluster_parts import Head

from rllib_smfg.storage import checkpoints

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
TINY = [
    *("--set", "game.followers=10", "--set", "game.horizon=20", "--set", "training.iterations=2"),
    *("--set", "training.checkpoint_interval=1", "--set", "algorithm.warm_up_years=0"),
    *("--set", "algorithm.updates_per_iteration=2", "--set", "evaluation.final_episodes=4"),
    *("--set", "comparison.baselines=[random]"),
]


def test_train_as_a_job_succeeds_and_leaves_its_artefacts(head: Head, tmp_path: Path) -> None:
    entrypoint = ["python", "-m", "experiments", "train", "experiments/configs/quickstart.yaml"]
    done = head.job(*entrypoint, "--storage", str(tmp_path), *TINY)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "succeeded" in done.stdout + done.stderr
    assert "iteration 2/2" in done.stdout
    (run,) = tmp_path.iterdir()
    assert json.loads((run / "summary.json").read_text())["seeds"] == [1]
    assert checkpoints.read_progress(checkpoints.find(run)).iteration == 2
    assert list(run.glob("seed_1/tensorboard/events*"))
    assert (run / "training_curves.png").is_file()


def test_tune_as_a_job_succeeds(head: Head, tmp_path: Path) -> None:
    changes = [f"changes.{value}" if value != "--set" else value for value in TINY]
    small = ["--set", "search.trials=2", "--set", "changes.evaluation.interval=1", "--set", "asha.first_rung=1"]
    entrypoint = ["python", "-m", "experiments", "tune", "tune_configs/asha_smfrl.yaml", "--storage", str(tmp_path)]
    done = head.job(*entrypoint, *small, *changes)
    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = tmp_path.iterdir()
    assert (run / "best.yaml").is_file()
    assert checkpoints.verify(run / "best")


def test_a_game_of_a_package_outside_trains_as_a_job_with_two_runners(head: Head, tmp_path: Path) -> None:
    sys.path.insert(0, str(Path(__file__).parents[1] / "plugins"))
    from fishery_parts import write_package

    config = write_package(tmp_path / "mine", "my_package")
    done = head.job("python", "-m", "experiments", "train", str(config), "--storage", str(tmp_path / "runs"))
    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = (tmp_path / "runs").iterdir()
    assert checkpoints.read_progress(checkpoints.find(run)).iteration == 2


def test_without_the_token_nothing_runs(head: Head, tmp_path: Path) -> None:
    stranger = tmp_path / "token"
    stranger.write_text("not-the-token-0123456789abcdef0123456789")
    environment = {**head.environment, "RAY_AUTH_TOKEN_PATH": str(stranger)}
    done = head.job("touch", str(tmp_path / "ran"), environment=environment)
    assert done.returncode != 0
    assert not (tmp_path / "ran").exists()
