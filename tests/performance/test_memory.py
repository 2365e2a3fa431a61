"""Freed memory stays with the process: arrays made anew every year cost no page faults."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rllib_smfg.memory import OWN_BLOCKS_FROM, SPARING, keep_freed_memory

YEARS = """
import resource, sys
import numpy as np
from rllib_smfg.memory import keep_freed_memory

def faults(years=20):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(years):
        arrays = [np.ones(2**17) for _ in range(8)]  # 1 MiB each
        del arrays
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

given_back = faults()
keep_freed_memory()
faults(1)
print(given_back, faults())
"""


def test_a_years_arrays_are_made_of_the_last_years() -> None:
    if not keep_freed_memory():
        pytest.skip("the C library has no mallopt")
    done = subprocess.run([sys.executable, "-c", YEARS], capture_output=True, text=True, check=True)
    given_back, kept = map(int, done.stdout.split())
    assert given_back > 1000
    assert kept < given_back / 20


# of 2.5 MiB: one huge page, which some systems hand out, leaves a hundred small ones
SPARED = """
import resource, sys
import numpy as np
from rllib_smfg.memory import keep_freed_memory

keep_freed_memory(int(sys.argv[1]))
for year in range(21):
    array = np.ones(5 * 2**16)
    del array
    if not year:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def test_arrays_of_a_long_path_s_years_are_given_back() -> None:
    if not keep_freed_memory():
        pytest.skip("the C library has no mallopt")

    def faults(own_blocks_from: int) -> int:
        command = [sys.executable, "-c", SPARED, str(own_blocks_from)]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    given_back = faults(SPARING)
    assert given_back > 1000
    assert faults(OWN_BLOCKS_FROM) < given_back / 20
