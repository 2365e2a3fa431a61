"""Weights & Biases gets what TensorBoard gets; what is missing is said before anything is trained."""

from __future__ import annotations

import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from envs import InvalidSetting
from experiments.configuration.loading import load_experiment
from experiments.training import wandb_log
from experiments.training.log import RunLog
from experiments.training.wandb_log import refuse_unusable_wandb
from rllib_smfg.economics.pictures import Look

BLOCK, HEADER = 32768, 7  # the log format of LevelDB, which their files have


def records(folder: Path) -> list[Any]:
    """What an offline run wrote, as their records, all starts of the run together."""
    from wandb.proto import wandb_internal_pb2

    found = []
    for file in sorted(folder.glob("wandb/offline-run-*/*.wandb")):
        content, place, parts = file.read_bytes(), HEADER, b""
        while place + HEADER <= len(content):
            left = BLOCK - place % BLOCK
            if left < HEADER:
                place += left
                continue
            size, kind = struct.unpack("<HB", content[place + 4 : place + HEADER])
            if kind == 0:
                break
            parts += content[place + HEADER : place + HEADER + size]
            place += HEADER + size
            if kind in (1, 4):
                record = wandb_internal_pb2.Record()
                record.ParseFromString(parts)
                found.append(record)
                parts = b""
    return found


def logged(folder: Path) -> list[dict[str, str]]:
    rows = [record.history.item for record in records(folder) if record.HasField("history")]
    return [{item.key or "/".join(item.nested_key): item.value_json for item in row} for row in rows]


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A person without a login."""
    for name in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_IDENTITY_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))


def some_look() -> Look:
    one = np.linspace(1.0, 2.0, 30)
    return Look(3, 1e4 * one, 1e4 * one, 0.3 * one, 1000 * one, 1e4 * one, 0.2 * one, 0.1 * one)


def test_offline_it_gets_what_tensorboard_gets(tmp_path: Path) -> None:
    folder = tmp_path / "run" / "seed_1"
    folder.mkdir(parents=True)
    names = ["iteration", "years", "economy/wage", "evaluation/years"]
    log = RunLog(folder, names, iteration=0, years=0, wandb="offline")
    log.add_settings({"seed": 1, "algorithm.method": "smfrl"}, ["evaluation/years"])
    log.add({"iteration": 1.0, "years": 10.0, "economy/wage": 2.5})
    log.add({"iteration": 2.0, "years": 20.0, "economy/wage": 3.5, "evaluation/years": 7.0})
    log.add_look(20, some_look())
    log.close()
    events = EventAccumulator(str(folder / "tensorboard"), size_guidance={"images": 0, "histograms": 0})
    events.Reload()
    tags = events.Tags()
    rows = logged(folder)
    known = {"_step", "_timestamp", "_runtime", "years"}
    seen = {name.split("/_type")[0] for row in rows for name in row} - known
    wanted = {*tags["scalars"], *tags["histograms"], *tags["images"]}
    assert {"economy/wage", "evaluation/years"} <= wanted
    assert wanted <= seen
    for name in tags["scalars"]:
        theirs = [(event.step, event.value) for event in events.Scalars(name)]
        ours = [(int(row["years"]), float(row[name])) for row in rows if name in row]
        assert ours == theirs
    configured = {item.key: item.value_json for record in records(folder) for item in record.config.update}
    configured |= {item.key: item.value_json for record in records(folder) for item in record.run.config.update}
    assert configured["algorithm.method"] == '"smfrl"'


def test_a_resumed_seed_goes_on_as_the_same_run(tmp_path: Path) -> None:
    for iteration in (1, 2):
        log = RunLog(tmp_path, ["iteration", "years", "a/b"], iteration=iteration - 1, years=0, wandb="offline")
        log.add({"iteration": float(iteration), "years": 10.0 * iteration, "a/b": float(iteration)})
        log.close()
    ids = {record.run.run_id for record in records(tmp_path) if record.HasField("run")}
    assert ids == {(tmp_path / wandb_log.ID).read_text()}
    assert sorted(row["a/b"] for row in logged(tmp_path)) == ["1", "2"]  # starts of one second have no order


@pytest.mark.parametrize("mode", ["offline", "disabled"])
def test_their_own_variable_counts(mode: str, nobody: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WANDB_MODE", mode)
    refuse_unusable_wandb(True)
    refuse_unusable_wandb("my-project")


def test_without_a_login_nothing_is_trained(
    nobody: None, smfg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wandb_log, "_logged_in", lambda: False)
    for wanted in ("true", "my-project"):
        result = smfg("train", "quickstart", "--set", f"training.wandb={wanted}", "--output", tmp_path / "run")
        assert result.code == 2
        assert result.err.startswith("smfg: training.wandb: not logged in to Weights & Biases; run `wandb login`")
        assert result.err.count("\n") == 1
        assert not (tmp_path / "run").exists()


def test_their_library_is_asked_for_the_login(nobody: None) -> None:
    assert wandb_log._logged_in() is False


def test_without_the_library_nothing_is_trained(smfg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    monkeypatch.setattr(wandb_log, "find_spec", lambda name: None)
    for wanted in ("true", "offline"):
        for command in (("train", "quickstart", "--set"), ("tune", "asha_smfrl", "--set")):
            name = "training.wandb" if command[0] == "train" else "changes.training.wandb"
            result = smfg(*command, f"{name}={wanted}", "--output", tmp_path / "run")
            assert result.code == 2
            assert "Weights & Biases is not installed; pip install 'rllib-smfg[wandb]'" in result.err
            assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("wanted", ["''", "a/b", "a:b", "1", "[a]"])
def test_what_is_no_project_is_refused(wanted: str) -> None:
    with pytest.raises(InvalidSetting, match=r"training\.wandb"):
        load_experiment("quickstart", [f"training.wandb={wanted}"]).algorithm_config(1)


def test_nothing_is_imported_where_nothing_is_asked() -> None:
    assert load_experiment("quickstart").training.wandb is False
    refuse_unusable_wandb(False)


def test_a_training_leaves_an_offline_run(ray_local: None, tiny: Path, smfg, tmp_path: Path) -> None:
    result = smfg("train", tiny, "--set", "training.wandb=offline", "--output", tmp_path / "run")
    assert result.code == 0, result.err
    rows = logged(tmp_path / "run" / "seed_1")
    assert sum("evaluation/leader_return" in row for row in rows) == 2
    assert sum("losses/leader_critic" in row for row in rows) >= 3
