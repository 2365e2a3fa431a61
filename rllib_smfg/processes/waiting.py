"""Waits that say what they wait for: one line on standard error where something takes longer than a moment."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

MOMENT = 2.0  # seconds that nobody minds
ASKING = "smfg-asking"  # name of threads that ask and may never be answered


def say(text: str) -> None:
    """A line on standard error, where it disturbs no result."""
    print(f"smfg: {text}", file=sys.stderr, flush=True)


@contextmanager
def saying(text: str, moment: float = MOMENT) -> Iterator[None]:
    """Says `text` if the block takes longer than a moment (seconds)."""
    timer = threading.Timer(moment, say, (text,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def leave(code: int) -> NoReturn:
    """Ends the process with an exit code; at once where a thread still waits for an answer that nobody wants."""
    if any(thread.name == ASKING for thread in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # libraries would wait for the thread, for minutes
    sys.exit(code)
