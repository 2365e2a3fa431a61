"""Population-based training: who copies whose weights, and going on wherever it was killed."""

from __future__ import annotations

import io
import pickle
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from ray import tune
from ray.tune.schedulers import PopulationBasedTraining
from rich.console import Console
from search_parts import parameters, same, search_file, trials

from experiments.configuration.loading import load_experiment, read_experiment
from experiments.training.log import read_progress_rows
from experiments.training.trainer import train_seed
from experiments.tuning import session as tuning_session
from experiments.tuning.search import run
from rllib_smfg.rllib.resumable_population import ResumablePopulation, going_on_from
from rllib_smfg.storage import checkpoints
from rllib_smfg.storage.places import Place

ROOT = Path(__file__).resolve().parents[2]


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
    from experiments.training.progress import PlainDisplay

    own = [parameters(path) for path in sorted(population.glob(".tune/*/checkpoint_000000"))]
    assert len(own) == 2
    assert not same(*own), "before the exchange members must differ, or it shows nothing"
    exchanged = [parameters(trial / "seed_1/checkpoints/iteration_000002") for trial in trials(population)]
    assert same(*exchanged)
    (winner,) = [k for k in (0, 1) if same(own[k], exchanged[k])]
    taker = trials(population)[1 - winner] / "seed_1/checkpoints/iteration_000003"
    settings = [load_experiment(trial / "config.yaml").algorithm for trial in trials(population)]
    assert settings[0] != settings[1]
    experiment = read_experiment(taker)
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
    assert load_experiment(population / "best.yaml") == read_experiment(population / "best")


class Member:
    """A trial as far as a scheduler looks at it."""

    status = "RUNNING"

    def is_finished(self) -> bool:
        return False


def exchanged_at(scheduler: PopulationBasedTraining, iterations: range) -> list[int]:
    """When a scheduler lets two members exchange that report every two iterations, as Tune would tell it."""
    found = []
    members = [Member(), Member()]
    told = SimpleNamespace(get_trials=lambda: members, get_live_trials=lambda: members)
    state = {"last_train_time": 0, "last_perturbation_time": 0, "last_score": None}
    scheduler._trial_state = {each: SimpleNamespace(**state) for each in members}
    scheduler._checkpoint_or_exploit = lambda *_: found.append(iteration)
    for iteration in iterations:
        for member in members:
            if scheduler.choose_trial_to_run(told) is None and member.status == "PAUSED":
                return [*found, -1]  # all wait for ever
            member.status = "RUNNING"
            decision = scheduler.on_trial_result(
                told, member, {"iteration": iteration, "evaluation/leader_return": 1.0}
            )
            member.status = "PAUSED" if decision == "PAUSE" else "RUNNING"
        for member in members:
            if member.status == "PAUSED" and scheduler.choose_trial_to_run(told) is None:
                return [*found, -1]
    return sorted(set(found))


@pytest.mark.parametrize("reached", [0, 7, 8, 30, 33])
def test_a_population_goes_on_wherever_it_was_killed(reached: int) -> None:
    """Read back from Tune's state, its exchanges are those that are due after the iteration it had reached."""
    settings = {"time_attr": "iteration", "metric": "evaluation/leader_return", "mode": "max", "synch": True}
    mutations = {"algorithm.actor_lr": tune.uniform(0, 1)}
    fresh = ResumablePopulation(perturbation_interval=8, hyperparam_mutations=mutations, **settings)
    with going_on_from(reached):
        again = pickle.loads(pickle.dumps(fresh))
    start = reached - reached % 2 + 2
    assert exchanged_at(again, range(start, 49, 2)) == [each for each in range(8, 49, 8) if each > reached]


def test_ray_s_own_waits_for_ever() -> None:
    """Else nothing would be mended."""
    settings = {"time_attr": "iteration", "metric": "evaluation/leader_return", "mode": "max", "synch": True}
    plain = PopulationBasedTraining(
        perturbation_interval=8, hyperparam_mutations={"algorithm.actor_lr": tune.uniform(0, 1)}, **settings
    )
    assert exchanged_at(plain, range(32, 49, 2))[-1] == -1


@pytest.mark.slow
def test_a_population_killed_late_is_resumed_to_its_end(ray_local: None, tiny: Path, tmp_path: Path) -> None:
    pbt = {"interval": 4, "quantile": 0.5}
    changes = {"training": {"iterations": 40}}
    search = search_file(tmp_path, tiny, search={"scheduler": "pbt", "trials": 2}, pbt=pbt, changes=changes)
    command = [sys.executable, "-m", "experiments", "tune", str(search), "--output", str(tmp_path / "run")]
    driver = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    while driver.poll() is None and tuning_session.reached(tmp_path / "run") < 26:
        time.sleep(0.05)
    driver.kill()
    driver.communicate(timeout=60)
    assert not (tmp_path / "run" / "best.yaml").exists()
    run(Console(file=io.StringIO()), None, [], Place(tmp_path / "run", resumed=True))
    assert [read_progress_rows(t / "seed_1/progress.csv")[-1]["iteration"] for t in trials(tmp_path / "run")] == [
        40,
        40,
    ]
    assert (tmp_path / "run" / "best.yaml").is_file()
