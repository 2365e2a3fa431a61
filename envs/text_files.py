"""Text files as people hand them over: UTF-8, or refused with what they are instead."""

from __future__ import annotations

import codecs
import json
from pathlib import Path
from typing import Any

from envs.game import InvalidSetting

# how files begin that are no text, and how to make text of them
SIGNATURES = {
    b"\x1f\x8b": "is compressed with gzip; must be unpacked (gunzip)",
    b"BZh": "is compressed with bzip2; must be unpacked (bunzip2)",
    b"\xfd7zXZ": "is compressed with xz; must be unpacked (unxz)",
    b"\x28\xb5\x2f\xfd": "is compressed with zstd; must be unpacked (unzstd)",
    b"PK\x03\x04": "is a ZIP archive or an Excel workbook; must be unpacked, or saved as CSV UTF-8",
    b"\xd0\xcf\x11\xe0": "is an Excel workbook; must be saved as CSV UTF-8",
    b"PAR1": "is a Parquet file; must be written out as text",
    b"<stata_dta>": "is a Stata file; must be written out as text (export delimited)",
    b"\x89HDF": "is an HDF5 file; must be written out as text",
}
WIDE = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
CONTROL = frozenset(range(32)) - set(b"\t\n\r\f")


def read_object(path: Path, holds: str, must: str) -> dict[str, Any]:
    """The JSON object of a file; raises InvalidSetting where it is none.

    holds: what is missing in a file of something else. must: what would be right in place of what is no JSON.
    """
    try:
        found = json.loads(read_utf8(path, str(path)))
    except json.JSONDecodeError as error:
        raise InvalidSetting(f"{path}:{error.lineno}: not valid JSON; {must}") from None
    if not isinstance(found, dict):
        raise InvalidSetting(f"{path}: {holds}")
    return found


def read_utf8(path: Path, what: str) -> str:
    """The text of a file, a byte-order mark left out; raises InvalidSetting, in the name of `what`, for anything else.

    Line endings stay as they are.
    """
    content = path.read_bytes()
    fault = _binary(content[:64]) or _wide(content[:512])
    if fault is None:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            fault = _other_encoding(content, error.start)
        else:
            if "\0" not in text:
                return text
            fault = f"line {_line(content, content.index(0))} holds a NUL character; not a text file"
    raise InvalidSetting(f"{what}: {fault}")


def _binary(start: bytes) -> str | None:
    return next((fault for signature, fault in SIGNATURES.items() if start.startswith(signature)), None)


def _wide(start: bytes) -> str | None:
    """UTF-16 and UTF-32, by their mark, or by every other byte being 0."""
    found = next((name for mark, name in WIDE.items() if start.startswith(mark)), None)
    halves = start[: len(start) // 2 * 2]
    if found is None and len(halves) > 3 and (not any(halves[::2]) or not any(halves[1::2])):
        found = "UTF-16"
    return f"is encoded in {found}; must be UTF-8 (iconv -f {found} -t UTF-8)" if found else None


def _other_encoding(content: bytes, position: int) -> str:
    if CONTROL & set(content):
        return "not a text file; must be UTF-8"
    line, byte = _line(content, position), content[position]
    return (
        f"line {line} holds the byte 0x{byte:02x}, which is not UTF-8 (Latin-1 or Windows-1252?);"
        " must be UTF-8 (iconv -f WINDOWS-1252 -t UTF-8)"
    )


def _line(content: bytes, position: int) -> int:
    return content[:position].count(b"\n") + 1
