"""The command `smfg tune`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from experiments.commands.terminal import console
from experiments.configuration.shipped import SEARCHES, shipped


def _names(incomplete: str) -> list[str]:
    return [name for name in shipped(SEARCHES) if name.startswith(incomplete)]


SearchArgument = Annotated[
    str | None, typer.Argument(help="YAML file, or the name of one in tune_configs/.", autocompletion=_names)
]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Override a setting; may be repeated.")
]
SearchOutput = Annotated[Path | None, typer.Option(help="Folder of the search.", show_default="runs/NAME-TIME")]
Resume = Annotated[str | None, typer.Option(metavar="DIR|URI", help="Go on with what is there.")]
Storage = Annotated[
    str | None,
    typer.Option(metavar="PATH|URI", help="Keep the run's folder there: a path all nodes share, or a bucket."),
]


def tune(
    search: SearchArgument = None,
    set_: Overrides = None,
    output: SearchOutput = None,
    resume: Resume = None,
    storage: Storage = None,
) -> None:
    """Search settings with ASHA, population-based training or Optuna; leaves best.yaml, which `smfg train` takes."""
    from experiments.tuning.search import run
    from rllib_smfg.storage.places import new_or_resumed

    name = Path(search).stem if search else "search"
    run(console(), search, set_ or [], new_or_resumed(name, output, resume, storage))
