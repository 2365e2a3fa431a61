"""Ctrl-C and SIGTERM, taken at a moment when everything can be saved."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Self


class Interrupted(Exception):
    """A run was stopped by a signal; the text says what was saved and how to go on."""

    def __init__(self, message: str, number: int = signal.SIGINT) -> None:
        super().__init__(message)
        self.number, self.exit_code = number, 128 + number


class Interrupts:
    """Inside this block the first signal is only noted in `received`; a second one raises KeyboardInterrupt."""

    def __init__(self) -> None:
        self.received: int | None = None

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._note) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.received is not None:
            raise KeyboardInterrupt
        self.received = number
