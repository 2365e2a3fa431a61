"""Checkpoints that are whole or refused: each file is named in a manifest with its size and SHA-256.

checkpoints/iteration_000040/
    policies/       both actors as safetensors and JSON: enough to evaluate, nothing is unpickled
    rllib/          RLlib's state for going on; holds pickles, so it is read only from the user's own folders
    config.yaml     the experiment
    manifest.json   written last
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from envs import InvalidSetting
from policies.checksums import CHECKSUMS
from rllib_smfg.export import POLICY_FILE, TrainedPolicies, load_policies, read_verified, save_policies
from rllib_smfg.storage.files import copy_folder, finite, is_stray, unused, write_text, written_folder
from rllib_smfg.storage.ownership import refuse_strangers_files

if TYPE_CHECKING:
    from rllib_smfg.rllib.smfrl import SMFRL

MANIFEST, CONFIG, POLICIES, STATE = "manifest.json", "config.yaml", "policies", "rllib"
ERROR = "error.txt"  # in a seed's folder: the traceback of what ended it
CHECKPOINTS = "checkpoints"  # where a seed's folder has them
FORMAT = "rllib-smfg checkpoint 1"
NAME, SEED = re.compile(r"iteration_(\d+)"), re.compile(r"seed_(\d+)")


@dataclass(frozen=True)
class Progress:
    """Where training stood: iterations done, years played, seconds spent, and the latest evaluation (may be empty)."""

    seed: int
    iteration: int
    years: int
    seconds: float
    evaluation: dict[str, float]


# --- writing ---------------------------------------------------------------------------------------------------------
def save(folder: Path, algorithm: SMFRL, configuration: str, progress: Progress) -> Path:
    """Adds a checkpoint to a seed's `checkpoints` folder; returns where it is. configuration: in YAML."""
    target = path_of(folder, progress.iteration)
    with written_folder(target) as beside:
        algorithm.save_to_path(str((beside / STATE).resolve()))
        (beside / POLICIES).mkdir()
        save_policies(algorithm.trained_policies(), beside / POLICIES)
        write_text(beside / CONFIG, configuration)
        write_text(beside / MANIFEST, _manifest(beside, progress))
    return target


def adopt(checkpoint: Path, folder: Path) -> Path:
    """Makes another run's checkpoint the latest of a seed's `checkpoints` folder: later ones go.

    Raises InvalidSetting, before anything is changed, if it is damaged.
    """
    iteration = verify(checkpoint)["iteration"]
    target = path_of(folder, iteration)
    copy_folder(checkpoint, target)
    for path in _all(folder):
        if iteration_of(path) > iteration:
            shutil.rmtree(path)
    return target


def whole(folder: Path) -> list[Path]:
    """The checkpoints of a seed that have a manifest, by their number; what it says is not checked."""
    return [path for path in _all(folder) if (path / MANIFEST).is_file()]


def keep_latest_and_best(folder: Path, keep: int, interval: int = 1) -> None:
    """Removes all checkpoints but the latest, the latest `keep` of every `interval`, and the best for the leader.

    What has no manifest, as where a bucket's checkpoint was being removed by a process that was killed, goes as well.
    """
    found = whole(folder)
    regular = [path for path in found if iteration_of(path) % interval == 0]
    kept = {*found[-1:], *regular[-keep:], best(folder)}
    for path in _all(folder):
        if path not in kept:
            _remove(path)


def clear_leftovers(folder: Path) -> None:
    """Removes what a killed process left half-written or half-removed."""
    for path in folder.glob(".iteration_*.tmp"):
        shutil.rmtree(path, ignore_errors=True)


def set_aside_damaged(folder: Path, start: Path | None) -> None:
    """Renames what is later than `start`, the latest whole checkpoint, so that it counts as no checkpoint any more."""
    for path in _all(folder):
        if start is not None and iteration_of(path) > iteration_of(start):
            path.rename(unused(path.with_name(f"damaged_{path.name}")))


def _remove(path: Path) -> None:
    """Removes a checkpoint so that a process killed meanwhile leaves no half of it under its name."""
    gone = path.with_name(f".{path.name}.{os.getpid()}.old.tmp")
    path.rename(gone)
    shutil.rmtree(gone)


def _manifest(folder: Path, progress: Progress) -> str:
    files = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            files[path.relative_to(folder).as_posix()] = {"bytes": path.stat().st_size, "sha256": _sha256(path)}
    content = {"format": FORMAT, **finite(asdict(progress)), "files": files}
    return _text({**content, "sha256": _sum(content)})


def path_of(folder: Path, iteration: int) -> Path:
    """Where the checkpoint of an iteration is, if there is one."""
    return folder / f"iteration_{iteration:06d}"


# --- finding ---------------------------------------------------------------------------------------------------------
def latest(folder: Path, say: Callable[[str], None] | None = None) -> Path | None:
    """The latest checkpoint of a seed that is whole; None where there is none at all.

    `say` hears of later ones that are damaged. Raises InvalidSetting where all are damaged.
    """
    found = _all(folder)
    for path in reversed(found):
        try:
            verify(path)
        except InvalidSetting as damage:
            if path == found[0]:
                raise InvalidSetting(f"{damage} (none of {len(found)} checkpoints is whole)") from None
            if say is not None:
                say(f"{damage} (going on from the one before)")
            continue
        return path
    return None


def best(folder: Path) -> Path | None:
    """The checkpoint whose evaluation gave the leader the largest return; None where none was evaluated.

    An evaluation that is no number is none.
    """
    evaluated = {}
    for path in _all(folder):
        try:
            leader_return = read_progress(path).evaluation.get("leader_return", math.nan)
        except InvalidSetting:
            continue
        if not math.isnan(leader_return):
            evaluated[path] = leader_return
    return max(evaluated, key=lambda path: evaluated[path]) if evaluated else None


def find(path: Path) -> Path:
    """The checkpoint or exported policies meant by `path`: itself, or the latest of a run of one seed.

    Raises InvalidSetting where there is none, or more than one, or where the latest is damaged: what is scored is what
    was trained last, or what the caller names.
    """
    if not path.exists():
        raise InvalidSetting(f"{path}: no such folder; name a checkpoint, exported policies, or a run's folder")
    if (path / MANIFEST).is_file() or _is_export(path):
        return path
    seeds = seed_folders(path) or [path]
    if len(seeds) > 1:
        raise InvalidSetting(f"{path}: holds {len(seeds)} seeds; name one of them, for example {seeds[0]}")
    found = _all(seeds[0] / CHECKPOINTS if (seeds[0] / CHECKPOINTS).is_dir() else seeds[0])
    if not found:
        raise InvalidSetting(f"{path}: holds no checkpoint ({MANIFEST} is missing)")
    try:
        verify(found[-1])
    except InvalidSetting as damage:
        earlier = f"; to take the one before, name it: {found[-2]}" if len(found) > 1 else ""
        raise InvalidSetting(f"{damage} (it is the latest of {path}{earlier})") from None
    return found[-1]


def seed_folder(run: Path, seed: int) -> Path:
    """Where a run keeps what belongs to one seed."""
    return run / f"seed_{seed}"


def seed_folders(run: Path) -> list[Path]:
    """The folders of a run's seeds, in their order; none where `run` is something else."""
    return _numbered(run.glob("seed_*"), SEED)


def iteration_of(path: Path) -> int:
    """The iteration that a checkpoint's name tells."""
    return int(path.name.removeprefix("iteration_"))


def _all(folder: Path) -> list[Path]:
    """The checkpoints of a folder by their number; a folder without any file, as buckets keep them, is none."""
    return [path for path in _numbered(folder.glob("iteration_*"), NAME) if _files(path)]


def _numbered(paths: Iterable[Path], name: re.Pattern[str]) -> list[Path]:
    """Folders whose whole name is `name`, in the order of the number in it: copies beside them are none."""
    found = {path: match for path in paths if (match := name.fullmatch(path.name)) and path.is_dir()}
    return sorted(found, key=lambda path: int(found[path].group(1)))


def _files(path: Path) -> list[Path]:
    """All files of a checkpoint, without what an operating system left between them."""
    return [each for each in sorted(path.rglob("*")) if not each.is_dir() and not is_stray(each.relative_to(path))]


# --- reading ---------------------------------------------------------------------------------------------------------
def verify(path: Path) -> dict[str, Any]:
    """The manifest of a checkpoint whose files are all as written; raises InvalidSetting that names one that is not."""
    manifest = _read_manifest(path)
    for name, written in manifest["files"].items():
        file = path / name
        if not file.is_file():
            raise InvalidSetting(f"{file}: is missing; the checkpoint is incomplete, use an earlier one")
        if file.stat().st_size != written["bytes"]:
            size = file.stat().st_size
            raise InvalidSetting(
                f"{file}: is damaged ({size} bytes, not {written['bytes']}); use an earlier checkpoint"
            )
        if _sha256(file) != written["sha256"]:
            raise InvalidSetting(f"{file}: is damaged (its SHA-256 is not the recorded one); use an earlier checkpoint")
    _refuse_others(path, manifest["files"])
    return manifest


def _refuse_others(path: Path, files: dict[str, Any]) -> None:
    """Raises InvalidSetting for a file that was not there when the checkpoint was written."""
    for file in _files(path):
        name = file.relative_to(path).as_posix()
        if name != MANIFEST and name not in files:
            raise InvalidSetting(f"{file}: does not belong to the checkpoint ({MANIFEST} does not list it); remove it")


def read_progress(path: Path) -> Progress:
    """Where training stood at a checkpoint; raises InvalidSetting for a damaged manifest."""
    manifest = _read_manifest(path)
    progress = {name: manifest[name] for name in Progress.__dataclass_fields__}
    evaluation = {name: math.nan if value is None else value for name, value in progress["evaluation"].items()}
    return Progress(**{**progress, "evaluation": evaluation})


def read_policies(path: Path) -> TrainedPolicies:
    """The policies of a checkpoint, or exported ones; raises InvalidSetting if anything is damaged."""
    if not (path / MANIFEST).is_file() and _is_export(path):
        return load_policies(path)
    verify(path)
    return read_verified(path / POLICIES)


def _is_export(path: Path) -> bool:
    """Whether there are policies in a folder of their own; one of these files may be missing."""
    return (path / POLICY_FILE).is_file() or (path / CHECKSUMS).is_file()


def restore(path: Path, algorithm: SMFRL) -> Progress:
    """Takes an algorithm back to a checkpoint.

    Reads pickles, which could run anything: raises InvalidSetting unless every file is whole and the user's own.
    """
    refuse_strangers_files(path)
    verify(path)
    algorithm.restore_from_path(str((path / STATE).resolve()))
    return read_progress(path)


def _read_manifest(path: Path) -> dict[str, Any]:
    file = path / MANIFEST
    if not file.is_file():
        raise InvalidSetting(f"{path}: is not a checkpoint ({MANIFEST} is missing)")
    try:
        text = file.read_text(encoding="utf-8")
        manifest: dict[str, Any] = json.loads(text)
        whole = text == _text(manifest) and manifest.pop("sha256") == _sum(manifest)
    except (ValueError, KeyError, AttributeError, OSError):
        whole = False
    if not whole:
        raise InvalidSetting(f"{file}: is damaged; use an earlier checkpoint")
    if manifest["format"] != FORMAT:
        raise InvalidSetting(f"{file}: has format '{manifest['format']}'; this version reads '{FORMAT}'")
    return manifest


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _text(manifest: dict[str, Any]) -> str:
    """What stands in the file; reading and writing it again must give the same."""
    return json.dumps(manifest, indent=1) + "\n"


def _sum(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
