"""Training runs: what they leave behind, stopping and going on, and that watching them changes nothing."""

from __future__ import annotations

import csv
import json
import pickle
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from experiments.configuration.config import Experiment
from experiments.configuration.loading import load
from experiments.training import train
from experiments.training.log import RunLog, read_progress_rows
from experiments.training.progress import PlainDisplay

STATISTICS = {"mean", "iqm", "ci_low", "ci_high", "per_seed"}
NO_COMPARISON = ("--set", "comparison.baselines=[]")
CHECKPOINT = "seed_1/checkpoints/iteration_{:06d}"


def networks(run: Path, iteration: int) -> dict[str, np.ndarray]:
    """All weights of both sides, targets included, at a checkpoint."""
    folder = run / CHECKPOINT.format(iteration) / "rllib" / "learner_group" / "learner" / "rl_module"
    sides = {side: pickle.loads((folder / side / "module_state.pkl").read_bytes()) for side in ("leader", "follower")}
    return {f"{side}/{name}": np.asarray(x) for side, weights in sides.items() for name, x in weights.items()}


def assert_same_networks(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> None:
    assert set(first) == set(second)
    assert any("target_critic" in name for name in first)
    for name in first:
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)


# --- what is left ----------------------------------------------------------------------------------------------------
def test_summary_json_is_as_designed(finished_run: Path) -> None:
    summary = json.loads((finished_run / "summary.json").read_text())
    assert set(summary) == {"indicators", "config", "seeds", "env_steps", "wall_seconds", "versions"}
    assert {"years", "leader_return", "follower_return", "mean_action"} <= set(summary["indicators"])
    for indicator in summary["indicators"].values():
        assert set(indicator) == STATISTICS
        assert indicator["ci_low"] <= indicator["mean"] <= indicator["ci_high"]
        assert len(indicator["per_seed"]) == 1
    assert summary["seeds"] == [1]
    assert summary["env_steps"] == 4 * 80
    assert summary["wall_seconds"] > 0
    assert Experiment.model_validate(summary["config"]) == load(Experiment, finished_run / "config.yaml")
    assert {"python", "ray", "torch", "numpy"} <= set(summary["versions"])


def test_progress_csv_has_the_same_columns_in_every_row(finished_run: Path) -> None:
    with (finished_run / "seed_1" / "progress.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert [row[0] for row in rows] == ["1", "2", "3", "4"]
    assert all(len(row) == len(header) for row in rows)
    assert {"years", "game/z", "losses/leader_critic", "learning/follower_saturation"} <= set(header)
    parsed = read_progress_rows(finished_run / "seed_1" / "progress.csv")
    assert [row["years"] for row in parsed] == [80, 160, 240, 320]
    assert ["evaluation/leader_return" in row for row in parsed] == [False, True, False, True]
    assert all(row["timing/update_seconds"] > 0 and row["losses/follower_critic"] > 0 for row in parsed)


def test_all_seeds_progress_is_put_together(finished_run: Path) -> None:
    with (finished_run / "progress.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["seed"], float(row["iteration"])) for row in rows] == [("1", 1), ("1", 2), ("1", 3), ("1", 4)]


def test_tensorboard_has_readable_groups(finished_run: Path) -> None:
    events = EventAccumulator(str(finished_run / "seed_1" / "tensorboard"))
    events.Reload()
    tags = events.Tags()["scalars"]
    assert {tag.split("/")[0] for tag in tags} == {"game", "losses", "learning", "timing", "faults", "evaluation"}
    losses = {event.step: event.value for event in events.Scalars("losses/leader_critic")}
    written = read_progress_rows(finished_run / "seed_1" / "progress.csv")
    assert losses == pytest.approx({row["years"]: row["losses/leader_critic"] for row in written})


def test_the_training_curves_are_a_picture(finished_run: Path) -> None:
    picture = (finished_run / "training_curves.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) > 10_000


def test_the_policies_of_a_checkpoint_are_the_learner_s(finished_run: Path) -> None:
    from safetensors.numpy import load_file

    learned = networks(finished_run, 4)
    for side in ("leader", "follower"):
        saved = load_file(finished_run / CHECKPOINT.format(4) / "policies" / f"{side}.safetensors")
        assert saved
        for name, weights in saved.items():
            np.testing.assert_array_equal(weights, learned[f"{side}/actor.{name}"])


def test_evaluating_the_checkpoint_repeats_the_summary(finished_run: Path, tmp_path: Path, smfg) -> None:
    result = smfg("evaluate", finished_run, "--json", tmp_path / "evaluation.json")
    assert result.code == 0, result.err
    again = json.loads((tmp_path / "evaluation.json").read_text())
    summary = json.loads((finished_run / "summary.json").read_text())
    assert again["indicators"] == summary["indicators"]
    assert (again["episodes"], again["seed"]) == (16, 1_000_000)
    assert "leader return" in result.out


def test_evaluation_takes_other_luck_and_other_sizes(finished_run: Path, tmp_path: Path, smfg) -> None:
    def evaluated(*options: object) -> Any:
        assert smfg("evaluate", finished_run, "--json", tmp_path / "x.json", *options).code == 0
        return json.loads((tmp_path / "x.json").read_text())

    base, other = evaluated(), evaluated("--seed", 5)
    assert base["indicators"]["leader_return"] != other["indicators"]["leader_return"]
    assert evaluated("--followers", 7, "--episodes", 3)["game"]["followers"] == 7
    for option in ("--episodes", "--followers"):
        assert smfg("evaluate", finished_run, option, 0).code == 2


# --- stopping and going on -------------------------------------------------------------------------------------------
def test_two_iterations_and_two_more_are_four_bit_for_bit(
    ray_local, finished_run: Path, tiny: Path, tmp_path: Path, smfg
) -> None:
    run = tmp_path / "run"
    assert smfg("train", tiny, "--set", "training.iterations=2", "--output", run, *NO_COMPARISON).code == 0
    result = smfg("train", "--resume", run, "--set", "training.iterations=4")
    assert result.code == 0, result.err
    assert "from iteration 2" in result.out
    assert_same_networks(networks(run, 4), networks(finished_run, 4))
    straight, continued = (read_progress_rows(path / "seed_1" / "progress.csv") for path in (finished_run, run))
    assert [row["iteration"] for row in continued] == [1, 2, 3, 4]
    for one, other in zip(straight, continued, strict=True):
        timeless = {name for name in one if not name.startswith("timing") and name != "seconds"}
        assert {name: one[name] for name in timeless} == {name: other[name] for name in timeless}
    again, before = (json.loads((path / "summary.json").read_text()) for path in (run, finished_run))
    assert again["indicators"] == before["indicators"]
    assert again["env_steps"] == before["env_steps"]


def test_ctrl_c_saves_and_says_how_to_go_on(
    ray_local, finished_run: Path, tiny: Path, tmp_path: Path, smfg, monkeypatch
) -> None:
    class Impatient(PlainDisplay):
        def update(self, row) -> None:
            super().update(row)
            if row["iteration"] == 1:
                signal.raise_signal(signal.SIGINT)

    run = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(train, "display", Impatient)
        stopped = smfg("train", tiny, "--output", run, *NO_COMPARISON)
    assert stopped.code == 130
    assert "stopped after seed 1, iteration 1 of 4, which is saved" in stopped.err
    assert f"smfg train --resume {run}" in stopped.err
    assert stopped.err.count("\n") == 1
    assert not (run / "summary.json").exists()
    assert smfg("train", "--resume", run).code == 0
    assert_same_networks(networks(run, 4), networks(finished_run, 4))


def test_a_damaged_checkpoint_costs_no_more_than_its_interval(
    ray_local, copied_run: Path, finished_run: Path, smfg
) -> None:
    state = copied_run / CHECKPOINT.format(4) / "rllib" / "algorithm_state.pkl"
    state.write_bytes(state.read_bytes()[:100])
    result = smfg("train", "--resume", copied_run, *NO_COMPARISON)
    assert result.code == 0, result.err
    assert f"{state}: is damaged" in " ".join(result.out.split())
    assert "from iteration 2" in result.out
    assert_same_networks(networks(copied_run, 4), networks(finished_run, 4))


def test_a_run_goes_on_only_as_what_it_was(copied_run: Path, tiny: Path, smfg) -> None:
    other_game = smfg("train", "quickstart", "--resume", copied_run)
    assert other_game.code == 2
    assert "game.name = economy" in other_game.err
    assert "was started with stage_game" in other_game.err
    other_rate = smfg("train", tiny, "--resume", copied_run, "--set", "algorithm.actor_lr=1e-4")
    assert "algorithm.actor_lr = 0.0001" in other_rate.err
    assert other_rate.err.count("\n") == 1


def test_a_finished_run_is_not_overwritten(finished_run: Path, tiny: Path, smfg) -> None:
    before = (finished_run / "summary.json").stat().st_mtime_ns
    result = smfg("train", tiny, "--output", finished_run)
    assert result.code == 2
    assert f"go on with --resume {finished_run}" in result.err
    assert (finished_run / "summary.json").stat().st_mtime_ns == before


def test_a_log_that_goes_on_forgets_what_came_after(tmp_path: Path) -> None:
    def row(iteration: int, loss: float) -> dict[str, float]:
        return {"iteration": iteration, "years": 10 * iteration, "losses/leader_critic": loss}

    columns = ["iteration", "years", "losses/leader_critic", "losses/follower_critic"]
    log = RunLog(tmp_path, columns, iteration=0, years=0)
    for iteration in (1, 2, 3):
        log.add(row(iteration, 0.5))
    log.close()
    with (tmp_path / "progress.csv").open("a") as file:
        file.write("4,40,0.")  # a process was killed here
    log = RunLog(tmp_path, columns, iteration=2, years=20)
    log.add(row(3, 0.25))
    log.close()
    assert read_progress_rows(tmp_path / "progress.csv") == [row(1, 0.5), row(2, 0.5), row(3, 0.25)]
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert [(e.step, e.value) for e in events.Scalars("losses/leader_critic")] == [(10, 0.5), (20, 0.5), (30, 0.25)]


# --- watching --------------------------------------------------------------------------------------------------------
def test_evaluation_leaves_training_as_it_is(ray_local, finished_run: Path, tiny: Path, tmp_path: Path, smfg) -> None:
    settings = ("--set", "evaluation.interval=0", *NO_COMPARISON)
    assert smfg("train", tiny, "--output", tmp_path / "run", *settings).code == 0
    assert_same_networks(networks(tmp_path / "run", 4), networks(finished_run, 4))
    assert "evaluation/years" not in read_progress_rows(tmp_path / "run" / "seed_1" / "progress.csv")[-1]


def test_without_a_terminal_every_iteration_is_a_line(finished_run: Path) -> None:
    lines = (finished_run / "printed.txt").read_text().splitlines()
    iterations = [line for line in lines if line.startswith("iteration ")]
    assert [line.split()[1] for line in iterations] == ["1/4", "2/4", "3/4", "4/4"]
    assert "critic loss" in iterations[0]
    assert "evaluated: leader return" in iterations[1]
    assert "\x1b" not in "".join(lines)


def test_on_a_terminal_there_is_a_live_table() -> None:
    from io import StringIO

    from experiments.training.progress import LiveDisplay, display

    screen = StringIO()
    terminal = Console(file=screen, force_terminal=True, width=100, _environ={"TERM": "xterm"})
    with display(terminal) as shown:
        assert isinstance(shown, LiveDisplay)
        shown.start("seed 1", 0, 10)
        shown.update(
            {"iteration": 3.0, "years": 900.0, "economy/per_capita_gdp": 1.5e9, "learning/leader_saturation": 0.25}
        )
    assert "3/10" in screen.getvalue()
    assert "1.50e9" in screen.getvalue()
    assert "0.25" in screen.getvalue()


@pytest.mark.slow
def test_several_seeds_with_runners_and_a_learner_of_their_own(ray_local, tiny: Path, tmp_path: Path, smfg) -> None:
    machinery = ("--set", "training.env_runners=2", "--set", "training.learners=1", "--set", "training.seeds=[1, 2]")
    result = smfg("train", tiny, "--output", tmp_path / "run", *machinery, *NO_COMPARISON)
    assert result.code == 0, result.err
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert len(summary["indicators"]["leader_return"]["per_seed"]) == 2
    assert smfg("train", "--resume", tmp_path / "run", "--set", "training.iterations=6").code == 0
    assert (tmp_path / "run" / "seed_2" / "checkpoints" / "iteration_000006").is_dir()
