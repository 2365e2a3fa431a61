"""What is said: commands that can be pasted, names that exist, letters that every terminal takes, one line."""

from __future__ import annotations

import io
import os
import shlex
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import pytest

from envs import InvalidSetting
from experiments.commands.terminal import command_line, console
from experiments.report.words import of_known_game
from experiments.results.comparison import learned_row
from rllib_smfg.statistics.summaries import summarise_all
from rllib_smfg.storage.files import refuse_overwriting

ROOT = Path(__file__).resolve().parents[2]
ASCII = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C", "LANG": "C", "PYTHONIOENCODING": ""}
SURVEY = "WGT,EDUC,INCOME,ASSET\n100,12,50000,200000\n300,-1,0,0\n"


def shell(folder: Path, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    command = [sys.executable, "-m", "experiments", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=env)


# --- letters ---------------------------------------------------------------------------------------------------------
def test_paths_with_accents_on_an_ascii_terminal(tmp_path: Path) -> None:
    folder = tmp_path / "économie"
    folder.mkdir()
    (folder / "survey.csv").write_text(SURVEY)
    read = shell(tmp_path, "data", "check", folder / "survey.csv", **ASCII)
    assert (read.returncode, read.stderr) == (0, "")
    assert "mean assets" in read.stdout
    absent = shell(tmp_path, "data", "check", folder / "none.csv", **ASCII)
    assert absent.returncode == 2
    assert absent.stderr.startswith("smfg: survey '")
    assert absent.stderr.count("\n") == 1


def test_a_training_with_accents_on_an_ascii_terminal(tiny: Path, tmp_path: Path) -> None:
    done = shell(tmp_path, "train", tiny, "--output", "économie", "--set", "training.iterations=2", **ASCII)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "économie" / "summary.json").is_file()
    assert "économie" in (tmp_path / "économie" / "config.yaml").read_text(encoding="utf-8").splitlines()[0]


# --- commands that can be pasted -------------------------------------------------------------------------------------
def test_what_to_go_on_with_is_quoted(tmp_path: Path) -> None:
    folder = tmp_path / "my run's folder"
    folder.mkdir()
    (folder / "x").write_text("")
    with pytest.raises(InvalidSetting) as error:
        refuse_overwriting(folder)
    *_, option, path = shlex.split(str(error.value).split("or go on with ")[1])
    assert (option, path) == ("--resume", str(folder))


def test_how_it_was_called_is_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["train", "a b.yaml", "--set", "game.shock=[[5, tfp, 0.8]]"]
    monkeypatch.setattr(sys, "argv", ["smfg", *words])
    assert shlex.split(command_line()) == ["smfg", *words]


def test_a_stopped_search_and_a_finished_one_can_be_pasted(ray_local: None, smfg, tiny: Path, tmp_path: Path) -> None:
    folder = tmp_path / "my search"
    few = ["search.trials=1", f"search.base={tiny}", "changes.training.iterations=2", "changes.evaluation.interval=1"]
    few += ["asha.first_rung=1"]
    settings = [word for each in few for word in ("--set", each)]
    result = smfg("tune", "asha_smfrl", *settings, "--output", folder)
    assert result.code == 0, result.err
    last = result.out.strip().splitlines()[-1]
    first, second = last.split(", ")
    assert shlex.split(first.partition("smfg ")[2]) == ["evaluate", f"{folder}/best"]
    assert shlex.split(second.partition("smfg ")[2]) == ["train", f"{folder}/best.yaml"]


# --- names that exist ------------------------------------------------------------------------------------------------
def test_a_comparison_with_a_run_that_is_not_there_says_how_to_train_it(smfg, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = smfg("compare", "calibrated_comparison")
    assert result.code == 2
    remedy = (
        "no such policy and no such folder; train it first: smfg train calibrated_n1000 --output runs/calibrated_n1000"
    )
    assert result.err == f"smfg: row 'SMFRL': 'runs/calibrated_n1000': {remedy}\n"


@pytest.mark.parametrize(("name", "nearest"), [("table9", "table3"), ("tabel1", "table1"), ("figure99", "figure")])
def test_an_unknown_grid_is_answered_with_a_grid(name: str, nearest: str, smfg) -> None:
    result = smfg("grid", name)
    assert result.code == 2
    assert f"{name}: no such grid: did you mean '{nearest}" in result.err


def test_a_report_names_a_solution_only_where_there_is_one(tiny: Path) -> None:
    from experiments.configuration.loading import load_experiment

    experiment = load_experiment(tiny)
    rows = {learned_row(experiment): summarise_all([{"leader_return": np.ones(3)}])}
    assert "smfg solve stage_game" in " ".join(of_known_game(experiment, rows))
    game = experiment.game.model_copy(update={"name": "fishery"})
    assert "smfg solve" not in " ".join(of_known_game(experiment.model_copy(update={"game": game}), rows))


# --- width -----------------------------------------------------------------------------------------------------------
def test_logs_of_jobs_are_wide_enough_for_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    with redirect_stdout(io.StringIO()):
        assert console().width >= 120
    sources = [path.read_text() for path in (ROOT / "experiments" / "commands").glob("*.py") if path.stem != "terminal"]
    assert len(sources) > 8
    assert not [text for text in sources if "Console()" in text]
