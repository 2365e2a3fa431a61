"""SIGTERM, as `ray job stop` sends it three seconds before SIGKILL: what is finished is saved."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from fault_parts import Watcher, tiny

from experiments.training import trainer
from experiments.training.trainer import CHECKPOINTS, train_seed
from rllib_smfg.processes import interrupts
from rllib_smfg.processes.interrupts import Interrupted, Interrupts, Overdue, terminated_as_interrupted
from rllib_smfg.storage import checkpoints
from tests.campaigns.faults.states import differences

LONG = 20.0  # seconds of an iteration that nobody waits for


def terminate_soon() -> None:
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM)).start()


def test_an_iteration_too_long_to_be_waited_for_is_given_up_and_the_one_before_is_saved(
    ray_local: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a checkpoint every 50 iterations only; what is resumed ends as its undisturbed twin."""
    train_seed(tiny(iterations=5, checkpoint_interval=50), 1, tmp_path / "twin", Watcher())
    train_until_years, played = trainer.train_until_years, []

    def slow_third(*arguments):
        result = train_until_years(*arguments)
        played.append(1)
        if len(played) == 3:
            terminate_soon()
            time.sleep(LONG)
        return result

    with monkeypatch.context() as patch:
        patch.setattr(trainer, "GRACE", 0.0)  # every iteration is one that took long
        patch.setattr(interrupts, "GRACE", 0.2)
        patch.setattr(trainer, "train_until_years", slow_third)
        began = time.monotonic()
        with pytest.raises(Interrupted, match="stopped after seed 1, iteration 2 of 5, which is saved") as stop:
            train_seed(tiny(iterations=5, checkpoint_interval=50), 1, tmp_path / "run", Watcher())
    assert time.monotonic() - began < LONG
    assert stop.value.exit_code == 128 + signal.SIGTERM
    assert [path.name for path in (tmp_path / "run" / CHECKPOINTS).iterdir()] == ["iteration_000002"]
    train_seed(tiny(iterations=5, checkpoint_interval=50), 1, tmp_path / "run", Watcher())
    last = checkpoints.path_of(Path(CHECKPOINTS), 5)
    assert differences(tmp_path / "twin" / last, tmp_path / "run" / last) == []


def test_an_iteration_that_ends_in_time_is_saved_itself(ray_local: None, tmp_path: Path) -> None:
    act = {3: lambda: os.kill(os.getpid(), signal.SIGTERM)}
    with pytest.raises(Interrupted, match="iteration 3 of 9, which is saved"):
        train_seed(tiny(iterations=9, checkpoint_interval=50), 1, tmp_path, Watcher(act))
    checkpoints.verify(checkpoints.path_of(tmp_path / CHECKPOINTS, 3))


def test_half_a_minute_s_work_is_saved_whatever_the_interval(
    ray_local: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer, "UNSAVED", 0.0)
    train_seed(tiny(iterations=5, checkpoint_interval=2), 1, tmp_path, Watcher())
    kept = sorted(path.name for path in (tmp_path / CHECKPOINTS).iterdir())
    assert kept == ["iteration_000002", "iteration_000004", "iteration_000005"]


def test_nothing_is_given_up_that_is_not_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interrupts, "GRACE", 0.05)
    with Interrupts() as noted:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.3)
        assert noted.received == signal.SIGTERM
    with Interrupts() as noted:
        noted.may_give_up = True
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Overdue):
            time.sleep(5)


@pytest.mark.parametrize("ctrl_c", [signal.default_int_handler, signal.SIG_IGN], ids=["heard", "ignored"])
def test_elsewhere_it_leaves_all_blocks_in_order(ctrl_c: Any) -> None:
    """Of a job that a script started with &, too, which is born deaf to Ctrl-C."""
    left = []
    before = signal.signal(signal.SIGINT, ctrl_c)

    def work() -> None:
        with terminated_as_interrupted(), terminated_as_interrupted():
            try:
                os.kill(os.getpid(), signal.SIGTERM)
                time.sleep(5)
            finally:
                left.append(1)

    try:
        with pytest.raises(Interrupted, match="stopped") as stop:
            work()
    finally:
        signal.signal(signal.SIGINT, before)
    assert left == [1]
    assert stop.value.exit_code == 143
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
