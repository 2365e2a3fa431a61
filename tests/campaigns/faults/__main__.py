"""`python -m tests.campaigns.faults kills 50`: injects faults and adds the counts to docs/results/faults.json."""

from __future__ import annotations

import json
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from rllib_smfg.processes.quiet import quieten
from rllib_smfg.storage.files import write_json

app = typer.Typer(help="Injects faults and counts what survives them.", no_args_is_help=True, add_completion=False)
Count = Annotated[int, typer.Argument(min=1, help="How many faults.")]
Luck = Annotated[int, typer.Option("--seed", help="Luck of what is done to what, and when.")]
Json = Annotated[Path, typer.Option("--json", help="Where the counts go; other kinds' counts stay in it.")]
RESULTS = Path("docs/results/faults.json")


@app.command("kills")
def kill(count: Count = 50, seed: Luck = 0, json: Json = RESULTS) -> None:
    """SIGKILL training drivers, resume them, and compare with runs that nobody disturbed."""
    quieten()
    from experiments.configuration.config import Experiment
    from tests.campaigns.faults import drivers, kills

    Experiment.model_validate(kills.EXPERIMENT).algorithm_config(1)  # all libraries are imported before forking
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, drivers.ray_head():
        _keep(json, "kills", kills.campaign(count, Path(folder), _say, seed), seed, began)


@app.command("checkpoints")
def damage(count: Count = 1000, seed: Luck = 0, json: Json = RESULTS) -> None:
    """Damage checkpoints and exports, and read them."""
    quieten()
    from tests.campaigns.faults import damaged

    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        _keep(json, "damaged_checkpoints", damaged.campaign(count, Path(folder), _say, seed), seed, began)


@app.command("inputs")
def bad(count: Count = 200, seed: Luck = 0, json: Json = RESULTS) -> None:
    """Give the command `smfg` what it must refuse."""
    quieten()
    from tests.campaigns.faults.inputs import campaign

    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        _keep(json, "bad_inputs", campaign(count, Path(folder), _say, seed), seed, began)


def _keep(path: Path, kind: str, counts: dict[str, Any], seed: int, began: float) -> None:
    """Adds a kind's counts to the file, and prints them."""
    results = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    about = {"day": date.today().isoformat(), "seed": seed, "seconds": round(time.monotonic() - began)}
    write_json(path, results | {kind: counts | about})
    _say(f"{kind}: {counts['injected']} injected, {counts['survived']} survived, {counts['lost']} lost -> {path}")


def _say(text: str) -> None:
    typer.echo(text)


if __name__ == "__main__":
    app(prog_name="python -m tests.campaigns.faults")
