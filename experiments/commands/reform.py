"""The command `smfg reform`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from experiments.commands.terminal import command_line, console


def reform(
    policies: Annotated[
        list[str],
        typer.Argument(
            metavar="POLICY...", help="Governments: a name, a YAML file, '{base: us_system, ...}', or a run's folder."
        ),
    ],
    against: Annotated[str, typer.Option(metavar="POLICY", help="What they are held against.")] = "us_system",
    households: Annotated[
        str, typer.Option(metavar="KIND,...", help="Who answers: planning, perfect_foresight, learned.")
    ] = "planning,perfect_foresight,learned",
    learned: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Learned households, a folder a seed.", show_default="shipped")
    ] = None,
    episodes: Annotated[int, typer.Option(min=2, help="Economies with luck of their own.")] = 8,
    followers: Annotated[int, typer.Option(min=50, help="Households of each.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="That luck.")] = 1_000_000,
    years: Annotated[int, typer.Option(min=60, help="Years that are foreseen; the last one lasts.")] = 150,
    sensitivity: Annotated[
        bool, typer.Option("--sensitivity", help="Also in economies with other tastes and superstars (a minute).")
    ] = False,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="A page with pictures.")] = None,
    image: Annotated[
        Path | None, typer.Option("--image", metavar="FILE", help="Four pictures of the first policy, as PNG.")
    ] = None,
    json: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Every number, as JSON.")] = None,
    csv: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="A line a number.")] = None,
    latex: Annotated[Path | None, typer.Option("--latex", metavar="FILE", help="The tables, for booktabs.")] = None,
    markdown: Annotated[Path | None, typer.Option("--markdown", metavar="FILE", help="The tables.")] = None,
) -> None:
    """What policies would do against today's: who gains and who loses, how the economy moves, and how sure that is."""
    from experiments.reform.run import Files, run
    from rllib_smfg.reform.question import Question, ReformPolicy

    question = Question(
        [ReformPolicy(text) for text in policies],
        ReformPolicy(against),
        followers,
        episodes,
        years,
        seed,
        learned,
    )
    files = Files(html=html, image=image, json=json, csv=csv, latex=latex, markdown=markdown)
    kinds = [kind.strip() for kind in households.split(",") if kind.strip()]
    run(console(), question, kinds, sensitivity, files, command_line())
