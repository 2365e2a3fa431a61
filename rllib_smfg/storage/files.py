"""Files that are whole or not there: written beside, forced to disk, and renamed."""

from __future__ import annotations

import json
import math
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import chain, count
from pathlib import Path
from shlex import quote
from typing import Any

from envs import InvalidSetting

OWNER = ".owner"  # in the folder of a run: which process works in it (rllib_smfg.storage.owners)
# what file managers, network file systems and storage boxes put into folders by themselves
STRAY = re.compile(
    r"\.DS_Store|\._.*|\.Spotlight-V100|\.Trashes|\.fseventsd|__MACOSX|Thumbs\.db|desktop\.ini|\.directory"
    r"|\.nfs\w+|\.fuse_hidden\w+|\.snapshot|lost\+found|@eaDir|\.ipynb_checkpoints",
    re.IGNORECASE,
)


def is_stray(path: Path) -> bool:
    """Whether a relative path, or a folder of it, is what an operating system left there."""
    return any(STRAY.fullmatch(part) for part in path.parts)


def new_name(name: str) -> str:
    """NAME-TIME-XXXXXX, a name for a new run that no other run has, wherever it was started."""
    return f"{name}-{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def write_text(path: Path, text: str) -> None:
    """Writes a text file, in a new folder if need be; whoever reads it meanwhile sees the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        beside.write_text(text, encoding="utf-8")
        force_to_disk(beside)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    force_to_disk(path.parent)


def write_json(path: Path, content: Any) -> None:
    """Writes JSON; NaN and infinity, which JSON does not know, become null."""
    write_text(path, json.dumps(finite(content), indent=1, allow_nan=False) + "\n")


def finite(content: Any) -> Any:
    """The same with None for every NaN and infinity."""
    if isinstance(content, dict):
        return {name: finite(value) for name, value in content.items()}
    if isinstance(content, list | tuple):
        return [finite(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content


@contextmanager
def written_folder(path: Path) -> Iterator[Path]:
    """A folder to fill, which becomes `path` once the block ends without an exception.

    What stood at `path` before gives way to it.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    old = path.with_name(f".{path.name}.{os.getpid()}.old.tmp")
    beside.mkdir(parents=True)
    try:
        yield beside
        for item in (*beside.rglob("*"), beside):
            force_to_disk(item)
        if path.exists():
            path.rename(old)
        beside.rename(path)
        force_to_disk(path.parent)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def copy_folder(source: Path, target: Path) -> None:
    """Copies a folder with all that is in it to `target`, in whose place it stands once it is whole."""
    with written_folder(target) as beside:
        shutil.copytree(source, beside, dirs_exist_ok=True)


def clear_unfinished_files(folder: Path) -> None:
    """Removes what a killed process left of files that it had not finished."""
    for path in folder.glob(".*.tmp"):
        if path.is_file():
            path.unlink()


def unused(path: Path) -> Path:
    """`path`, with a number behind its name where something is there already."""
    numbered = (path.with_name(f"{path.name}.{number}") for number in count(2))
    return next(each for each in chain([path], numbered) if not each.exists())


def force_to_disk(path: Path) -> None:
    """Waits until a file, or the names in a folder, are on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def refuse_overwriting(folder: Path, resuming: str | None = None) -> None:
    """Raises InvalidSetting where a new run would be mixed with something that is there.

    resuming: the command that goes on with what is there, or None if it is the same one with --resume FOLDER.
    """
    if folder.is_dir() and any(item.name != OWNER and not is_stray(Path(item.name)) for item in folder.iterdir()):
        raise InvalidSetting(
            f"{folder}: exists and is not empty; name another --output, or go on with"
            f" {f'--resume {quote(str(folder))}' if resuming is None else resuming}"
        )
    if folder.exists() and not folder.is_dir():
        raise InvalidSetting(f"{folder}: is a file; --output must name a folder")
