"""`smfg transition`: a reform as households live through it who know the whole path, against what would have been."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from rllib_smfg.economics.transition import Reform, ReformTransition, content, transition
from rllib_smfg.storage.files import write_json

SHOWN = (0, 1, 5, 10, 20, 50, 100)


def run(console: Console, reform: Reform, json: Path | None, command: str) -> None:
    """Solves and prints a transition, and writes it to `json`."""
    started = time.process_time()
    with console.status("transition with perfect foresight: some 10 s of CPU"):
        found = transition(reform)
    seconds = time.process_time() - started
    console.print(_table(found, reform))
    gain = 100 * found.reform.equivalent(found.baseline)
    tenths = " ".join(f"{100 * x:+.1f}" for x in found.reform.equivalent_by_wealth(found.baseline))
    console.print(f"against {found.against}: {gain:+.2f} % of consumption for the mean household", highlight=False)
    console.print(f"by tenth of wealth, poorest first, %: {tenths}", highlight=False)
    console.print(
        f"discounted welfare {found.reform.welfare:.5f}, against {found.baseline.welfare:.5f};"
        f" K + B = A to {np.abs(found.reform.clearing).max():.0e} of A in every year; {seconds:.0f} s of CPU",
        highlight=False,
    )
    if json is not None:
        write_json(json, {"command": command, **content(found, reform)})


def _table(found: ReformTransition, reform: Reform) -> Table:
    title = f"{reform.policy} from {reform.origin}, {reform.years} years"
    table = Table("year", title=title, title_justify="left")
    columns = (
        "r, %",
        "wage, $",
        "K/Y",
        "B/Y",
        "output, $",
        "consumption, $",
        "tau",
        "spending, % of Y",
        "revenue, % of Y",
    )
    for name in columns:
        table.add_column(name, justify="right")
    path = found.reform
    for t in (*(year for year in SHOWN if year < reform.years - 1), reform.years - 1):
        table.add_row(
            str(t),
            f"{100 * path.interest_rate[t]:.2f}",
            f"{path.wage[t]:.2f}",
            f"{path.capital[t] / path.gdp[t]:.2f}",
            f"{path.debt[t] / path.gdp[t]:.2f}",
            f"{path.gdp[t]:,.0f}",
            f"{path.consumption[t]:,.0f}",
            f"{path.actions[t, 0]:.3f}",
            f"{100 * path.spending[t] / path.gdp[t]:.1f}",
            f"{100 * path.revenue[t] / path.gdp[t]:.1f}",
        )
    return table
