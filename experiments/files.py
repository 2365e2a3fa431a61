"""Files that are whole or not there: written beside, forced to disk, and renamed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from envs import InvalidSetting


def write_text(path: Path, text: str) -> None:
    """Writes a text file; whoever reads it meanwhile sees the old one or the new one."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        beside.write_text(text, encoding="utf-8")
        force_to_disk(beside)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    force_to_disk(path.parent)


def write_json(path: Path, content: Any) -> None:
    """Writes JSON; a number that JSON does not know (NaN, infinity) raises ValueError."""
    write_text(path, json.dumps(content, indent=1, allow_nan=False) + "\n")


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


def force_to_disk(path: Path) -> None:
    """Waits until a file, or the names in a folder, are on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def new_folder(path: Path) -> Path:
    """Makes a folder that holds nothing yet; raises InvalidSetting where something would be overwritten."""
    if path.is_dir() and any(path.iterdir()):
        raise InvalidSetting(f"{path}: exists and is not empty; name another --output, or go on with --resume {path}")
    if path.exists() and not path.is_dir():
        raise InvalidSetting(f"{path}: is a file; name a folder")
    path.mkdir(parents=True, exist_ok=True)
    return path
