"""`smfg bench`: trials that are run, stored one by one, gone on with; and what learners are made of."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from bench_parts import stored
from rich.console import Console

import rllib_smfg.bench.one_by_one as one_by_one
import rllib_smfg.bench.semi_gradient as semi_gradient
from envs.solution import SOLVED_GAMES
from experiments.commands.bench import CALIBRATED, _shipped
from experiments.commands.main import app
from rllib_smfg.bench import campaign
from rllib_smfg.bench import run as bench_run
from rllib_smfg.bench.campaign import TRIALS, planned, run_trials
from rllib_smfg.bench.learners import CONTENDERS, Run, contender
from rllib_smfg.bench.trial import Trial, tried
from rllib_smfg.processes.interrupts import Interrupted
from rllib_smfg.storage.files import write_json

BUDGET = 0.3
WORDS = ["bench", "stage_game", "--learners", "structural,iddpg", "--seeds", "1"]


@pytest.fixture(scope="module")
def made(ray_local: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny benchmark; not to be changed."""
    folder = tmp_path_factory.mktemp("bench") / "out"
    assert app([*WORDS, "--cpu-seconds", str(BUDGET), "--output", str(folder)], standalone_mode=False) == 0
    return folder


def trials(learners: list[str]) -> list[Trial]:
    return planned({"stage_game": _shipped("stage_game")}, learners, 1, BUDGET)


def results(folder: Path) -> dict[str, dict[str, Any]]:
    found = [json.loads(path.read_text()) for path in (folder / TRIALS).iterdir()]
    return {each["learner"]: each for each in found}


def test_every_trial_is_stored_and_scored(made: Path) -> None:
    kept = {each["learner"]: each for each in json.loads((made / "bench.json").read_text())["trials"]}
    assert kept == results(made)
    assert set(kept) == {"structural", "iddpg"}
    for each in kept.values():
        assert each["seed"] == campaign.FIRST_SEED
        assert each["share"] > 0
        assert each["looks"][-1] == {"cpu": each["used"], "share": each["share"], "within": each["within"]}


def test_training_stops_at_the_first_iteration_beyond_its_time(made: Path) -> None:
    for each in results(made).values():
        assert each["used"] >= BUDGET
        assert all(look["cpu"] < BUDGET for look in each["looks"][:-1])


def test_page_and_picture_are_made(made: Path) -> None:
    assert "| `iddpg` |" in (made / "bench.md").read_text(encoding="utf-8")
    assert (made / "bench.png").is_file()


def test_what_is_there_is_not_run_again(ray_local: None, tmp_path: Path) -> None:
    said: list[str] = []
    both = trials(["structural", "iddpg"])

    def stop_after_one(text: str) -> None:
        if text.startswith("[1/2]"):
            raise KeyboardInterrupt

    with pytest.raises(Interrupted, match="stopped; 1 of 2 trials are stored"):
        run_trials(both, tmp_path, stop_after_one)
    (first,) = results(tmp_path).values()
    run_trials(both, tmp_path, said.append)
    assert len(results(tmp_path)) == 2
    assert said[0] == "2 trials, 1 of them are there already"
    assert results(tmp_path)[first["learner"]] == first


def test_what_is_stored_when_it_is_stopped_can_be_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(_: object, folder: Path, __: object) -> None:
        (folder / TRIALS).mkdir(parents=True)
        write_json(folder / TRIALS / "stage_game-structural-11.json", stored("structural", 11, 0.2))
        raise Interrupted("stopped after 1 of 2 trials, which are stored")

    monkeypatch.setattr(bench_run, "run_trials", stopped)
    how = {"resume": False, "command": "smfg bench stage_game", "versions": {}}
    with pytest.raises(Interrupted, match="go on with: smfg bench stage_game --resume"):
        bench_run.benchmark(Console(quiet=True), [], tmp_path / "out", None, **how)
    (kept,) = json.loads((tmp_path / "out" / "bench.json").read_text())["trials"]
    assert kept["learner"] == "structural"


def test_a_process_that_is_lost_is_a_row_and_is_tried_again(
    ray_local: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(trial: Trial) -> dict[str, Any]:
        os._exit(1)

    said: list[str] = []
    monkeypatch.setattr(campaign, "tried", gone)
    run_trials(trials(["iddpg"]), tmp_path, said.append)
    (lost,) = results(tmp_path).values()
    assert lost["error"]
    assert "FAILED" in said[-1]
    monkeypatch.undo()
    run_trials(trials(["iddpg"]), tmp_path, said.append)
    (found,) = results(tmp_path).values()
    assert "error" not in found


def test_another_budget_or_a_full_folder_is_refused_in_a_line(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [*WORDS, "--output", str(made)]
    assert app([*words, "--cpu-seconds", "7", "--resume"], standalone_mode=False) == 2
    assert "--cpu-seconds 7: " in capsys.readouterr().err
    assert app([*words, "--cpu-seconds", str(BUDGET)], standalone_mode=False) == 2
    assert "exists and is not empty" in capsys.readouterr().err


def test_a_learner_that_raises_is_a_result() -> None:
    (trial,) = trials(["iddpg"])
    unheard_of = Run({**trial.run.game, "R": -1.0}, trial.run.algorithm, None)
    found = tried(replace(trial, run=unheard_of))
    assert found["error"].startswith("InvalidSetting: R = -1: must be above")
    assert (found["game"], found["learner"], found["seed"]) == ("stage_game", "iddpg", 11)


# --- learners ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("game", [*SOLVED_GAMES, CALIBRATED])
def test_every_learner_can_be_configured_for_every_game(game: str) -> None:
    shipped = _shipped(game)
    runs = {name: each.run(shipped) for name, each in CONTENDERS.items()}
    assert {name for name, run in runs.items() if run is None} <= {"smfrl_tuned"}
    for name, run in runs.items():
        if run is not None:
            config = contender(name).config(run, 11, 1_000_000)
            assert (config.seed, config.num_env_runners, config.num_learners) == (11, 0, 0)
            assert config.followers() == shipped.structural.game["followers"]


def test_as_published_is_what_the_file_says_but_for_the_economy() -> None:
    shipped = _shipped("stage_game")
    algorithm = CONTENDERS["smfrl_published"].run(shipped).algorithm  # type: ignore[union-attr]
    stated = shipped.published.algorithm
    for name in ("leader_gradient", "follower_gradient", "squash", "actor_lr", "critic_lr", "years_per_iteration"):
        assert getattr(algorithm, name) == getattr(stated, name)
    assert (algorithm.leader_gradient, algorithm.follower_gradient) == ("partial", "team")
    assert (algorithm.discount, algorithm.leader_start) == (None, None)


def test_one_side_moves_in_an_update_of_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_by_one, "TURN", 2)
    run = CONTENDERS["one_by_one"].run(_shipped("stage_game"))
    algorithm = run.algorithm.model_copy(update={"updates_per_iteration": 1, "lead_in": 0.0})  # type: ignore[union-attr]
    run = type(run)(run.game, algorithm, 20)  # type: ignore[misc, union-attr]
    learner = contender("one_by_one").config(run, 11, 1).build_learner()
    learner.build()
    moved = []
    for _ in range(6):
        before = {side: weights(network) for side, network in learner.structural.networks.items()}
        learner.structural.update()
        now = {side: weights(network) for side, network in learner.structural.networks.items()}
        moved.append([side for side in now if not torch.equal(before[side], now[side])])
    assert moved == [["follower"]] * 2 + [["leader"]] * 2 + [["follower"]] * 2


def weights(network: torch.nn.Module) -> torch.Tensor:
    return torch.cat([each.detach().flatten().clone() for each in network.parameters()])


def test_ac_smfg_takes_one_step_of_each_side_and_its_leader_is_slower() -> None:
    run = CONTENDERS["ac_smfg"].run(_shipped("stage_game"))
    assert run is not None
    learner = contender("ac_smfg").config(run, 11, 1).build_learner()
    rates = {side: learner.get_optimizer(side).param_groups[0]["lr"] for side in ("leader", "follower")}
    assert rates["leader"] == pytest.approx(semi_gradient.SLOWER * rates["follower"])
    steps = []
    learner._one_update = lambda side, rows: steps.append(side)  # type: ignore[method-assign]
    learner._sequences = lambda side, rows: {"memory": torch.zeros(4)}  # type: ignore[method-assign]
    learner._uncompiled_update({"leader": {}, "follower": {}})
    assert steps == ["leader", "follower"]
