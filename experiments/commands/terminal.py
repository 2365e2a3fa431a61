"""What all commands share of the terminal: where they print, and how they were called."""

from __future__ import annotations

import io
import os
import shlex
import sys

from rich.console import Console

WIDTH_WITHOUT_TERMINAL = 120


def console(width_without_terminal: int = WIDTH_WITHOUT_TERMINAL) -> Console:
    """Standard output; wide enough for tables where it is no terminal, unless COLUMNS says how wide it is."""
    found = Console()
    return found if found.is_terminal or "COLUMNS" in os.environ else Console(width=width_without_terminal)


def command_line(*left_out: str) -> str:
    """How `smfg` was called, to be kept with what it made; without the words `left_out`."""
    return shlex.join(["smfg", *(word for word in sys.argv[1:] if word not in left_out)])


def never_refuse_letters() -> None:
    """Lets a terminal that is not UTF-8 show what it has no letter for as \\xe9, in place of a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
