"""Ctrl-C and SIGTERM, taken at a moment when everything can be saved."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any, Self


class Interrupted(Exception):
    """A run was stopped by a signal; the text says what was saved and how to go on."""

    def __init__(self, message: str, number: int = signal.SIGINT) -> None:
        super().__init__(message)
        self.number, self.exit_code = number, 128 + number

    def going_on(self, how: str) -> Self:
        """The same, whose text also says how to go on."""
        self.args = (f"{self}; {how}",)
        return self


class Stopped(Interrupted):
    """Training could not go on by itself; the text says why, what was saved and how to go on. Exit code 1."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.exit_code = 1


class Interrupts:
    """Inside this block the first signal is only noted in `received`; a second one raises KeyboardInterrupt.

    Only the main thread hears signals; elsewhere, as in a Tune worker, whoever stops it has other ways.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.received is not None:
            raise KeyboardInterrupt
        self.received = number
