"""The command `smfg convergence`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from experiments.commands.terminal import console

SIZES = [10, 100, 1000, 10_000, 100_000, 1_000_000]


def convergence(
    followers: Annotated[
        list[int] | None,
        typer.Option(min=2, help="Households N; repeatable.", show_default=", ".join(map(str, SIZES))),
    ] = None,
    preset: Annotated[Literal["paper", "calibrated"], typer.Option(help="Which economy.")] = "calibrated",
    economies: Annotated[int, typer.Option(min=3, help="Economies of each size.")] = 32,
    years: Annotated[int, typer.Option(min=1, help="Years until indicators are read.")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="Luck of all games.")] = 1,
    json: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Also write the result as JSON.")] = None,
    figure: Annotated[Path | None, typer.Option(metavar="FILE", help="Also draw it, PNG or SVG.")] = None,
) -> None:
    """Follow K(N) of the linear-quadratic game, and the spread of an economy's indicators, as N grows."""
    from experiments.studies.convergence import run

    sizes = sorted(set(followers or SIZES))
    run(
        console(140),
        followers=sizes,
        preset=preset,
        economies=economies,
        years=years,
        seed=seed,
        json=json,
        figure=figure,
    )
