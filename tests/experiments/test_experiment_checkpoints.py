"""Checkpoints and files: whole, or refused with the name of what is damaged."""

from __future__ import annotations

import json
import math
import pickle
import random
import shutil
from pathlib import Path

import pytest

from envs import InvalidSetting
from experiments.configuration.loading import dump, load_experiment
from rllib_smfg.storage import checkpoints
from rllib_smfg.storage.checkpoints import Progress
from rllib_smfg.storage.files import refuse_overwriting, write_json, write_text, written_folder

LAST = Path("seed_1/checkpoints/iteration_000004")
FILES = ("policies/leader.safetensors", "policies/policy.json", "rllib/algorithm_state.pkl", "config.yaml")


class FakeAlgorithm:
    """Saves a line instead of a training state, and trained policies."""

    def __init__(self, policies) -> None:
        self.policies = policies

    def save_to_path(self, path: str) -> None:
        Path(path).mkdir()
        (Path(path) / "algorithm_state.pkl").write_bytes(b"state")

    def trained_policies(self):
        return self.policies


@pytest.fixture
def save(finished_run: Path, tiny: Path, tmp_path: Path):
    """Saves a checkpoint of an iteration whose evaluation gave the leader so much; None: it was not evaluated."""
    algorithm = FakeAlgorithm(checkpoints.read_policies(finished_run / LAST))

    def save_one(iteration: int, leader_return: float | None = None) -> Path:
        evaluation = {} if leader_return is None else {"leader_return": leader_return}
        progress = Progress(1, iteration, 80 * iteration, 0.5, evaluation)
        return checkpoints.save(tmp_path, algorithm, dump(load_experiment(tiny)), progress)

    return save_one


def flip_a_bit(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place % len(content)] ^= 1 << (place % 8)
    path.write_bytes(bytes(content))


# --- damage ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
def test_a_truncated_file_is_named(name: str, copied_run: Path, smfg) -> None:
    file = copied_run / LAST / name
    file.write_bytes(file.read_bytes()[:-7])
    with pytest.raises(InvalidSetting, match=f"{file}: is damaged"):
        checkpoints.verify(copied_run / LAST)
    result = smfg("evaluate", copied_run / LAST)
    assert (result.code, result.out) == (2, "")
    assert result.err.count("\n") == 1
    assert str(file) in result.err


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(name: str, copied_run: Path, smfg) -> None:
    (copied_run / LAST / name).unlink()
    result = smfg("evaluate", copied_run / LAST)
    assert result.code == 2
    assert f"{copied_run / LAST / name}: is missing" in result.err


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
def test_no_flipped_bit_passes(name: str, copied_run: Path) -> None:
    file = copied_run / LAST / name
    whole, places = file.read_bytes(), random.Random(0)
    for _ in range(40):
        flip_a_bit(file, places.randrange(8 * len(whole)))
        with pytest.raises(InvalidSetting, match=f"{file}"):
            checkpoints.verify(copied_run / LAST)
        file.write_bytes(whole)
    checkpoints.verify(copied_run / LAST)


def test_a_folder_without_manifest_is_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="is not a checkpoint"):
        checkpoints.read_policies(tmp_path)


# --- which one -------------------------------------------------------------------------------------------------------
def test_the_latest_whole_checkpoint_is_found_and_the_damage_told(save, tmp_path: Path) -> None:
    first, second = save(2), save(4)
    assert checkpoints.latest(tmp_path) == second
    flip_a_bit(second / "policies" / "policy.json", 100)
    said: list[str] = []
    assert checkpoints.latest(tmp_path, said.append) == first
    assert len(said) == 1
    assert "iteration_000004" in said[0]


def test_a_run_whose_checkpoints_are_all_damaged_does_not_start_from_nothing(save, tmp_path: Path) -> None:
    for path in (save(2), save(4)):
        flip_a_bit(path / "policies" / "policy.json", 100)
    with pytest.raises(InvalidSetting, match="is damaged"):
        checkpoints.latest(tmp_path)
    assert checkpoints.latest(tmp_path / "none") is None


def test_the_latest_and_the_best_are_kept(save, tmp_path: Path) -> None:
    returns = {2: 1.0, 4: 9.0, 6: 3.0, 8: 4.0, 10: None}
    for iteration, leader_return in returns.items():
        save(iteration, leader_return)
        checkpoints.keep_latest_and_best(tmp_path, 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "iteration_000004",
        "iteration_000008",
        "iteration_000010",
    ]
    assert checkpoints.best(tmp_path) == tmp_path / "iteration_000004"


def test_a_run_of_several_seeds_must_say_which(finished_run: Path, tmp_path: Path) -> None:
    for seed in (1, 2):
        shutil.copytree(finished_run / "seed_1", tmp_path / f"seed_{seed}")
    with pytest.raises(InvalidSetting, match="holds 2 seeds; name one of them"):
        checkpoints.find(tmp_path)
    assert checkpoints.find(tmp_path / "seed_2") == tmp_path / "seed_2" / "checkpoints" / LAST.name
    assert checkpoints.find(finished_run) == finished_run / LAST


# --- strays, order, numbers that are none ----------------------------------------------------------------------------
STRAYS = (".DS_Store", "._manifest.json", "Thumbs.db", "rllib/.nfs000000000a1b2c3d00000001", "policies/@eaDir/x.json")


@pytest.mark.parametrize("name", STRAYS)
def test_what_an_operating_system_left_is_no_damage(name: str, save, tmp_path: Path) -> None:
    path = save(2)
    (path / name).parent.mkdir(exist_ok=True)
    (path / name).write_bytes(b"x")
    checkpoints.verify(path)
    assert checkpoints.find(tmp_path) == path
    (path / "rllib" / "mine").write_bytes(b"x")
    with pytest.raises(InvalidSetting, match="mine: does not belong"):
        checkpoints.verify(path)


@pytest.mark.parametrize("command", ["evaluate", "export", "schedule"])
def test_what_scores_takes_no_older_checkpoint_without_a_word(command: str, copied_run: Path, tmp_path, smfg) -> None:
    """The run's latest is damaged: an older one is scored only where it is named."""
    flip_a_bit(copied_run / LAST / "policies" / "policy.json", 100)
    result = (
        smfg(command, copied_run, "--output", tmp_path / "new") if command == "export" else smfg(command, copied_run)
    )
    assert result.code == 2
    assert result.err.count("\n") == 1
    assert f"{LAST.name}/policies/policy.json: is damaged" in result.err
    assert "iteration_000002" in result.err


def test_checkpoints_are_ordered_by_number(save, tmp_path: Path) -> None:
    for iteration in (999_998, 999_999, 1_000_000):
        save(iteration)
        checkpoints.keep_latest_and_best(tmp_path, 2)
    assert {path.name for path in tmp_path.iterdir()} == {"iteration_999999", "iteration_1000000"}
    assert checkpoints.latest(tmp_path) == checkpoints.find(tmp_path) == tmp_path / "iteration_1000000"
    checkpoints.adopt(shutil.copytree(tmp_path / "iteration_999999", tmp_path.parent / "other"), tmp_path)
    assert checkpoints.latest(tmp_path) == tmp_path / "iteration_999999"


def test_copies_beside_checkpoints_and_seeds_are_none(save, tmp_path: Path) -> None:
    path = save(4)
    for name in ("iteration_000006 copy", "iteration_000008.bak"):
        shutil.copytree(path, tmp_path / name)
    (tmp_path / "iteration_000010").mkdir()  # what a bucket keeps of a folder whose files are gone
    assert checkpoints.latest(tmp_path) == checkpoints.find(tmp_path) == path
    for name in ("seed_2", "seed_10", "seed_1 copy", "seed_1.bak", "seed_x"):
        (tmp_path / "run" / name).mkdir(parents=True)
    assert [each.name for each in checkpoints.seed_folders(tmp_path / "run")] == ["seed_2", "seed_10"]


def test_what_is_no_number_is_never_best_and_stands_as_null(save, tmp_path: Path) -> None:
    for iteration, leader_return in {2: float("nan"), 4: -5.0, 6: float("nan")}.items():
        path = save(iteration, leader_return)
    assert checkpoints.best(tmp_path) == tmp_path / "iteration_000004"
    text = (path / "manifest.json").read_text()
    assert "NaN" not in text
    assert json.loads(text)["evaluation"] == {"leader_return": None}
    assert math.isnan(checkpoints.read_progress(path).evaluation["leader_return"])
    checkpoints.verify(path)


def test_checkpoints_between_the_regular_ones_do_not_drive_those_out(save, tmp_path: Path) -> None:
    for iteration in range(1, 8):
        save(iteration)
        checkpoints.keep_latest_and_best(tmp_path, 2, 3)
    assert {path.name for path in tmp_path.iterdir()} == {"iteration_000003", "iteration_000006", "iteration_000007"}


def test_what_was_half_removed_from_a_bucket_goes(save, tmp_path: Path) -> None:
    (save(2) / "manifest.json").unlink()
    save(4)
    checkpoints.keep_latest_and_best(tmp_path, 2)
    assert [path.name for path in tmp_path.iterdir()] == ["iteration_000004"]


# --- writing ---------------------------------------------------------------------------------------------------------
def test_a_checkpoint_that_was_not_finished_is_never_seen(save, tmp_path: Path, monkeypatch) -> None:
    save(2)

    def disk_full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints, "_manifest", disk_full)
    with pytest.raises(OSError, match="No space left"):
        save(4)
    assert [path.name for path in tmp_path.iterdir()] == ["iteration_000002"]


def test_what_a_killed_process_left_is_cleared(save, tmp_path: Path) -> None:
    whole = save(2)
    shutil.copytree(whole, tmp_path / ".iteration_000004.123.tmp")
    assert checkpoints.latest(tmp_path) == whole
    checkpoints.clear_leftovers(tmp_path)
    assert list(tmp_path.iterdir()) == [whole]


def test_a_checkpoint_of_the_same_iteration_is_replaced(save, tmp_path: Path) -> None:
    flip_a_bit(save(2) / "config.yaml", 3)
    again = save(2, 5.0)
    assert checkpoints.read_progress(again).evaluation == {"leader_return": 5.0}
    assert checkpoints.latest(tmp_path) == again
    assert list(tmp_path.iterdir()) == [again]


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    def fill(target: Path, fail: bool) -> None:
        with written_folder(target) as beside:
            (beside / "a.txt").write_text("a")
            assert not (target / "a.txt").exists()
            if fail:
                raise RuntimeError("stop")

    with pytest.raises(RuntimeError):
        fill(tmp_path / "made", fail=True)
    assert list(tmp_path.iterdir()) == []
    fill(tmp_path / "made", fail=False)
    assert [path.name for path in tmp_path.iterdir()] == ["made"]
    assert (tmp_path / "made" / "a.txt").read_text() == "a"


def test_a_file_keeps_its_old_content_until_the_new_is_whole(tmp_path: Path, monkeypatch) -> None:
    write_text(tmp_path / "file", "old")

    def fail(self: Path, *_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_text(tmp_path / "file", "new")
    assert (tmp_path / "file").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_json_has_null_for_what_is_no_number(tmp_path: Path) -> None:
    write_json(tmp_path / "x.json", {"a": [float("nan"), 1.0], "b": float("inf")})
    assert (tmp_path / "x.json").read_text().split() == ["{", '"a":', "[", "null,", "1.0", "],", '"b":', "null", "}"]


def test_a_folder_in_use_is_not_written_to(tmp_path: Path) -> None:
    refuse_overwriting(tmp_path)
    refuse_overwriting(tmp_path / "new")
    (tmp_path / "file").write_text("mine")
    for path in (tmp_path, tmp_path / "file"):
        with pytest.raises(InvalidSetting, match="--output"):
            refuse_overwriting(path)


# --- pickles ---------------------------------------------------------------------------------------------------------
class Payload:
    """Touches a file when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self):
        return (Path.touch, (self.target,))


def test_evaluating_a_stranger_s_checkpoint_runs_none_of_his_code(
    finished_run: Path, tiny: Path, tmp_path: Path, smfg
) -> None:
    hit = tmp_path / "hit"

    class Hostile(FakeAlgorithm):
        def save_to_path(self, path: str) -> None:
            Path(path).mkdir()
            for name in ("algorithm_state.pkl", "class_and_ctor_args.pkl"):
                (Path(path) / name).write_bytes(pickle.dumps(Payload(hit)))

    hostile = Hostile(checkpoints.read_policies(finished_run / LAST))
    path = checkpoints.save(tmp_path, hostile, dump(load_experiment(tiny)), Progress(1, 2, 160, 0.5, {}))
    assert smfg("evaluate", path).code == 0
    assert not hit.exists()
    pickle.loads((path / "rllib" / "algorithm_state.pkl").read_bytes())
    assert hit.exists()


def test_training_resumes_only_from_the_user_s_own_files(finished_run: Path, monkeypatch) -> None:
    class NeverRestored:
        def restore_from_path(self, path: str) -> None:
            raise AssertionError("read a stranger's pickles")

    monkeypatch.setattr("os.getuid", lambda: 12345)
    with pytest.raises(InvalidSetting, match="belongs to another user"):
        checkpoints.restore(finished_run / LAST, NeverRestored())
