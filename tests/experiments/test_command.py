"""The command as a stranger uses it: what it prints, what it refuses and how."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import typer

from experiments.commands.main import app


def refused(result, tmp_path: Path) -> str:
    """The one line of a command that was refused and wrote nothing into its folder."""
    assert result.code == 2
    assert result.out == ""
    assert result.err.endswith("\n")
    assert result.err.count("\n") == 1
    assert result.err.startswith("smfg: ")
    assert list(tmp_path.iterdir()) == []
    return result.err


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, where a run would be put by default."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


BAD_INPUT = {
    ("train", "quickstart", "--set", "game.folowers=3"): "did you mean 'followers'",
    ("train", "quickstart", "--set", "game.followers=0"): "game.followers = 0: must be greater than or equal to 1",
    ("train", "quickstart", "--set", "evaluation.episodes=-1"): "must be greater than or equal to 1",
    ("train", "quickstart", "--set", "game.name=econmy"): "did you mean 'economy'",
    ("train", "quickstart", "--set", "game.preset=papr"): "did you mean 'paper'",
    ("train", "quickstart", "--set", "game.name=stage_game"): "game 'stage_game' has no setting 'preset'",
    ("train", "quickstart", "--set", "algorithm.leader_view=joint"): "must be at least followers = 100",
    ("train", "quikstart"): "did you mean 'quickstart'",
    ("train",): "train needs a configuration",
    ("train", "--resume", "nowhere"): "nowhere: holds no run to resume",
    ("evaluate", "nowhere"): "nowhere: no such folder",
    ("evaluate", "."): "holds no checkpoint (manifest.json is missing)",
    ("replay", "nowhere.npz"): "nowhere.npz",
    ("data", "check", "nowhere.csv"): "nowhere.csv",
    ("solve", "stag_game"): "did you mean 'stage_game'",
    ("solve", "stage_game", "--set", "game.Rr=1"): "game 'stage_game' has no parameter 'Rr'",
    ("solve", "stage_game", "--set", "game.R=0.5"): "R = 0.5: must be above",
    ("solve", "stage_game", "--set", "R=one"): "must have the form game.PARAMETER=NUMBER",
    ("solve", "stage_game", "--followers", "0"): "followers = 0: must be a whole number",
    ("solve", "stage_game", "--followers", "few"): "must be a whole number of at least 1, or inf",
    ("solve", "stage_game", "--concept", "nash"): "unknown concept 'nash'",
    ("trian", "quickstart"): "Did you mean 'train'",
    ("train", "quickstart", "--outpt", "x"): "--outpt",
    ("evaluate", ".", "--episodes", "many"): "--episodes",
}


@pytest.mark.parametrize(("arguments", "remedy"), BAD_INPUT.items(), ids=" ".join)
def test_bad_input_ends_in_one_line_and_leaves_nothing(arguments, remedy: str, smfg, here: Path) -> None:
    assert remedy in refused(smfg(*arguments), here)


def test_bad_input_is_refused_alike_from_the_shell(here: Path) -> None:
    command = [sys.executable, "-m", "experiments", "train", "quickstart", "--set", "game.followers=0"]
    root = Path(__file__).resolve().parents[2]
    result = subprocess.run(command, capture_output=True, text=True, cwd=here, env={"PYTHONPATH": str(root)})
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        "smfg: --set game.followers=0: game.followers = 0: must be greater than or equal to 1"
    ]
    assert list(here.iterdir()) == []


def test_help_does_not_wait_for_the_libraries_that_train() -> None:
    heavy = {"ray", "torch", "scipy", "matplotlib", "pandas"}
    script = f"import sys, experiments.commands.main; print(sorted({heavy} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_every_command_says_what_it_does(smfg) -> None:
    commands = typer.main.get_command(app).commands
    assert {"train", "evaluate", "replay", "data", "solve", "benchmark"} <= set(commands)
    for name in commands:
        result = smfg(name, "--help")
        assert result.code == 0
        assert commands[name].help


def test_no_help_stands_in_brackets_which_rich_takes_for_markup_and_hides() -> None:
    commands = list(typer.main.get_command(app).commands.values())
    within = [each for command in commands for each in getattr(command, "commands", {}).values()]
    texts = [getattr(parameter, "help", None) or "" for each in (*commands, *within) for parameter in each.params]
    assert len(texts) > 50
    assert not [text for text in texts if "[" in text]


def test_help_names_defaults_that_are_found_out_later(smfg) -> None:
    for command, default in (("grid", "runs/NAME-SCALE"), ("train", "runs/NAME-TIME"), ("exploitability", "1600")):
        assert f"[default: ({default})]" in " ".join(smfg(command, "--help").out.split())


def test_a_mistake_of_ours_is_not_disguised_as_bad_input(smfg, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr("experiments.studies.solve.run", broken)
    with pytest.raises(ValueError, match="a bug"):
        smfg("solve", "stage_game")


# --- solve -----------------------------------------------------------------------------------------------------------
def test_solve_prints_one_json_object_and_nothing_else(smfg) -> None:
    result = smfg("solve", "linear_quadratic", "--followers", "100", "--json")
    assert result.code == 0
    values = json.loads(result.out)
    assert values["K"] == pytest.approx(0.229568, abs=1e-6)
    assert values["Fx"] == pytest.approx(0.625722, abs=1e-6)


def test_solve_takes_parameters_and_concepts(smfg) -> None:
    result = smfg("solve", "stage_game", "--concept", "team", "--set", "game.rl=.5", "--set", "game.theta=2", "--json")
    # twice theta, twice the leader's action: THEORY C.1 gives 1.011236 for theta = 1
    assert json.loads(result.out)["g_star"] == pytest.approx(2 * 1.011236, abs=2e-6)


def test_solve_prints_a_table_for_people(smfg) -> None:
    result = smfg("solve", "stage_game")
    assert "g_star" in result.out
    assert "0.89128" in result.out or "0.89129" in result.out


# --- replay and data -------------------------------------------------------------------------------------------------
def test_replay_agrees_with_what_was_recorded(smfg, parity: Path) -> None:
    result = smfg("replay", parity / "paper_hsv_n10.npz", "--preset", "paper")
    assert result.code == 0
    assert "next_assets" in result.out
    assert "all within 1e-09" in result.out


def test_replay_names_the_output_that_differs(smfg, parity: Path, tmp_path: Path) -> None:
    recorded = dict(np.load(parity / "paper_hsv_n10.npz"))
    recorded["wage"] = recorded["wage"] * (1 + 1e-6)
    np.savez(tmp_path / "altered.npz", **recorded)
    result = smfg("replay", tmp_path / "altered.npz")
    assert result.code == 1
    assert "beyond 1e-09 in wage" in result.out
    assert smfg("replay", tmp_path / "altered.npz", "--tolerance", "1e-5").code == 0


def test_data_check_sums_up_the_survey(smfg, shared: Path) -> None:
    result = smfg("data", "check", shared / "data" / "scfp2022.csv")
    assert result.code == 0
    line = next(line for line in result.out.splitlines() if "mean assets" in line)
    weighted, unweighted = (float(number.replace(",", "")) for number in re.findall(r"[\d,]+", line))
    assert weighted == pytest.approx(1.19e6, rel=0.01)
    assert unweighted == pytest.approx(20.3e6, rel=0.01)


def test_data_check_names_the_column_that_is_missing(smfg, tmp_path: Path) -> None:
    (tmp_path / "survey.csv").write_text("WGT,EDUC,INCOME\n1,12,50000\n")
    result = smfg("data", "check", tmp_path / "survey.csv")
    assert result.code == 2
    assert "column ASSET is missing" in result.err
