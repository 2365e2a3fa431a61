"""Damage of every kind is noticed, by the functions that `python -m tests.campaigns.faults` counts with."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest
from fault_parts import Watcher, tiny

from experiments.training.trainer import CHECKPOINTS, train_seed
from rllib_smfg.storage import checkpoints
from rllib_smfg.storage.checkpoints import MANIFEST
from tests.campaigns.faults import damaged
from tests.campaigns.faults.inputs import REFUSED, fate


@pytest.fixture(scope="module")
def made(ray_local: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two checkpoints and an export; not to be changed."""
    return damaged.make_checkpoints(tmp_path_factory.mktemp("made") / "run")


@pytest.mark.parametrize("kind", damaged.DAMAGES)
def test_no_damaged_checkpoint_or_export_is_loaded(kind: str, made: Path, tmp_path: Path) -> None:
    luck = random.Random(1)
    for number in range(4):
        for fate_of in (damaged.fate_of_checkpoint, damaged.fate_of_export):
            work = Path(shutil.copytree(made, tmp_path / f"{fate_of.__name__}_{number}"))
            assert fate_of(work, damaged.DAMAGES[kind], luck) == damaged.REFUSED


def test_what_nobody_damaged_is_loaded(made: Path) -> None:
    """Else refusing everything would pass."""
    assert checkpoints.latest(made / CHECKPOINTS) == checkpoints.path_of(made / CHECKPOINTS, 4)
    checkpoints.read_policies(checkpoints.path_of(made / CHECKPOINTS, 4))
    checkpoints.read_policies(made / "export")


def test_a_manifest_must_stand_as_it_was_written(made: Path, tmp_path: Path) -> None:
    path = Path(shutil.copytree(checkpoints.path_of(made / CHECKPOINTS, 4), tmp_path / "iteration_000004"))
    text = (path / MANIFEST).read_text()
    (path / MANIFEST).write_text(text.replace('"iteration": 4', '"iteration":  4'))
    with pytest.raises(ValueError, match="is damaged"):
        checkpoints.verify(path)


def test_a_damaged_checkpoint_is_set_aside_and_counts_no_more(made: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(made, tmp_path / "run"))
    (checkpoints.path_of(run / CHECKPOINTS, 4) / "config.yaml").write_text("")
    screen = Watcher()
    train_seed(tiny(iterations=4, checkpoint_interval=1, keep_checkpoints=1), 1, run, screen)
    assert "is damaged" in screen.notes[0]
    assert [row["iteration"] for row in screen.rows] == [3, 4]
    kept = sorted(path.name for path in (run / CHECKPOINTS).iterdir())
    assert kept[0] == "damaged_iteration_000004"
    assert kept[-1] == "iteration_000004"
    checkpoints.verify(checkpoints.path_of(run / CHECKPOINTS, 4))


def test_half_of_a_removed_checkpoint_never_stays_under_its_name(made: Path, tmp_path: Path, monkeypatch) -> None:
    folder = Path(shutil.copytree(made / CHECKPOINTS, tmp_path / CHECKPOINTS))

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", killed)
        patch.setattr(checkpoints, "best", lambda _: None)
        with pytest.raises(KeyboardInterrupt):
            checkpoints.keep_latest_and_best(folder, 1)
    assert [path.name for path in folder.glob("iteration_*")] == ["iteration_000004"]
    checkpoints.clear_leftovers(folder)
    assert [path.name for path in folder.iterdir()] == ["iteration_000004"]


@pytest.mark.parametrize(
    "arguments",
    ["train nowhere", "train quickstart --set game.followers=.nan", "export nowhere", "evaluate . --json used"],
)
def test_bad_input_is_recognised_as_refused(arguments: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "used").mkdir()
    assert fate(arguments.split()) == REFUSED


def test_what_is_no_bad_input_is_not_taken_for_one(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert fate(["solve", "stage_game"]) == "exit code 0"
    assert fate(["train", "quickstart"]).startswith("raised AssertionError")
