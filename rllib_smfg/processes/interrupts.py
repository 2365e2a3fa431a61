"""Ctrl-C and SIGTERM, taken at a moment when everything can be saved."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Self

GRACE = 1.5  # seconds from SIGTERM until an iteration that has not ended is given up


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


class Overdue(BaseException):
    """An iteration is given up, since whoever asked to stop waits no longer. Not an Exception: nobody else takes it."""


class Interrupts:
    """Inside this block the first signal is only noted in `received`; a second one raises KeyboardInterrupt.

    SIGTERM comes from schedulers, which wait some seconds and then kill (`ray job stop`: three). So `GRACE` seconds
    after it, where `may_give_up` says that what is finished is saved, Overdue is raised wherever the block is.
    Only the main thread hears signals; elsewhere, as in a Tune worker, whoever stops it has other ways.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self.may_give_up = False
        self._before: dict[int, Any] = {}
        self._alarm: threading.Timer | None = None
        self._rung = False

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._rung:
            self._rung = False
            if self.may_give_up:
                raise Overdue
            return
        if self.received is not None:
            raise KeyboardInterrupt
        self.received = number
        if number == signal.SIGTERM:
            self._alarm = threading.Timer(GRACE, self._ring)
            self._alarm.daemon = True
            self._alarm.start()

    def _ring(self) -> None:
        """Only a signal reaches the main thread wherever it is."""
        self._rung = True
        os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """Inside this block SIGTERM does what Ctrl-C does: blocks are left in order, and Tune saves its state.

    Has to be within a Ray that was started, which takes the signal for itself.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[int] = []
    _blocks.append(received)
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    except Interrupted as stop:
        if received and not isinstance(stop, Stopped):
            stop.number, stop.exit_code = signal.SIGTERM, 128 + signal.SIGTERM
        raise
    except KeyboardInterrupt:
        if received:
            raise Interrupted("stopped", signal.SIGTERM) from None
        raise
    finally:
        _blocks.pop()
        signal.signal(signal.SIGTERM, before)


_blocks: list[list[int]] = []  # that SIGTERM leaves, one within the other


def _interrupt(number: int, frame: FrameType | None) -> None:
    for received in _blocks:
        received.append(number)
    if signal.getsignal(signal.SIGINT) in (signal.SIG_IGN, None):  # as of what a script starts with &
        raise KeyboardInterrupt
    os.kill(os.getpid(), signal.SIGINT)
