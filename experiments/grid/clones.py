"""Figure 7: the losses of cloning households, epoch by epoch, from fits of several seeds."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from experiments.grid.config import Clones, GridSetting
from experiments.grid.results import ResultRow
from experiments.studies import pretrain
from rllib_smfg.storage.checkpoints import seed_folder

LOSSES = "losses.csv"
SIDES = ("training", "held_out")


def clone(console: Console, clones: Clones, scale: str, folder: Path) -> list[ResultRow]:
    """Fits the networks for every seed that is not there yet; all losses, with epochs in the place of years."""
    rows: list[ResultRow] = []
    for seed in clones.seeds["full" if scale == "full" else "quick"]:
        own = seed_folder(folder, seed)
        if not (own / LOSSES).is_file():
            pretrain.run(console, clones.config, [f"fit.seed={seed}"], own)
        rows += _losses(own / LOSSES, seed)
    return rows


def _losses(path: Path, seed: int) -> Iterator[ResultRow]:
    """The rows of a fit's losses.csv; the last epoch's are the final values."""
    with path.open(encoding="utf-8", newline="") as file:
        epochs = list(csv.DictReader(file))
    run = str(seed_folder(Path("clones"), seed))
    last = {each["network"]: each["epoch"] for each in epochs}
    for each in epochs:
        for side in SIDES:
            setting = str(GridSetting(each["loss"], each["network"], side))
            row = ResultRow(run, seed, setting, "loss", int(each["epoch"]), float(each[side]))
            yield row
            if each["epoch"] == last[each["network"]]:
                yield ResultRow(run, seed, setting, "loss", None, row.value)
