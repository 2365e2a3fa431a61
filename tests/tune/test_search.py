"""Searches: what they leave, early stopping, a population that copies weights, going on after Ctrl-C."""

from __future__ import annotations

import csv
import io
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from rich.console import Console

from envs import InvalidSetting
from experiments import checkpoints, tuning_session
from experiments.loading import load_experiment
from experiments.run_log import read_progress
from experiments.storage import Place
from experiments.trainer import train_seed
from experiments.tuning import run

ROOT = Path(__file__).resolve().parents[2]


def search_file(folder: Path, tiny: Path, **sections: Any) -> Path:
    content = {
        "search": {"base": str(tiny), "metric": "leader_return", "parallel": 2},
        "changes": {"training": {"iterations": 6, "keep_checkpoints": 100}, "evaluation": {"interval": 2}},
        "space": {
            "algorithm": {
                "actor_lr": {"log_uniform": [1e-4, 1e-1]},
                "leader_noise": {"uniform": [0.05, 0.5]},
                "transitions_per_update": {"choice": [16, 32]},
            }
        },
    }
    for name, values in sections.items():
        content[name] = {**content.get(name, {}), **values}
    path = folder / "search.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def parameters(checkpoint: Path) -> dict[str, np.ndarray]:
    """Every weight of both sides' actors, critics and targets."""
    folder = checkpoint / "rllib" / "learner_group" / "learner" / "rl_module"
    sides = {side: pickle.loads((folder / side / "module_state.pkl").read_bytes()) for side in ("leader", "follower")}
    return {f"{side}/{name}": np.asarray(x) for side, weights in sides.items() for name, x in weights.items()}


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return all(np.array_equal(one[name], other[name]) for name in one | other)


# --- successive halving ----------------------------------------------------------------------------------------------
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
    lengths = [read_progress(path)[-1]["iteration"] for path in folder.glob("trial_*/seed_1/progress.csv")]
    assert len(lengths) == 3
    assert max(lengths) == 6
    assert min(lengths) < 6


def test_the_best_is_the_best_of_all_evaluations(halving, tiny: Path) -> None:
    folder, said, _ = halving
    evaluations = {}
    for path in folder.glob("trial_*/seed_1/progress.csv"):
        for row in read_progress(path):
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
    from experiments.progress import PlainDisplay

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


# --- population-based training ---------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def population(ray_local: None, tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two members, one exchange after iteration 2, the end after iteration 3."""
    folder = tmp_path_factory.mktemp("population")
    pbt = {"interval": 2, "quantile": 0.5, "resample": 0.0, "factors": [0.5, 2.0]}
    changes = {"training": {"iterations": 3, "keep_checkpoints": 100}}
    search = search_file(folder, tiny, search={"scheduler": "pbt", "trials": 2}, pbt=pbt, changes=changes)
    run(Console(file=io.StringIO()), str(search), [], Place(folder / "run"))
    return folder / "run"


@pytest.mark.slow
def test_a_population_copies_weights_and_learns_on_from_them(population: Path, tmp_path: Path) -> None:
    """The loser's parameters become the winner's, and what it learns next follows from them and its new settings."""
    from experiments.progress import PlainDisplay

    own = [parameters(path) for path in sorted(population.glob(".tune/*/checkpoint_000000"))]
    assert len(own) == 2
    assert not same(*own), "before the exchange members must differ, or it shows nothing"
    exchanged = [parameters(trial / "seed_1/checkpoints/iteration_000002") for trial in trials(population)]
    assert same(*exchanged)
    (winner,) = [k for k in (0, 1) if same(own[k], exchanged[k])]
    taker = trials(population)[1 - winner] / "seed_1/checkpoints/iteration_000003"
    settings = [load_experiment(trial / "config.yaml").algorithm for trial in trials(population)]
    assert settings[0] != settings[1]
    experiment = checkpoints.read_experiment(taker)
    assert experiment is not None
    assert experiment.algorithm == settings[1 - winner]
    giver = trials(population)[winner] / "seed_1/checkpoints"
    checkpoints.adopt(giver / "iteration_000002", tmp_path / "seed_1" / "checkpoints")
    train_seed(experiment, 1, tmp_path / "seed_1", PlainDisplay(Console(file=io.StringIO())))
    learned = parameters(tmp_path / "seed_1/checkpoints/iteration_000003")
    assert same(learned, parameters(taker))
    assert not same(learned, parameters(giver / "iteration_000003"))


@pytest.mark.slow
def test_a_population_leaves_a_best_configuration(population: Path) -> None:
    assert load_experiment(population / "best.yaml") == checkpoints.read_experiment(population / "best")


def trials(folder: Path) -> list[Path]:
    return sorted(folder.glob("trial_*"))


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
    assert [read_progress(t / "seed_1/progress.csv")[-1]["iteration"] for t in trials(tmp_path / "run")] == [6, 6, 6]
    assert (tmp_path / "run/trial_00000/seed_1/progress.csv").read_text() == first
    assert (tmp_path / "run" / "best.yaml").is_file()
