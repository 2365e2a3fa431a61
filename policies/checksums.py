"""SHA256SUMS beside a folder's files, as `sha256sum --check SHA256SUMS` reads it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from envs.game import InvalidSetting

CHECKSUMS = "SHA256SUMS"
LINE = re.compile(r"([0-9a-f]{64})  ([^\n/]+)\n")


def write_checksums(folder: Path) -> None:
    """Lists the files of a folder (not those of folders in it) with their SHA-256."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != CHECKSUMS)
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (folder / CHECKSUMS).write_text("".join(lines), encoding="utf-8")


def verify_checksums(folder: Path, needed: Iterable[str]) -> None:
    """Raises InvalidSetting, which names the file, unless all `needed` files are listed and as they were written."""
    try:
        text = (folder / CHECKSUMS).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InvalidSetting(f"{folder / CHECKSUMS}: is missing, so nothing says that the files are whole") from None
    except (UnicodeDecodeError, OSError):
        text = ""
    listed = {name: written for written, name in LINE.findall(text)}
    if LINE.sub("", text) or not listed:
        raise InvalidSetting(f"{folder / CHECKSUMS}: is damaged")
    for name in sorted({*listed, *needed}):
        file = folder / name
        if name not in listed:
            raise InvalidSetting(f"{file}: is not listed in {CHECKSUMS}")
        if not file.is_file():
            raise InvalidSetting(f"{file}: is missing")
        if hashlib.sha256(file.read_bytes()).hexdigest() != listed[name]:
            raise InvalidSetting(f"{file}: is damaged (its SHA-256 is not the recorded one)")
