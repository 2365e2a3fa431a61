"""The command `smfg export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

CheckpointArgument = Annotated[
    Path, typer.Argument(help="A checkpoint, or the folder of a run of one seed (its latest).")
]
ExportOutput = Annotated[
    Path | None, typer.Option(help="Folder to make.", show_default="CHECKPOINT's name with -policies, here")
]


def export(checkpoint: CheckpointArgument, output: ExportOutput = None) -> None:
    """Write trained policies as safetensors and JSON with SHA-256 sums: enough to act without Ray or pickle."""
    from experiments.studies.export import run

    run(checkpoint, output)
