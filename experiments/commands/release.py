"""The command `smfg release`."""

from __future__ import annotations

from typing import Annotated

import typer

from experiments.commands.terminal import console


def release(
    run: Annotated[str, typer.Argument(metavar="DIR|URI", help="A run, search or grid that is said to be in use.")],
) -> None:
    """Free a run whose process is gone together with its machine; a process of this machine is noticed by itself."""
    from rllib_smfg.storage.owners import release as free

    out = console()
    free(run, lambda text: out.print(text, soft_wrap=True, highlight=False, markup=False))
