"""From stored trials to the table, the picture and the page; nothing is trained."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from bench_parts import failed, stored

from envs import InvalidSetting
from experiments.commands.main import app
from rllib_smfg.bench.summary import summed_up

TRIALS = [
    stored("structural", 11, 0.2, first=3.0),
    stored("structural", 12, 0.4, first=5.0),
    stored("structural", 13, 0.3, first=4.0),
    stored("iddpg", 11, 40.0),
    stored("iddpg", 12, None),
    failed("iddpg", 13),
]


def test_a_cell_is_the_median_and_the_worst_of_all_seeds() -> None:
    cell = summed_up(TRIALS).cells["stage_game", "structural"]
    assert cell.in_words == "0.3 / 0.4, 4 s"
    assert (cell.seeds, cell.within) == ((11, 12, 13), 3)


def test_who_fails_or_is_no_number_is_infinitely_far_and_stays() -> None:
    cell = summed_up(TRIALS).cells["stage_game", "iddpg"]
    assert cell.shares == (40.0, math.inf, math.inf)
    assert cell.failures == {13: "ValueError: no number"}
    assert cell.in_words == ">1000 / >1000, -, 1 failed"


def test_a_time_is_told_only_where_most_seeds_were_ever_within() -> None:
    some = [stored("smfrl", 11, 0.9, first=20.0), stored("smfrl", 12, 2.0), stored("smfrl", 13, 3.0)]
    assert summed_up(some).cells["stage_game", "smfrl"].in_words == "2 / 3, -"


def test_a_learner_of_which_every_seed_failed_keeps_its_row() -> None:
    summary = summed_up([stored("structural", 11, 0.2), failed("ppo", 11)])
    assert summary.learners == ["structural", "ppo"]
    assert summary.cells["stage_game", "ppo"].in_words == ">1000 / >1000, -, 1 failed"


def test_the_first_place_is_the_smallest_median() -> None:
    assert summed_up(TRIALS).first_place("stage_game") == "structural"


def test_a_page_that_lacks_seeds_says_which(tmp_path: Path) -> None:
    assert "It was stopped" not in page_of(tmp_path, TRIALS)
    assert "seed 11 is there in 1 of 2 cells." in page_of(tmp_path, TRIALS[1:])


def test_games_stand_in_the_order_of_their_solutions() -> None:
    games = ["calibrated", "static_hsv", "stage_game"]
    found = [stored("structural", 11, 0.2, game=game) for game in games]
    assert summed_up(found).games == ["stage_game", "static_hsv", "calibrated"]


def test_budgets_are_not_mixed() -> None:
    other = {**stored("smfrl", 11, 0.2), "cpu_seconds": 5.0}
    with pytest.raises(InvalidSetting, match="trials of different CPU times"):
        summed_up([*TRIALS, other])


def page_of(folder: Path, trials: list[dict[str, Any]]) -> str:
    path = folder / "bench.json"
    path.write_text(json.dumps({"trials": trials}))
    assert app(["bench", "--from", str(path)], standalone_mode=False) == 0
    return path.with_suffix(".md").read_text(encoding="utf-8")


def test_a_stored_file_makes_picture_and_page_without_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bench.json"
    path.write_text(json.dumps({"command": "smfg bench", "versions": {"python": "3.11"}, "trials": TRIALS}))
    assert app(["bench", "--from", str(path)], standalone_mode=False) == 0
    assert "0.3 / 0.4, 4 s" in capsys.readouterr().out
    page = path.with_suffix(".md").read_text(encoding="utf-8")
    assert "| `structural` | **0.3/0.4, 4 s** |" in page
    assert "stage_game, `iddpg`, seed 13: ValueError: no number" in page
    assert "seeds 11, 12, 13, 30 s of CPU each" in page
    assert "smfg bench stage_game --learners structural,iddpg --seeds 3 --cpu-seconds 30" in page
    assert path.with_suffix(".png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"trials": []}', '{"trials": [{"game": "x"}]}'])
def test_a_file_of_something_else_is_refused_in_a_line(
    tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "other.json"
    path.write_text(content)
    assert app(["bench", "--from", str(path)], standalone_mode=False) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("smfg: ")
    assert [each.name for each in tmp_path.iterdir()] == ["other.json"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["stage_game", "--cpu-seconds", "inf"], "--cpu-seconds inf: must be a number of seconds"),
        (
            ["--from", "x.json", "--seeds", "2"],
            "--seeds: says nothing beside --from x.json, which runs nothing; leave it out",
        ),
        (["stage_gam"], "game 'stage_gam' is not in the benchmark: did you mean 'stage_game'?"),
        (["stage_game", "--learners", "structural,ppp"], "unknown learner 'ppp': did you mean 'ppo'?"),
    ],
)
def test_what_cannot_be_run_is_a_line(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert app(["bench", *words], standalone_mode=False) == 2
    assert capsys.readouterr().err == f"smfg: {said}\n"
