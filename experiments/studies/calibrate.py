"""`smfg calibrate`: the preset `calibrated` set against data on the United States."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from envs.economy.calibration import benchmark
from envs.economy.presets import CALIBRATED
from rllib_smfg.economics.calibration import BEHAVIOUR, TARGETS, TOLERANCE, MomentRow, long_run_moments, moment_rows
from rllib_smfg.storage.files import write_json


def run(console: Console, *, check: bool, games: int, followers: int, years: int, seed: int, json: Path | None) -> None:
    """Prints the long run of the calibrated economy, and with `check` the table of model against data."""
    settled = benchmark(CALIBRATED)
    settled_moments = long_run_moments(settled)
    console.print(f"Tax level that balances the budget in the long run: tau = {settled.level:.4f}")
    if not check:
        for what, value in settled_moments.items():
            console.print(f"{what}: {_figure(value)} (target {_figure(TARGETS[what].value)})")
        return
    rows = moment_rows(settled, settled_moments, games=games, followers=followers, years=years, seed=seed)
    console.print(_table(rows, games, followers, years))
    console.print(BEHAVIOUR, highlight=False)
    missed = [row.what for row in rows if row.missed]
    console.print("All within 10 %." if not missed else f"Further than 10 % from the target: {', '.join(missed)}.")
    if json:
        content = {"behaviour": BEHAVIOUR, "tolerance": TOLERANCE, "missed": missed, "rows": [asdict(r) for r in rows]}
        settings = {"games": games, "followers": followers, "years": years, "seed": seed, "tau": settled.level}
        write_json(json, content | settings)


def _table(rows: list[MomentRow], games: int, followers: int, years: int) -> Table:
    title = f"calibrated, N = {followers}, mean over {games} economies; * is further than 10 % from the target"
    table = Table("", "data", "model, year 1", f"year {years}", "long run", "source of the data", title=title)
    for row in rows:
        shown = [
            _figure(x) + (" *" if when in row.missed else "") for when, x in (("start", row.start), ("end", row.end))
        ]
        settled = "" if row.long_run is None else _figure(row.long_run)
        table.add_row(row.what, _figure(row.target), *shown, settled, row.source)
    return table


def _figure(x: float) -> str:
    return f"{x:,.0f}" if abs(x) >= 100 else f"{x:.3f}"
