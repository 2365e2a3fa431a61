"""Runners and learners that die, for real: training goes on, and what was lost is counted and told."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fault_parts import Watcher, tiny

from experiments.training.trainer import train_seed
from rllib_smfg.processes import recovery
from rllib_smfg.processes.interrupts import Stopped
from rllib_smfg.processes.recovery import train_until_years
from tests.campaigns.faults.processes import command, descendants


@pytest.fixture(scope="module")
def algorithm(ray_local: None) -> Iterator[Any]:
    """Training with two runners of its own, after its first iteration."""
    built = tiny(env_runners=2).algorithm_config(1).build_algo()
    built.train()
    yield built
    built.stop()


def runners(algorithm: Any) -> list[int]:
    """The processes of the runners that answer."""
    return algorithm.env_runner_group.foreach_env_runner(lambda _: os.getpid(), local_env_runner=False)


def restarts(result: dict[str, Any]) -> int:
    return result["fault_tolerance"]["num_remote_worker_restarts"]


def train_without(algorithm: Any, lost: list[int]) -> list[str]:
    """Trains until two runners answer that are none of the lost ones; returns what was said meanwhile."""
    said: list[str] = []
    before = algorithm.env_runner_group.num_remote_worker_restarts()
    for _ in range(400):
        result, years = train_until_years(algorithm, said.append)
        assert years > 0
        now = runners(algorithm)
        if len(now) == 2 and not set(now) & set(lost):
            break
    assert len(now) == 2
    assert not set(now) & set(lost)
    assert restarts(result) >= before + len(lost)
    return said


def test_a_killed_runner_is_started_again_and_counted(algorithm) -> None:
    lost = runners(algorithm)[:1]
    os.kill(lost[0], signal.SIGKILL)
    train_without(algorithm, lost)


def test_an_exception_in_a_game_s_step_costs_a_second_and_not_the_training(algorithm) -> None:
    def break_the_game(runner: Any) -> int:  # inside the test, since runners cannot import this file
        def step(*_: Any) -> None:
            raise ZeroDivisionError("a mistake in the game")

        runner.game.step = step
        return os.getpid()

    lost = algorithm.env_runner_group.foreach_env_runner(break_the_game, local_env_runner=False, remote_worker_ids=[1])
    assert len(lost) == 1
    train_without(algorithm, lost)
    assert algorithm.config.delay_between_env_runner_restarts_s <= 1


def test_training_waits_while_all_runners_are_lost(algorithm) -> None:
    learned, lost = algorithm.replay.size, runners(algorithm)
    for process in lost:
        os.kill(process, signal.SIGKILL)
    said = train_without(algorithm, lost)
    assert set(said) == {"no runner answers; waiting until Ray has started one again"}
    assert algorithm.replay.size > learned


def test_waiting_for_runners_ends(algorithm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(algorithm, "train", lambda: {"env_runners": {"num_env_steps_sampled": float("nan")}})
    monkeypatch.setattr(recovery, "PATIENCE", 0.0)
    with pytest.raises(Stopped, match="no runner has answered") as stop:
        train_until_years(algorithm, str)
    assert stop.value.exit_code == 1


def kill_learner() -> None:
    """SIGKILL to this test's remote learner."""
    processes = [each for each in descendants(os.getpid()) if "_WrappedExecutable" in command(each)]  # RLlib's name
    assert len(processes) == 1, [command(each) for each in descendants(os.getpid())]
    os.kill(processes[0], signal.SIGKILL)


def test_a_lost_learner_is_built_again_from_the_latest_checkpoint(ray_local: None, tmp_path: Path) -> None:
    screen = Watcher({3: kill_learner})
    train_seed(tiny(learners=1, iterations=5), 1, tmp_path, screen)
    told = [note for note in screen.notes if "learner" in note]
    assert len(told) == 1
    assert "seed 1: the learner's process was lost" in told[0]
    assert "going on from the latest checkpoint" in told[0]
    assert [row["iteration"] for row in screen.rows] == [1, 2, 3, 3, 4, 5]
    assert [row["faults/learner_restarts"] for row in screen.rows] == [0, 0, 0, 1, 1, 1]
    assert (tmp_path / "checkpoints" / "iteration_000005").is_dir()


@pytest.mark.slow
def test_a_learner_that_is_lost_again_and_again_ends_training(
    ray_local: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("experiments.training.trainer.LEARNER_RESTARTS", 1)
    acts: dict[int, Callable[[], None]] = {1: kill_learner, 2: kill_learner}
    with pytest.raises(Stopped, match="2 times by now"):
        train_seed(tiny(learners=1, checkpoint_interval=1), 1, tmp_path, Watcher(acts))
    train_seed(tiny(learners=1, checkpoint_interval=1, iterations=3), 1, tmp_path, Watcher())
