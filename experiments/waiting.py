"""Waits that say what they wait for: one line on standard error where something takes longer than a moment."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from envs import InvalidSetting

MOMENT = 2.0  # seconds that nobody minds
Result = TypeVar("Result")


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


def within(limit: float, text: str, function: Callable[..., Result], *arguments: Any) -> Result:
    """What `function` returns, or raises; InvalidSetting if it takes longer than `limit` seconds.

    Says `text` and the limit after a moment. What is too slow goes on behind, where nobody waits for it any more.
    """
    done: list[Result] = []
    failed: list[BaseException] = []

    def work() -> None:
        try:
            done.append(function(*arguments))
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=work, daemon=True)
    with saying(f"{text} (at most {limit:g} s)"):
        thread.start()
        thread.join(limit)
    if failed:
        raise failed[0]
    if not done:
        raise InvalidSetting(f"{text}: no answer within {limit:g} s")
    return done[0]
