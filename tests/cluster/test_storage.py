"""--storage: shared paths and buckets, mirrors of a run, and what is refused."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from pyarrow.fs import FileSelector

from envs import InvalidSetting
from rllib_smfg.storage.mirrors import Mirror
from rllib_smfg.storage.ownership import TRUSTED, refuse_strangers_files
from rllib_smfg.storage.places import Bucket, Place, join, mirror_of, new_or_resumed, private_folder, refuse_unusable


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
    return {name: content for name, content in tree(folder).items() if "/." not in f"/{name}"}


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
    assert whole(tmp_path / "other") == whole(run)
    Bucket(f"file://{tmp_path}/bucket").pull("absent", tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


def test_push_removes_only_what_this_run_wrote(run: Path, tmp_path: Path) -> None:
    bucket, there = Bucket(f"file://{tmp_path}/bucket/run"), tmp_path / "bucket/run"
    foreign = there / "seed_1/checkpoints/iteration_000001/notes.txt"
    foreign.parent.mkdir(parents=True)
    foreign.write_text("somebody else's")
    bucket.push(run, "")
    shutil.rmtree(run / "seed_1/checkpoints/iteration_000001")
    shutil.rmtree(run / "seed_1/checkpoints/iteration_000002")
    bucket.push(run, "")
    assert tree(there) == {**whole(run), foreign.relative_to(there).as_posix(): b"somebody else's"}
    assert not (there / "seed_1/checkpoints/iteration_000002").exists(), "its empty folder would look like damage"


def test_what_was_pulled_is_this_run_s_and_goes_with_it(run: Path, tmp_path: Path) -> None:
    """A run resumed elsewhere prunes checkpoints that its former process had pushed."""
    Bucket(f"file://{tmp_path}/bucket").push(run, "run")
    bucket, other = Bucket(f"file://{tmp_path}/bucket"), tmp_path / "other"
    (other / "stale").mkdir(parents=True)
    (other / "stale" / "left").write_text("from an earlier run of this name")
    bucket.pull("run", other, exact=True)
    assert whole(other) == whole(run)
    shutil.rmtree(other / "seed_1/checkpoints/iteration_000001")
    bucket.push(other, "run")
    assert tree(tmp_path / "bucket/run") == whole(other)


def test_a_trial_on_another_node_goes_on_from_whoever_has_come_further(run: Path, tmp_path: Path) -> None:
    """The seed's folder here had iterations 1 and 2; another node has trained on to 3, and was lost."""
    uri, seed = f"file://{tmp_path}/bucket", run / "seed_1"
    Bucket(uri).push(seed, "trial_00000/seed_1")
    elsewhere = tmp_path / "elsewhere" / "seed_1"
    Mirror(elsewhere, uri, "trial_00000/seed_1").fetch()
    assert whole(elsewhere) == whole(seed)
    checkpoint(elsewhere / "checkpoints/iteration_000003", "weights 3")
    shutil.rmtree(elsewhere / "checkpoints/iteration_000001")
    Mirror(elsewhere, uri, "trial_00000/seed_1").update()
    Mirror(seed, uri, "trial_00000/seed_1").fetch()
    assert whole(seed) == whole(elsewhere)
    checkpoint(seed / "checkpoints/iteration_000005", "weights 5")
    Mirror(seed, uri, "trial_00000/seed_1").fetch()
    assert (seed / "checkpoints/iteration_000005").is_dir(), "what is here has come further than the bucket"


@pytest.mark.slow
def test_a_server_that_speaks_s3_is_named_by_the_environment_or_by_the_uri(
    s3: dict[str, str], run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in s3.items():
        monkeypatch.setenv(name, value)
    by_environment = f"s3://runs/{tmp_path.name}"
    refuse_unusable(by_environment)
    Bucket(by_environment).push(run, "run")
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    host = s3["AWS_ENDPOINT_URL"].removeprefix("http://")
    by_query = f"{by_environment}?endpoint_override={host}&scheme=http"
    shutil.rmtree(run / "seed_1/checkpoints/iteration_000001")
    Bucket(join(by_query, "run")).push(run, "")
    Bucket(join(by_query, "run")).pull("", tmp_path / "other")
    assert whole(tmp_path / "other") == whole(run)
    listed = Bucket(by_query)._files.get_file_info(FileSelector(f"runs/{tmp_path.name}", recursive=True))
    assert not [each.path for each in listed if "iteration_000001" in each.path], "no empty key is left"
    with pytest.raises(
        InvalidSetting, match=f"exists and is not empty; .* --resume {re.escape(join(by_query, 'run'))}"
    ):
        new_or_resumed("", Path("run"), None, by_query)


def test_the_query_of_a_uri_stays_behind_its_folders() -> None:
    uri = "s3://bucket/runs/?endpoint_override=127.0.0.1:9000&scheme=http"
    assert join(uri, "a", "b") == "s3://bucket/runs/a/b?endpoint_override=127.0.0.1:9000&scheme=http"
    assert join(uri) == "s3://bucket/runs?endpoint_override=127.0.0.1:9000&scheme=http"
    assert join("file:///x/", "a") == "file:///x/a"
    place = new_or_resumed("", None, uri, None)
    assert place.where == join(uri)
    assert place.folder.name.startswith("runs-")


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
    from experiments.commands.main import app

    monkeypatch.chdir(tmp_path)
    for command in (["train", "quickstart"], ["tune", "asha_smfrl"]):
        assert app([*command, "--storage", "runs"], standalone_mode=False) == 2
    assert not list(tmp_path.iterdir())


def test_a_name_that_a_bucket_has_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bucket/name").mkdir(parents=True)
    (tmp_path / "bucket/name/config.yaml").write_text("game: {}")
    uri = f"file://{tmp_path}/bucket"
    with pytest.raises(InvalidSetting, match=f"{uri}/name: exists and is not empty; .* --resume {uri}/name"):
        new_or_resumed("", tmp_path / "name", None, uri)


def test_default_names_never_collide() -> None:
    names = {new_or_resumed("quickstart", None, None, None).folder.name for _ in range(200)}
    assert len(names) == 200


# --- whom to trust ---------------------------------------------------------------------------------------------------
def test_below_a_folder_that_is_open_to_all_a_bucket_s_likeness_is_kept_elsewhere(tmp_path: Path) -> None:
    """As the working directory of a Ray job, from which a checkpoint could never be resumed."""
    (tmp_path / "job").mkdir()
    (tmp_path / "job").chmod(0o777)
    place = new_or_resumed("", tmp_path / "job" / "run", None, f"file://{tmp_path}/bucket")
    assert place.folder == mirror_of(f"file://{tmp_path}/bucket/run")
    assert place.mirrors
    assert place.folder.parent == private_folder()
    assert private_folder().stat().st_mode & 0o777 == 0o700


def test_a_private_folder_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    private_folder().chmod(0o755)
    with pytest.raises(InvalidSetting, match=r"nobody else can open .*TMPDIR"):
        private_folder()


def test_for_a_mount_that_is_open_to_all_the_user_vouches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mount = tmp_path / "mount"
    checkpoint(mount / "run", "weights")
    mount.chmod(0o777)
    (mount / "run" / "weights").chmod(0o666)
    with pytest.raises(InvalidSetting, match=f"{mount}: is writable for everybody.*{TRUSTED}"):
        refuse_strangers_files(mount / "run")
    monkeypatch.setenv(TRUSTED, f"/elsewhere:{mount}")
    refuse_strangers_files(mount / "run")
    (mount / "run" / "link").symlink_to(mount / "run" / "weights")
    with pytest.raises(InvalidSetting, match="is a link"):
        refuse_strangers_files(mount / "run")
    for wrong in ("mount", "/"):
        monkeypatch.setenv(TRUSTED, wrong)
        with pytest.raises(InvalidSetting, match=f"{TRUSTED}: {wrong}: must be the absolute path of a mount"):
            refuse_strangers_files(mount / "run")


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
    from experiments.commands.main import app

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
