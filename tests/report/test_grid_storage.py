"""`smfg grid --storage`: on a path that all nodes share, or mirrored in a bucket."""

from __future__ import annotations

import io
import shutil
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from rich.console import Console

from envs import InvalidSetting
from experiments.grid.run import grid_place, run
from experiments.report.make import run as report
from rllib_smfg.storage.places import Place

GRID = """
title: Tiny
shows: [table3]
groups:
  "N=20":
    set: [game.followers=20, game.games=2, game.horizon=5, training.iterations=2, evaluation.episodes=2,
          evaluation.final_episodes=2, evaluation.interval=1, training.checkpoint_interval=1]
    methods: {Rule-based: rule_based}
scales:
  quick: {groups: ["N=20"], seeds: [1, 2], episodes: 2}
  full: {groups: ["N=20"], seeds: [1, 2], episodes: 2}
"""


def grid(*arguments: object) -> tuple[int, str, str]:
    from experiments.commands.main import app

    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = app(["grid", *map(str, arguments)], standalone_mode=False)
    return code, out.getvalue(), err.getvalue()


def test_where_a_grid_is_kept(tmp_path: Path) -> None:
    assert grid_place("table3-quick", None, None) == Place(Path("runs/table3-quick"))
    assert grid_place("table3-quick", tmp_path / "x", None) == Place(tmp_path / "x")
    assert grid_place("table3-quick", None, str(tmp_path)) == Place(tmp_path / "table3-quick")
    bucket = f"file://{tmp_path}/bucket"
    assert grid_place("table3-quick", tmp_path / "mine", bucket) == Place(tmp_path / "mine", f"{bucket}/mine")
    assert grid_place("a-quick", None, f"{bucket}/").bucket == f"{bucket}/a-quick"


def test_what_cannot_be_used_is_refused_before_anything(tmp_path: Path) -> None:
    for storage, output, reason in (
        ("relative", None, "must be an absolute path"),
        ("nowhere://bucket", None, "cannot be used"),
        (str(tmp_path), tmp_path / "x", "give one of them"),
    ):
        with pytest.raises(InvalidSetting, match=reason):
            grid_place("table3-quick", output, storage)
    (tmp_path / "bucket" / "tiny").mkdir(parents=True)
    (tmp_path / "bucket" / "tiny" / "results.csv").write_text("")
    (tmp_path / "tiny.yaml").write_text(GRID)
    how = {"scale": "quick", "only": [], "output": tmp_path / "tiny", "resume": False, "command": "smfg grid tiny.yaml"}
    with pytest.raises(InvalidSetting, match=r"bucket/tiny: is there already; .*smfg grid tiny.yaml --resume"):
        run(Console(quiet=True), str(tmp_path / "tiny.yaml"), storage=f"file://{tmp_path}/bucket", report=report, **how)


@pytest.mark.slow
@pytest.mark.parametrize("bucket", [True, False])
def test_a_grid_is_kept_there_and_goes_on_from_there(bucket: bool, ray_local: None, tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(GRID)
    storage = f"file://{tmp_path}/kept" if bucket else str(tmp_path / "kept")
    arguments = [tmp_path / "tiny.yaml", "--storage", storage]
    if bucket:
        arguments += ["--output", tmp_path / "here" / "tiny-quick"]
    code, out, err = grid(*arguments)
    assert code == 0, err
    kept = tmp_path / "kept" / "tiny-quick"
    for name in ("results.csv", "report.html", "grid.yaml"):
        assert (kept / name).is_file()
    assert len(list(kept.glob("trials/*/seed_*/checkpoints/iteration_000002/manifest.json"))) == 2
    if bucket:  # on another machine
        shutil.rmtree(tmp_path / "here")
    (kept / "report.html").unlink()
    code, out, err = grid(*arguments, "--resume")
    assert code == 0, err
    assert "2 trials, 2 of them finished" in out
    assert (kept / "report.html").is_file()
