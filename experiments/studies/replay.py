"""`smfg replay FILE`: does the economy give what was recorded?"""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table

from envs import InvalidSetting
from envs.economy.replay import load_trace, relative_differences, replay


def run(console: Console, file: Path, *, preset: str, tolerance: float) -> int:
    """Prints the largest relative difference of every output; 0 if all are within the tolerance, else 1."""
    if not tolerance >= 0:
        raise InvalidSetting(f"--tolerance {tolerance}: must be a number of at least 0")
    trace = load_trace(file)
    differences = relative_differences(trace, replay(trace, preset))
    table = Table("output", "largest relative difference", "")
    table.columns[1].justify = "right"
    for name, difference in differences.items():
        table.add_row(name, f"{difference:.3g}", "" if difference <= tolerance else "beyond the tolerance")
    console.print(table)
    beyond = [name for name, difference in differences.items() if not difference <= tolerance]
    years, households = trace["ability"].shape
    verdict = f"beyond {tolerance:g} in {', '.join(beyond)}" if beyond else f"all within {tolerance:g}"
    console.print(f"{file}: {years} years, {households} households: {verdict}", soft_wrap=True, highlight=False)
    return 1 if beyond else 0
