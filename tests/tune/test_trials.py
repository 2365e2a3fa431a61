"""Grids of training runs: what they leave, going on after being killed, and what is refused."""

from __future__ import annotations

import io
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from envs import InvalidSetting
from experiments.configuration.loading import load_experiment
from experiments.training.log import read_progress_rows
from experiments.tuning import display as trials_display
from experiments.tuning.trials import Trial, TrialResult, run_trials
from rllib_smfg.storage import checkpoints

ROOT = Path(__file__).resolve().parents[2]


def trial(name: str, tiny: Path, seed: int, *overrides: str) -> Trial:
    return Trial(name, load_experiment(tiny, overrides).model_dump(mode="json"), seed)


def networks(checkpoint: Path) -> dict[str, np.ndarray]:
    folder = checkpoint / "rllib" / "learner_group" / "learner" / "rl_module"
    sides = {side: pickle.loads((folder / side / "module_state.pkl").read_bytes()) for side in ("leader", "follower")}
    return {f"{side}/{name}": np.asarray(x) for side, weights in sides.items() for name, x in weights.items()}


def assert_same_networks(first: Path, second: Path) -> None:
    one, other = networks(first), networks(second)
    assert len(one) == len(other) > 10
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


@pytest.fixture(scope="module")
def grid(ray_local: None, tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[TrialResult], Path, str]:
    """Two settings, one of them with two seeds; the first trial's process is killed on its way."""
    killed: list[int] = []

    class Killer(trials_display.TrialsDisplay):
        def on_trial_result(self, iteration: int, trials: Any, trial: Any, result: dict[str, Any], **info: Any) -> None:
            super().on_trial_result(iteration, trials, trial, result, **info)
            if not killed and result["iteration"] >= 2 and "total, seed 1" in trial.config["work"].title:
                killed.append(result["pid"])
                os.kill(result["pid"], signal.SIGKILL)

    folder = tmp_path_factory.mktemp("grids") / "grid"
    trials = [trial("total", tiny, 1), trial("total", tiny, 2), trial("partial", tiny, 1, PARTIAL)]
    screen = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trials_display, "TrialsDisplay", Killer)
        results = run_trials(trials, folder, Console(file=screen, width=120), parallel=2)
    assert len(killed) == 1
    return results, folder, screen.getvalue()


PARTIAL = "algorithm.leader_gradient=partial"


def test_every_trial_is_finished_in_a_folder_of_its_own(grid) -> None:
    results, folder, _ = grid
    assert [(each.trial.name, each.trial.seed, each.status, each.error) for each in results] == [
        ("total", 1, "finished", ""),
        ("total", 2, "finished", ""),
        ("partial", 1, "finished", ""),
    ]
    for each in results:
        assert each.folder == folder / each.trial.name / f"seed_{each.trial.seed}"
        assert each.metrics["iteration"] == 4
        last = checkpoints.find(each.folder)
        assert each.metrics["evaluation/leader_return"] == pytest.approx(
            checkpoints.read_progress(last).evaluation["leader_return"]
        )
        assert [row["iteration"] for row in read_progress_rows(each.folder / "progress.csv")] == [1, 2, 3, 4]
    assert load_experiment(folder / "total" / "config.yaml").training.seeds == (1, 2)
    assert load_experiment(folder / "partial" / "config.yaml").algorithm.leader_gradient == "partial"


def test_a_killed_trial_ends_where_an_unharmed_one_does(grid, ray_local, tiny: Path, tmp_path: Path) -> None:
    from experiments.training.progress import PlainDisplay
    from experiments.training.trainer import train_seed

    results, _, said = grid
    assert "total, seed 1  died, is started again" in said
    train_seed(load_experiment(tiny), 1, tmp_path / "alone", PlainDisplay(Console(file=io.StringIO())))
    assert_same_networks(checkpoints.find(results[0].folder), checkpoints.find(tmp_path / "alone"))
    other_seed, other_setting = (networks(checkpoints.find(each.folder)) for each in results[1:])
    this = networks(checkpoints.find(results[0].folder))
    for other in (other_seed, other_setting):
        assert any((this[name] != other[name]).any() for name in this)


def test_a_resumed_grid_trains_only_what_is_missing(grid, ray_local, tiny: Path) -> None:
    results, folder, _ = grid
    before = [checkpoints.find(each.folder).stat().st_mtime_ns for each in results]
    again = run_trials([each.trial for each in results], folder, Console(file=io.StringIO()), resume=True)
    assert [each.metrics for each in again] == [each.metrics for each in results]
    assert [checkpoints.find(each.folder).stat().st_mtime_ns for each in again] == before


def test_what_cannot_be_run_is_refused_before_anything_runs(grid, tiny: Path, tmp_path: Path) -> None:
    results, folder, _ = grid
    console = Console(file=io.StringIO())
    with pytest.raises(InvalidSetting, match="not empty"):
        run_trials([results[0].trial], folder, console)
    with pytest.raises(InvalidSetting, match="another game or algorithm under this name"):
        run_trials([trial("total", tiny, 1, PARTIAL)], folder, console, resume=True)
    with pytest.raises(InvalidSetting, match="name and seed of its own"):
        run_trials([results[0].trial] * 2, tmp_path / "new", console)
    with pytest.raises(InvalidSetting, match="one experiment"):
        run_trials([trial("a", tiny, 1), trial("a", tiny, 2, PARTIAL)], tmp_path / "new", console)
    assert not (tmp_path / "new").exists()


DRIVER = """
import sys
from pathlib import Path
from rich.console import Console
from experiments.configuration.loading import load_experiment
from experiments.tuning.trials import Trial, run_trials
experiment = load_experiment(sys.argv[1], ["training.iterations=2000", "evaluation.interval=0"])
run_trials([Trial("long", experiment.model_dump(mode="json"), 1)], Path(sys.argv[2]), Console())
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_grid_whose_driver_is_killed_goes_on_from_its_checkpoints(ray_local, tiny, tmp_path: Path, how) -> None:
    folder = tmp_path / "grid"
    driver = subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(tiny), str(folder)], cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    seed = folder / "long" / "seed_1" / "checkpoints"
    while driver.poll() is None and not (seed / "iteration_000006").is_dir():
        time.sleep(0.05)
    driver.send_signal(how)
    _, said = driver.communicate(timeout=120)
    if how == signal.SIGINT:
        assert "stopped with 1 of 1 trials unfinished" in said
    reached = checkpoints.read_progress(checkpoints.find(seed.parent)).iteration
    goes_on = trial("long", tiny, 1, f"training.iterations={reached + 3}", "evaluation.interval=0")
    (result,) = run_trials([goes_on], folder, Console(file=io.StringIO()), resume=True)
    assert (result.status, result.error) == ("finished", "")
    assert [row["iteration"] for row in read_progress_rows(result.folder / "progress.csv")] == [*range(1, reached + 4)]
