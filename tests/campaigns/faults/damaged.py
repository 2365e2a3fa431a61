"""Damages checkpoints and exported policies in every way a disk or a hand does, and reads them."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from envs import InvalidSetting
from experiments.configuration.config import Experiment
from experiments.studies.export import run as export
from experiments.training.progress import Display
from experiments.training.trainer import CHECKPOINTS, train_seed
from rllib_smfg.processes.ray_session import ray_session
from rllib_smfg.storage import checkpoints
from tests.campaigns.faults.kills import EXPERIMENT

Damage = Callable[[Path, random.Random], None]


def campaign(wanted: int, folder: Path, say: Callable[[str], None], luck: int) -> dict[str, Any]:
    """`wanted` damaged checkpoints and exports; each must be refused, and a run must fall back to the one before."""
    made = make_checkpoints(folder / "made")
    random_damage, outcomes = random.Random(luck), Counter[tuple[str, str, str]]()
    for number in range(wanted):
        kind = list(DAMAGES)[number % len(DAMAGES)]
        what = "export" if number // len(DAMAGES) % 4 == 3 else "checkpoint"
        work = folder / "work"
        shutil.copytree(made, work)
        outcome = (fate_of_export if what == "export" else fate_of_checkpoint)(work, DAMAGES[kind], random_damage)
        outcomes[what, kind, outcome] += 1
        shutil.rmtree(work)
    lost = sum(count for (*_, outcome), count in outcomes.items() if outcome != REFUSED)
    table = [{"what": w, "damage": k, "outcome": o, "count": n} for (w, k, o), n in sorted(outcomes.items())]
    return {"injected": wanted, "survived": wanted - lost, "lost": lost, "table": table}


# --- what is damaged -------------------------------------------------------------------------------------------------
def make_checkpoints(folder: Path) -> Path:
    """A tiny run's checkpoints (two whole ones), and its export beside them."""
    training = {**EXPERIMENT["training"], "iterations": 4}
    experiment = Experiment.model_validate({**EXPERIMENT, "training": training})
    with ray_session(0):
        train_seed(experiment, 1, folder, _Silence())
    export(folder, folder / "export")
    return folder


class _Silence(Display):
    def __enter__(self) -> _Silence:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def start(self, title: str, done: int, total: int) -> None:
        """See Display."""

    def update(self, row: Any) -> None:
        """See Display."""

    def note(self, text: str) -> None:
        """See Display."""


# --- what becomes of it ----------------------------------------------------------------------------------------------
REFUSED = "refused"


def fate_of_checkpoint(work: Path, damage: Damage, luck: random.Random) -> str:
    """Damages the latest checkpoint; it must be refused in one line, and the one before be found instead."""
    before, latest = sorted((work / CHECKPOINTS).glob("iteration_*"))
    _injure(latest, damage, luck)
    said: list[str] = []
    if checkpoints.latest(work / CHECKPOINTS, said.append) != before or len(said) != 1 or "\n" in said[0]:
        return "not noticed by resuming"
    return _fate_of_policies(latest)


def fate_of_export(work: Path, damage: Damage, luck: random.Random) -> str:
    """Damages an export; it must be refused in one line."""
    _injure(work / "export", damage, luck)
    return _fate_of_policies(work / "export")


def _fate_of_policies(path: Path) -> str:
    try:
        checkpoints.read_policies(path)
    except InvalidSetting as refusal:
        return REFUSED if "\n" not in str(refusal) else "refused in several lines"
    return "loaded silently"


def _injure(folder: Path, damage: Damage, luck: random.Random) -> None:
    """Damages one file, until it differs from what it was (to exchange two equal files is no damage)."""
    before = _content(folder)
    while _content(folder) == before:
        damage(luck.choice(sorted(path for path in folder.rglob("*") if path.is_file())), luck)


def _content(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- damages ---------------------------------------------------------------------------------------------------------
def _flip(file: Path, luck: random.Random) -> None:
    content = bytearray(file.read_bytes())
    place = luck.randrange(8 * len(content))
    content[place // 8] ^= 1 << place % 8
    file.write_bytes(content)


def _truncate(file: Path, luck: random.Random) -> None:
    file.write_bytes(file.read_bytes()[: luck.randrange(file.stat().st_size)])


def _lengthen(file: Path, luck: random.Random) -> None:
    file.write_bytes(file.read_bytes() + luck.randbytes(luck.randrange(1, 600)))


def _remove(file: Path, _: random.Random) -> None:
    file.unlink()


def _blank(file: Path, luck: random.Random) -> None:
    """Zeros where a block was, as after a crash of the machine."""
    content = bytearray(file.read_bytes())
    start = luck.randrange(len(content))
    content[start : start + 512] = bytes(len(content[start : start + 512]))
    file.write_bytes(content)


def _exchange(file: Path, luck: random.Random) -> None:
    other = luck.choice(sorted(path for path in file.parent.iterdir() if path.is_file()))
    mine, other_s = file.read_bytes(), other.read_bytes()
    file.write_bytes(other_s)
    other.write_bytes(mine)


DAMAGES: dict[str, Damage] = {
    "one bit flipped": _flip,
    "cut short": _truncate,
    "lengthened": _lengthen,
    "missing": _remove,
    "a block of zeros": _blank,
    "exchanged with another": _exchange,
}
