"""Several seeds of a run at once: what they leave and say, and that no digit depends on it."""

from __future__ import annotations

import json
import logging
import os
import pickle
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from experiments.training import train
from experiments.training.log import read_progress_rows
from experiments.training.progress import LiveDisplay, PlainDisplay
from experiments.tuning import seeds as seeds_module
from rllib_smfg.processes.side_by_side import Telling, bundles
from tests.campaigns.faults.processes import command, descendants

SEEDS, ITERATIONS = (1, 2), 30
SETTINGS = (
    "comparison.baselines=[]",
    f"training.seeds={list(SEEDS)}",
    f"training.iterations={ITERATIONS}",
    "training.checkpoint_interval=10",
    "evaluation.interval=10",
)
OPTIONS = tuple(word for setting in SETTINGS for word in ("--set", setting))
LAST = f"iteration_{ITERATIONS:06d}"


def networks(run: Path, seed: int) -> dict[str, np.ndarray]:
    """All weights of a seed's last checkpoint."""
    last = run / f"seed_{seed}" / "checkpoints" / LAST
    folder = last / "rllib" / "learner_group" / "learner" / "rl_module"
    sides = {side: pickle.loads((folder / side / "module_state.pkl").read_bytes()) for side in ("leader", "follower")}
    return {f"{side}/{name}": np.asarray(x) for side, weights in sides.items() for name, x in weights.items()}


def timeless(run: Path, seed: int) -> list[dict[str, float]]:
    rows = read_progress_rows(run / f"seed_{seed}" / "progress.csv")
    left_out = ("timing", "seconds", "evaluation")  # Ctrl-C evaluates as well
    return [{name: value for name, value in row.items() if not name.startswith(left_out)} for row in rows]


def assert_same_runs(one: Path, other: Path) -> None:
    for seed in SEEDS:
        first, second = networks(one, seed), networks(other, seed)
        assert len(first) == len(second) > 10
        for name in first:
            np.testing.assert_array_equal(first[name], second[name], err_msg=name)
        assert timeless(one, seed) == timeless(other, seed)
    summaries = [json.loads((run / "summary.json").read_text()) for run in (one, other)]
    assert summaries[0]["indicators"] == summaries[1]["indicators"]
    assert summaries[0]["config"] == summaries[1]["config"]


@pytest.fixture(scope="module")
def in_turn(ray_local: None, tiny: Path, tmp_path_factory: pytest.TempPathFactory, smfg: Any) -> Path:
    """A run whose seeds are trained one after the other, as where there is room for one alone."""
    run = tmp_path_factory.mktemp("runs") / "in_turn"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seeds_module, "room_for", lambda _: 1)
        result = smfg("train", tiny, "--output", run, *OPTIONS)
    assert result.code == 0, result.err
    assert "seed 1  iteration" not in result.out
    return run


def test_seeds_side_by_side_leave_what_seeds_in_turn_leave_though_a_process_is_killed(
    in_turn: Path, tiny: Path, tmp_path: Path, smfg: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed: list[int] = []

    class Killer(PlainDisplay):
        def update(self, row: Mapping[str, float]) -> None:
            super().update(row)
            if row["iteration"] == 2 and not killed:
                working = [each for each in descendants(os.getpid()) if "ray::_run" in command(each)]
                assert working, [command(each) for each in descendants(os.getpid())]
                killed.append(working[0])
                os.kill(working[0], signal.SIGKILL)

    monkeypatch.setattr(train, "display", Killer)
    run = tmp_path / "run"
    result = smfg("train", tiny, "--output", run, *OPTIONS)
    assert result.code == 0, result.err
    assert len(killed) == 1
    assert_same_runs(run, in_turn)
    left = [{path.name for path in folder.iterdir()} for folder in (run, in_turn)]
    assert left[0] == left[1] > {"summary.json", "config.yaml", "progress.csv", "training_curves.png"}
    for seed in SEEDS:
        assert {path.name for path in (run / f"seed_{seed}").iterdir()} == {
            path.name for path in (in_turn / f"seed_{seed}").iterdir()
        }
        lines = [line for line in result.out.splitlines() if line.startswith(f"seed {seed}  iteration ")]
        assert {line.split()[3] for line in lines} == {f"{each}/{ITERATIONS}" for each in range(1, ITERATIONS + 1)}


def test_ctrl_c_saves_all_seeds_which_go_on_side_by_side(
    in_turn: Path, tiny: Path, tmp_path: Path, smfg: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[int] = []

    class Impatient(PlainDisplay):
        def update(self, row: Mapping[str, float]) -> None:
            super().update(row)
            if not sent:
                sent.append(1)
                signal.raise_signal(signal.SIGINT)

    run = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(train, "display", Impatient)
        stopped = smfg("train", tiny, "--output", run, *OPTIONS)
    assert stopped.code == 130, stopped.err
    last = stopped.err.splitlines()[-1]
    assert "stopped after seed" in last
    assert f"of {ITERATIONS}, which is saved" in last
    assert f"go on with: smfg train --resume {run}" in last
    assert not (run / "summary.json").exists()
    assert not list(run.glob(f"seed_*/checkpoints/{LAST}"))
    assert list(run.glob("seed_*/checkpoints/iteration_*"))
    resumed = smfg("train", "--resume", run)
    assert resumed.code == 0, resumed.err
    assert_same_runs(run, in_turn)


def test_a_seed_that_fails_is_told_in_one_line_and_costs_the_others_nothing(
    in_turn: Path, tmp_path: Path, smfg: Any
) -> None:
    run = Path(shutil.copytree(in_turn, tmp_path / "run"))
    shutil.rmtree(run / "seed_1")
    shutil.rmtree(run / "seed_2" / "checkpoints")
    (run / "seed_2" / "checkpoints").write_text("no folder")
    failed = smfg("train", "--resume", run)
    assert failed.code == 1, failed.err
    lines = failed.err.splitlines()
    assert lines[-1].startswith("smfg: stopped: seed 2: FileExistsError: ")
    assert lines[-1].endswith(f"; go on with: smfg train --resume {run}")
    assert "seed 1:" not in lines[-1]
    assert "Traceback" in (run / "seed_2" / "error.txt").read_text()
    assert networks(run, 1).keys() == networks(in_turn, 1).keys()
    (run / "seed_2" / "checkpoints").unlink()
    (run / "seed_1" / "checkpoints" / LAST / "manifest.json").unlink()  # so that two are left to train
    again = smfg("train", "--resume", run)
    assert again.code == 0, again.err
    assert not (run / "seed_2" / "error.txt").exists()
    assert_same_runs(run, in_turn)


def test_a_seed_that_goes_on_alone_has_no_error_of_before(in_turn: Path, tmp_path: Path, smfg: Any) -> None:
    run = Path(shutil.copytree(in_turn, tmp_path / "run"))
    (run / "seed_1" / "checkpoints" / LAST / "manifest.json").unlink()
    (run / "seed_1" / "error.txt").write_text("of an earlier run")
    assert smfg("train", "--resume", run).code == 0
    assert not (run / "seed_1" / "error.txt").exists()


def test_on_a_terminal_every_seed_has_a_bar_of_its_own() -> None:
    from io import StringIO

    screen = StringIO()
    terminal = Console(file=screen, force_terminal=True, width=100, height=60, _environ={"TERM": "xterm"})

    def shown_after(display: Any, row: dict[str, float]) -> str:
        before = len(screen.getvalue())
        display.update(row)
        display._live.refresh()
        return screen.getvalue()[before:]

    with LiveDisplay(terminal) as shown:
        one, other = (shown.beside(f"seed {seed}") for seed in SEEDS)
        for display in (one, other):
            display.start(display._seed, 0, 10)
        first = shown_after(one, {"iteration": 3.0, "years": 900.0, "evaluation/leader_return": 0.25})
        second = shown_after(other, {"iteration": 7.0, "years": 900.0})
    assert "3/10" in first
    assert "0.25" in first
    assert first.count("seed 1") == 2  # its bar, and over the table of its numbers
    assert "3/10" in second
    assert "7/10" in second
    assert "0.25" not in second
    assert second.count("seed 2") == 2


def test_what_a_seed_s_process_logs_as_a_warning_is_told() -> None:
    told: list[tuple[Any, ...]] = []
    log = logging.getLogger("rllib_smfg.structural.compiled")
    with Telling(lambda *message: told.append(message), lambda row: None):
        log.warning("compiling %s", "a year")
        log.info("nothing to be read")
    log.warning("not any more")
    assert told == [("note", "compiling a year")]


def test_processes_of_a_seed_ask_for_what_they_use() -> None:
    cpu, both = {"CPU": 1.0}, {"CPU": 1.0, "GPU": 1}
    assert bundles(0, 0, 0) == [cpu]
    assert bundles(2, 1, 0) == [cpu] * 4
    assert bundles(1, 0, 1) == [both, cpu]
    assert bundles(1, 2, 1) == [cpu, cpu, both, both]
