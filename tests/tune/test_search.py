"""Searches: what they leave, early stopping, going on after Ctrl-C."""

from __future__ import annotations

import csv
import io
import json
import math
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from search_parts import parameters, same, search_file, trials

from envs import InvalidSetting
from experiments.configuration.loading import load, load_experiment
from experiments.training.log import read_progress_rows
from experiments.training.trainer import train_seed
from experiments.tuning import session as tuning_session
from experiments.tuning.config import Tuning
from experiments.tuning.search import best_first, finish, run
from experiments.tuning.trial_training import Goal
from rllib_smfg.storage import checkpoints
from rllib_smfg.storage.places import Place

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def halving(ray_local: None, tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, list[dict]]:
    """A finished search: its folder, what it printed, all results that Tune was told of."""
    folder = tmp_path_factory.mktemp("search")
    results: list[dict] = []

    class Listening(tuning_session.TrialsDisplay):
        def on_trial_result(self, iteration: int, trials: Any, trial: Any, result: dict[str, Any], **info: Any) -> None:
            results.append(result)
            super().on_trial_result(iteration, trials, trial, result, **info)

    screen = io.StringIO()
    search = search_file(folder, tiny, search={"trials": 3}, asha={"first_rung": 2, "reduction_factor": 2})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tuning_session, "TrialsDisplay", Listening)
        run(Console(file=screen, width=120), str(search), [], Place(folder / "run"))
    return folder / "run", screen.getvalue(), results


def test_every_result_has_the_metric_from_the_first_on(halving) -> None:
    _, _, results = halving
    assert {result["iteration"] for result in results} == {2, 4, 6}
    assert all(np.isfinite(result["evaluation/leader_return"]) for result in results)


def test_bad_trials_are_stopped_early_and_one_reaches_the_end(halving) -> None:
    folder, _, _ = halving
    lengths = [read_progress_rows(path)[-1]["iteration"] for path in folder.glob("trial_*/seed_1/progress.csv")]
    assert len(lengths) == 3
    assert max(lengths) == 6
    assert min(lengths) < 6


def test_the_best_is_the_best_of_all_evaluations(halving, tiny: Path) -> None:
    folder, said, _ = halving
    evaluations = {}
    for path in folder.glob("trial_*/seed_1/progress.csv"):
        for row in read_progress_rows(path):
            if "evaluation/leader_return" in row:
                evaluations[path.parents[1].name, int(row["iteration"])] = row["evaluation/leader_return"]
    trial, iteration = max(evaluations, key=lambda each: evaluations[each])
    with (folder / "trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert (rows[0]["trial"], int(rows[0]["at_iteration"])) == (trial, iteration)
    assert [float(row["leader_return"]) for row in rows] == sorted(
        (float(r["leader_return"]) for r in rows), reverse=True
    )
    assert checkpoints.read_progress(folder / "best").evaluation["leader_return"] == pytest.approx(
        evaluations[trial, iteration]
    )
    assert same(
        parameters(folder / "best"), parameters(folder / trial / f"seed_1/checkpoints/iteration_{iteration:06d}")
    )
    chosen = load_experiment(folder / "best.yaml")
    assert chosen == load_experiment(folder / trial / "config.yaml")
    assert chosen.algorithm.actor_lr == float(rows[0]["algorithm.actor_lr"])
    assert chosen.game == load_experiment(tiny).game
    assert trial in said


def test_best_yaml_is_a_configuration_that_trains_to_the_same(halving, tmp_path: Path) -> None:
    from experiments.training.progress import PlainDisplay

    folder, _, _ = halving
    best = checkpoints.read_progress(folder / "best")
    experiment = load_experiment(folder / "best.yaml", [f"training.iterations={best.iteration}"])
    train_seed(experiment, 1, tmp_path / "seed_1", PlainDisplay(Console(file=io.StringIO())))
    assert same(parameters(checkpoints.find(tmp_path / "seed_1")), parameters(folder / "best"))


def test_what_cannot_be_resumed_is_refused(tmp_path: Path, tiny: Path) -> None:
    console = Console(file=io.StringIO())
    with pytest.raises(InvalidSetting, match="holds no search to resume"):
        run(console, None, [], Place(tmp_path, resumed=True))
    with pytest.raises(InvalidSetting, match="stays as it was"):
        run(console, None, ["search.trials=3"], Place(tmp_path, resumed=True))
    with pytest.raises(InvalidSetting, match=r"smfg tune asha_smfrl"):
        run(console, None, [], Place(tmp_path))


def test_without_optuna_there_is_one_line(tmp_path: Path, tiny: Path, monkeypatch) -> None:
    monkeypatch.setattr(tuning_session, "find_spec", lambda name: None)
    search = search_file(tmp_path, tiny, search={"sampler": "optuna", "trials": 2})
    with pytest.raises(InvalidSetting, match=r"Optuna is not installed; pip install 'rllib-smfg\[search\]'"):
        run(Console(file=io.StringIO()), str(search), [], Place(tmp_path / "run"))
    assert not (tmp_path / "run").exists()


# --- Optuna, interruptions, buckets ----------------------------------------------------------------------------------
@pytest.mark.slow
def test_optuna_proposes_settings(ray_local: None, tiny: Path, tmp_path: Path) -> None:
    pytest.importorskip("optuna", reason="the extra `search` is not installed")
    search = search_file(tmp_path, tiny, search={"sampler": "optuna", "scheduler": "none", "trials": 3, "parallel": 1})
    run(Console(file=io.StringIO()), str(search), [], Place(tmp_path / "run"))
    chosen = [load_experiment(trial / "config.yaml").algorithm.actor_lr for trial in trials(tmp_path / "run")]
    assert len(set(chosen)) == 3
    assert all(1e-4 <= rate <= 1e-1 for rate in chosen)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_search_that_was_stopped_goes_on(ray_local: None, tiny: Path, tmp_path: Path, how: int) -> None:
    search = search_file(tmp_path, tiny, search={"trials": 3, "scheduler": "none", "parallel": 1})
    command = [sys.executable, "-m", "experiments", "tune", str(search), "--output", str(tmp_path / "run")]
    driver = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    while driver.poll() is None and not list(tmp_path.glob("run/trial_00001/seed_1/best")):
        time.sleep(0.05)
    driver.send_signal(how)
    _, said = driver.communicate(timeout=180)
    if how == signal.SIGINT:
        assert driver.returncode == 130
        assert "trials unfinished; go on with: smfg tune --resume" in said
    assert not (tmp_path / "run" / "best.yaml").exists()
    first = (tmp_path / "run/trial_00000/seed_1/progress.csv").read_text()  # with the seconds that everything took
    run(Console(file=io.StringIO()), None, [], Place(tmp_path / "run", resumed=True))
    assert [read_progress_rows(t / "seed_1/progress.csv")[-1]["iteration"] for t in trials(tmp_path / "run")] == [
        6,
        6,
        6,
    ]
    assert (tmp_path / "run/trial_00000/seed_1/progress.csv").read_text() == first
    assert (tmp_path / "run" / "best.yaml").is_file()


def test_a_search_whose_trials_are_all_done_finishes_when_it_is_resumed(halving, tmp_path: Path) -> None:
    """Its driver died before it wrote down what was found."""
    folder = Path(shutil.copytree(halving[0], tmp_path / "run"))
    (folder / "best.yaml").unlink()
    shutil.rmtree(folder / "best")
    run(Console(file=io.StringIO()), None, [], Place(folder, resumed=True))
    assert (folder / "best.yaml").read_text() == (halving[0] / "best.yaml").read_text()
    checkpoints.verify(folder / "best")


# --- numbers that are none -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("mode", "best"), [("max", "trial_00000"), ("min", "trial_00002")])
def test_what_is_no_number_sorts_last_and_is_said(mode: str, best: str, halving, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(halving[0], tmp_path / "run"))
    values = {"trial_00000": 3.0, "trial_00001": math.nan, "trial_00002": -2.0}
    for name, value in values.items():
        path = folder / name / "seed_1" / "best" / "manifest.json"
        manifest = json.loads(path.read_text())
        manifest.pop("sha256")
        manifest["evaluation"]["leader_return"] = None if math.isnan(value) else value
        path.write_text(checkpoints._text({**manifest, "sha256": checkpoints._sum(manifest)}))
    tuning = load(Tuning, folder / "search.yaml", [f"search.mode={mode}"])
    found = best_first(tuning, folder)
    assert found[0].name == best
    assert found[-1].name == "trial_00001"
    screen = io.StringIO()
    finish(Console(file=screen, width=200), tuning, Place(folder))
    assert "leader_return was never a number in trial_00001: listed last" in screen.getvalue()


def test_nothing_is_worse_than_what_is_no_number() -> None:
    for mode in ("max", "min"):
        goal = Goal("leader_return", mode)
        assert goal.better(-1e9, math.nan)
        assert goal.better(1e9, math.nan)
        assert not goal.better(math.nan, 0.0)
        assert not goal.better(math.nan, math.nan)
        assert goal.better(0.0, goal.told(math.nan))
        assert goal.told(2.0) == 2.0
