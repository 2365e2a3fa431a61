"""Memory between years: arrays are freed and asked for again, which need not pass by the operating system."""

from __future__ import annotations

import ctypes
import os
from typing import Final

from envs.game import InvalidSetting

# glibc's malloc.h and its largest threshold for blocks of their own (DEFAULT_MMAP_THRESHOLD_MAX); see mallopt(3)
M_TRIM_THRESHOLD: Final = -1
M_MMAP_THRESHOLD: Final = -3
OWN_BLOCKS_FROM = 32 * 2**20
KEPT_AT_MOST = 256 * 2**20
# where a long path is kept of which each year has arrays of megabytes: between them the heap would be all holes
SPARING = 2 * 2**20


def keep_freed_memory(own_blocks_from: int = OWN_BLOCKS_FROM) -> bool:
    """Lets this process keep up to 256 MiB that it has freed; whether its C library (glibc) can be told so.

    own_blocks_from: bytes of an array that is always given back.

    By default glibc hands arrays of some hundred kilobytes back to the system, which then zeroes every page of the next
    one: a sixth of the time of acting on a virtual machine.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, own_blocks_from) and mallopt(M_TRIM_THRESHOLD, KEPT_AT_MOST))


def refuse_more_than_there_is(needed: int, settings: str) -> None:
    """Raises InvalidSetting where settings ask for more bytes than this machine's memory."""
    there_is = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > there_is:
        gigabytes = f"about {needed / 1e9:.3g} GB, and this machine has {there_is / 1e9:.3g}"
        raise InvalidSetting(f"{settings}: would need {gigabytes}; say less")
