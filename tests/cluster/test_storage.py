"""--storage: shared paths and buckets, mirrors of a run, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from envs import InvalidSetting
from experiments.storage import Bucket, Place, new_or_resumed, refuse_unusable


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def checkpoint(folder: Path, content: str) -> None:
    folder.mkdir(parents=True)
    (folder / "weights").write_text(content)
    (folder / "manifest.json").write_text(json.dumps({"weights": content}))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run with two checkpoints, and one being written."""
    folder = tmp_path / "local" / "run"
    for iteration in (1, 2):
        checkpoint(folder / f"seed_1/checkpoints/iteration_{iteration:06d}", f"weights {iteration}")
    checkpoint(folder / "seed_1/checkpoints/.iteration_000003.7.tmp", "half")
    (folder / "config.yaml").write_text("game: {}")
    return folder


def whole(folder: Path) -> dict[str, bytes]:
    return {name: content for name, content in tree(folder).items() if "/." not in name}


# --- buckets ---------------------------------------------------------------------------------------------------------
def test_a_bucket_becomes_what_the_folder_is(run: Path, tmp_path: Path) -> None:
    bucket = Bucket(f"file://{tmp_path}/bucket/run")
    bucket.push(run, "")
    assert tree(tmp_path / "bucket" / "run") == whole(run)
    (run / "seed_1/checkpoints/iteration_000001").rename(tmp_path / "gone")
    (run / "config.yaml").write_text("game: {followers: 2}")
    checkpoint(run / "seed_1/checkpoints/iteration_000004", "weights 4")
    bucket.push(run, "")
    assert tree(tmp_path / "bucket" / "run") == whole(run)


def test_a_checkpoint_travels_once_and_again_where_it_has_changed(run: Path, tmp_path: Path) -> None:
    bucket, there = Bucket(f"file://{tmp_path}/bucket"), tmp_path / "bucket/run/seed_1/checkpoints"
    bucket.push(run, "run")
    marked = there / "iteration_000001" / "weights"
    marked.write_text("untouched")
    bucket.push(run, "run")
    assert marked.read_text() == "untouched"
    (run / "seed_1/checkpoints/iteration_000001/weights").write_text("weights X")
    (run / "seed_1/checkpoints/iteration_000001/manifest.json").write_text(json.dumps({"weights": "weights X"}))
    bucket.push(run, "run")
    assert marked.read_text() == "weights X"


def test_a_run_comes_back_from_the_bucket(run: Path, tmp_path: Path) -> None:
    Bucket(f"file://{tmp_path}/bucket").push(run, "run")
    Bucket(f"file://{tmp_path}/bucket").pull("run", tmp_path / "other")
    assert tree(tmp_path / "other") == whole(run)
    Bucket(f"file://{tmp_path}/bucket").pull("absent", tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


# --- what is refused -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("storage", ["runs", "./runs", "shared/runs", "s4://bucket/x", "ftp://host/x"])
def test_storage_that_not_all_nodes_find_is_refused_in_one_line(storage: str) -> None:
    with pytest.raises(InvalidSetting, match="absolute path that all nodes share, or a URI such as s3://") as error:
        refuse_unusable(storage)
    assert "\n" not in str(error.value)
    assert storage in str(error.value)


def test_storage_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidSetting, match="cannot be written"):
        refuse_unusable(str(tmp_path / "file" / "runs"))


def test_one_place_for_a_run(tmp_path: Path) -> None:
    assert new_or_resumed("name", tmp_path / "x", None, None) == Place(tmp_path / "x")
    shared = new_or_resumed("name", None, None, str(tmp_path))
    assert (shared.folder.parent, shared.bucket, shared.where) == (tmp_path, None, str(shared.folder))
    mirrored = new_or_resumed("name", tmp_path / "here", None, f"file://{tmp_path}/bucket/")
    assert mirrored == Place(tmp_path / "here", f"file://{tmp_path}/bucket/here")
    assert mirrored.where == mirrored.bucket
    for output, resume, storage in (
        (tmp_path, str(tmp_path), None),
        (None, str(tmp_path), str(tmp_path)),
        (tmp_path, None, str(tmp_path)),
    ):
        with pytest.raises(InvalidSetting, match="give one of them"):
            new_or_resumed("name", output, resume, storage)


def test_the_command_refuses_a_relative_storage(tmp_path: Path, monkeypatch) -> None:
    from experiments.cli import app

    monkeypatch.chdir(tmp_path)
    for command in (["train", "quickstart"], ["tune", "asha_smfrl"]):
        assert app([*command, "--storage", "runs"], standalone_mode=False) == 2
    assert not list(tmp_path.iterdir())


# --- training into a bucket ------------------------------------------------------------------------------------------
TINY = """
game: {name: stage_game, followers: 10, games: 4}
algorithm:
  {hidden: [8], years_per_iteration: 40, warm_up_years: 40, updates_per_iteration: 4, transitions_per_update: 16}
training: {iterations: 2, checkpoint_interval: 1, seeds: [1]}
evaluation: {interval: 1, episodes: 4, final_episodes: 4}
comparison: {baselines: []}
"""


@pytest.mark.slow
def test_a_run_is_trained_into_a_bucket_and_resumed_from_it_elsewhere(ray_local, tmp_path: Path, monkeypatch) -> None:
    from experiments.cli import app

    (tmp_path / "tiny.yaml").write_text(TINY)
    uri = f"file://{tmp_path}/bucket"
    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (here, there):
        folder.mkdir()
    monkeypatch.chdir(here)
    assert app(["train", str(tmp_path / "tiny.yaml"), "--storage", uri, "--output", "run"], standalone_mode=False) == 0
    assert tree(tmp_path / "bucket/run") == whole(here / "run")
    monkeypatch.chdir(there)
    longer = ["--set", "training.iterations=3"]
    assert app(["train", "--resume", f"{uri}/run", *longer], standalone_mode=False) == 0
    assert (tmp_path / "bucket/run/seed_1/checkpoints/iteration_000003/manifest.json").is_file()
    assert not (here / "run/seed_1/checkpoints/iteration_000003").exists()
