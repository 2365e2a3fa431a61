"""A run's folder, local or in a bucket, belongs to one process at a time."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from envs import InvalidSetting
from experiments.commands.main import app
from rllib_smfg.storage import owners
from rllib_smfg.storage.files import OWNER
from rllib_smfg.storage.owners import folder_taken, release, taken
from rllib_smfg.storage.places import Bucket, Place, mirror_of, private_folder

ROOT = Path(__file__).resolve().parents[2]
HOLDER = """
import sys
from contextlib import ExitStack
from pathlib import Path
from rllib_smfg.storage.owners import taken
from rllib_smfg.storage.places import Place
with taken(Place(Path(sys.argv[1]), *sys.argv[2:]), print):
    print("taken", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owners, "SETTLE", 0.0)


class Holder:
    """Another process that works in a folder."""

    def __init__(self, folder: Path, *bucket: str) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(folder), *bucket],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "taken\n"

    def end(self) -> None:
        self.process.communicate()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def hold() -> type[Holder]:
    return Holder


def refused(place: Path | str) -> str:
    """Why this process may not have a folder, in one line."""
    with pytest.raises(InvalidSetting, match="is in use by process") as error, folder_taken(Path(place), print):
        pass
    assert "\n" not in str(error.value)
    return str(error.value)


# --- on disk ---------------------------------------------------------------------------------------------------------
def test_a_folder_that_another_process_has_is_refused_until_it_ends(hold, tmp_path: Path) -> None:
    other = hold(tmp_path / "run")
    said = refused(tmp_path / "run")
    assert f"process {other.process.pid} on {os.uname().nodename}" in said
    assert f"smfg release {tmp_path / 'run'}" in said
    other.end()
    assert not (tmp_path / "run").exists(), "nothing was made in it"
    with folder_taken(tmp_path / "run", print):
        (tmp_path / "run" / "made").touch()
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["made"]


def test_what_a_killed_process_held_is_taken_over_with_a_word(hold, tmp_path: Path) -> None:
    other = hold(tmp_path / "run")
    other.kill()
    assert (tmp_path / "run" / OWNER).is_file()
    said: list[str] = []
    with folder_taken(tmp_path / "run", said.append):
        refused(tmp_path / "run")
    assert len(said) == 1
    assert f"taken over from process {other.process.pid} on " in said[0]


def test_another_host_s_lock_is_refused_and_can_be_released(tmp_path: Path, capsys) -> None:
    (tmp_path / OWNER).write_text("123\nanother-host\n1\n")
    said = refused(tmp_path)
    assert "process 123 on another-host" in said
    assert f"smfg release {tmp_path}" in said
    assert app(["release", str(tmp_path)], standalone_mode=False) == 0
    assert "released from process 123 on another-host" in " ".join(capsys.readouterr().out.split())
    with folder_taken(tmp_path, print):
        pass


def test_a_process_of_this_host_that_runs_is_not_released(hold, tmp_path: Path) -> None:
    other = hold(tmp_path / "run")
    with pytest.raises(InvalidSetting, match=f"process {other.process.pid} on .*, which runs"):
        release(str(tmp_path / "run"), print)
    other.end()
    release(str(tmp_path / "run"), print)


def test_a_run_within_a_grid_that_runs_and_the_grid_around_a_run_are_refused(hold, tmp_path: Path) -> None:
    for held, wanted in (("grid", "grid/trials/total"), ("grid/trials/total", "grid")):
        other = hold(tmp_path / held)
        refused(tmp_path / wanted)
        other.end()


def test_a_process_has_its_own_folders_within_each_other(tmp_path: Path) -> None:
    with folder_taken(tmp_path / "grid", print), folder_taken(tmp_path / "grid" / "trials", print):
        pass


def test_what_came_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    """The other run was planned and done between this one's plan and its start."""
    (tmp_path / "config.yaml").touch()
    with pytest.raises(InvalidSetting, match="exists and is not empty"), taken(Place(tmp_path), print):
        pass


def test_a_folder_that_cannot_be_written_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InvalidSetting, match="cannot be written"), folder_taken(tmp_path / "file" / "run", print):
        pass


# --- the commands ----------------------------------------------------------------------------------------------------
TRAIN = "game: {name: stage_game, followers: 4, games: 2}\n"
PLAN = "search: {base: BASE}\nspace: {algorithm: {leader_noise: {uniform: [0.1, 0.2]}}}\n"


def _commands(folder: Path) -> dict[str, list[str]]:
    (folder / "train.yaml").write_text(TRAIN)
    (folder / "tune.yaml").write_text(PLAN.replace("BASE", str(folder / "train.yaml")))
    return {
        "train": ["train", str(folder / "train.yaml")],
        "tune": ["tune", str(folder / "tune.yaml")],
        "grid": ["grid", "table1"],
        "pretrain": ["pretrain", "pretrain_survey"],
    }


@pytest.mark.parametrize("command", ["train", "tune", "grid", "pretrain"])
def test_every_command_that_makes_a_run_asks(command: str, hold, tmp_path: Path, capsys) -> None:
    run = tmp_path / "run"
    other = hold(run)
    assert app([*_commands(tmp_path)[command], "--output", str(run)], standalone_mode=False) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"is in use by process {other.process.pid}" in said
    other.end()


@pytest.mark.parametrize(("command", "file"), [("train", "config.yaml"), ("tune", "search.yaml")])
def test_so_does_resuming(command: str, file: str, hold, tmp_path: Path, capsys) -> None:
    run = tmp_path / "run"
    other = hold(run)
    (run / file).write_text((Path(_commands(tmp_path)[command][1])).read_text())
    assert app([command, "--resume", str(run)], standalone_mode=False) == 2
    assert f"is in use by process {other.process.pid}" in capsys.readouterr().err
    other.end()


# --- buckets ---------------------------------------------------------------------------------------------------------
def test_a_bucket_belongs_to_one_process(hold, tmp_path: Path) -> None:
    uri = f"file://{tmp_path}/bucket/run"
    other = hold(tmp_path / "there", uri)
    with (
        pytest.raises(InvalidSetting, match=f"{uri}: is in use by process {other.process.pid}"),
        taken(Place(tmp_path / "here", uri), print),
    ):
        pass
    assert not (tmp_path / "here").exists()
    other.kill()
    said: list[str] = []
    with taken(Place(tmp_path / "here", uri), said.append) as place:
        (place.folder / "file").write_text("x")
        place.push()
    assert f"{uri}: taken over from process {other.process.pid}" in said[0]
    assert [path.name for path in (tmp_path / "bucket/run").iterdir()] == ["file"]


def test_another_host_s_bucket_is_refused_and_can_be_released(tmp_path: Path) -> None:
    uri = f"file://{tmp_path}/bucket/run"
    Bucket(uri).write(OWNER, json.dumps({"process": 7, "host": "another-host", "folder": "/x", "token": "y"}).encode())
    with (
        pytest.raises(InvalidSetting, match=f"process 7 on another-host.*smfg release {uri}"),
        taken(Place(tmp_path / "here", uri), print),
    ):
        pass
    release(uri, print)
    with taken(Place(tmp_path / "here", uri), print):
        pass


def test_who_has_lost_a_bucket_writes_nothing_more(tmp_path: Path) -> None:
    from rllib_smfg.processes.interrupts import Stopped

    uri = f"file://{tmp_path}/bucket/run"
    with taken(Place(tmp_path / "here", uri), print) as place:
        Bucket(uri).write(OWNER, b"another's")
        (place.folder / "file").write_text("x")
        with pytest.raises(Stopped, match="was taken over by another process"):
            place.push()
    assert [path.name for path in (tmp_path / "bucket/run").iterdir()] == [OWNER]


def test_a_new_run_meets_nothing_of_an_earlier_one_of_its_name(tmp_path: Path) -> None:
    """Its bucket was emptied, or another endpoint's; what this machine still has may be the last copy and stays."""
    uri = f"file://{tmp_path}/bucket/{tmp_path.name}"
    said: list[str] = []
    for k in (1, 2):
        with taken(Place(mirror_of(uri), uri), said.append) as place:
            assert [path.name for path in place.folder.iterdir()] == [OWNER]
            (place.folder / "progress.csv").write_text(f"run {k}")
            place.push()
        shutil.rmtree(tmp_path / "bucket")
    (aside,) = private_folder().glob(f"{tmp_path.name}-*.left")
    assert (aside / "progress.csv").read_text() == "run 1"
    assert str(aside) in said[0]
    for path in (aside, mirror_of(uri)):
        shutil.rmtree(path)
