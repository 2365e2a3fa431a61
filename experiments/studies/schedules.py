"""`smfg schedule`: the taxes that governments have come to after some years, drawn beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from rich.console import Console
from rich.table import Table

from envs import InvalidSetting, make
from envs.economy.arrays import total
from envs.economy.game import Economy
from envs.economy.taxation import Schedule
from envs.game import Array
from policies import registry
from policies.tax_rule import TaxRule
from rllib_smfg import named_policies
from rllib_smfg.rollout import play
from rllib_smfg.storage import checkpoints
from rllib_smfg.storage.files import write_json

matplotlib.use("Agg")

INCOMES = np.geomspace(10_000.0, 5_000_000.0, 120)
ASSETS = np.geomspace(10_000.0, 100_000_000.0, 120)
SHOWN = (30_000.0, 100_000.0, 300_000.0, 1_000_000.0)  # incomes of the printed table
FOLLOWERS, GAMES = 1000, 4
REPORTED = {  # indicator -> how it is printed
    "interest_rate": "interest rate",
    "capital_output_ratio": "capital / GDP",
    "debt_to_gdp": "debt / GDP",
    "spending_to_gdp": "spending / GDP",
}


@dataclass(frozen=True)
class Drawn:
    """A government's taxes: marginal and average rates (120,) at INCOMES, tax over assets (120,) at ASSETS.

    Means over games that still live. Rules without a tax on assets have zeros there. economy: REPORTED of that year.
    """

    government: str
    marginal: Array
    average: Array
    on_assets: Array
    economy: dict[str, float]


def run(
    console: Console,
    governments: Sequence[str],
    follower: str,
    *,
    year: int,
    seed: int,
    image: Path | None,
    json: Path | None,
    command: str,
) -> None:
    """Prints average rates at some incomes; draws all schedules, one colour a government, a line for each seed."""
    found = {name: [drawn(path, follower, year, seed) for path in _seeds(name)] for name in governments}
    console.print(_table(found, year))
    console.print(_economies(found, year))
    if json is not None:
        content = {name: [_plain(each) for each in lines] for name, lines in found.items()}
        grids = {"incomes": INCOMES.tolist(), "assets": ASSETS.tolist()}
        write_json(json, {"command": command, "year": year, **grids, "governments": content})
    if image is not None:
        draw(found, year, image)


def drawn(government: str, follower: str, year: int, seed: int) -> Drawn:
    """Plays to a year (1: the first) and reads the schedules of that year.

    Raises InvalidSetting where no game lives as long.
    """
    size: dict[str, Any] = {"games": GAMES, "followers": FOLLOWERS, "horizon": year + 1}
    instruments = named_policies.instruments_of(government) or None
    game = make("economy", preset="calibrated", instruments=instruments, **size)
    assert isinstance(game, Economy)
    leader = named_policies.leader(government, game, seed)
    alive = np.ones(GAMES, dtype=bool)
    years = play(game, leader, named_policies.living_under(leader, follower, game, seed), game.reset(seed))
    before, index = game.state, game.year.copy()
    for played in islice(years, year):
        action = _within(game, played.leader_action)
        announced = game.parameters.laws.fiscal_policy(game.parameters, before, action, total)
        before, lived, last, index = game.state, alive, index, game.year.copy()
        alive = alive & ~played.step.done
    if not lived.any():
        raise InvalidSetting(f"under government '{government}' no game lives to year {year}: name an earlier one")
    income = leader.schedule(last) if isinstance(leader, TaxRule) else announced.income_tax
    untaxed = isinstance(leader, TaxRule) and not leader.taxes_assets
    assets = np.zeros(len(ASSETS)) if untaxed else _mean(announced.asset_tax, ASSETS, lived)
    marginal = np.asarray(income.marginal_rate(np.tile(INCOMES, (GAMES, 1))))[lived].mean(axis=0)
    state = {name: float(played.step.indicators[name][lived].mean()) for name in REPORTED}
    return Drawn(government, marginal, _mean(income, INCOMES, lived), assets, state)


def _mean(schedule: Schedule, amounts: Array, lived: Array) -> Array:
    """Average rates, the mean over games that lived."""
    rates: Array = (np.asarray(schedule.tax(np.tile(amounts, (GAMES, 1))))[lived] / amounts).mean(axis=0)
    return rates


def _within(game: Economy, action: Array) -> Array:
    clipped: Array = np.clip(action, game.leader_action_space.low, game.leader_action_space.high)
    return clipped


def _seeds(name: str) -> list[str]:
    """All seeds of a run's folder, or the government itself."""
    if registry.is_rule(name, registry.LEADERS):
        return [name]
    return [str(path) for path in checkpoints.seed_folders(Path(name))] or [name]


def _plain(each: Drawn) -> dict[str, Any]:
    curves = {part: getattr(each, part).tolist() for part in ("marginal", "average", "on_assets")}
    return {**curves, "economy": each.economy}


def _table(found: dict[str, list[Drawn]], year: int) -> Table:
    title = f"income tax in year {year}, average rate (marginal rate) at an income of; mean over seeds"
    table = Table("government", *(f"${x:,.0f}" for x in SHOWN), title=title, title_justify="left")
    for name, lines in found.items():
        average, marginal = (np.mean([getattr(x, part) for x in lines], axis=0) for part in ("average", "marginal"))
        cells = [f"{np.interp(x, INCOMES, average):.1%} ({np.interp(x, INCOMES, marginal):.1%})" for x in SHOWN]
        table.add_row(Path(name).name, *cells)
    return table


def _economies(found: dict[str, list[Drawn]], year: int) -> Table:
    title = f"the economy in year {year}; mean over seeds [least, most]"
    table = Table("government", *REPORTED.values(), title=title, title_justify="left")
    for name, lines in found.items():
        cells = []
        for indicator in REPORTED:
            values = [line.economy[indicator] for line in lines]
            spread = f" [{min(values):.3f}, {max(values):.3f}]" if len(values) > 1 else ""
            cells.append(f"{np.mean(values):.3f}{spread}")
        table.add_row(Path(name).name, *cells)
    return table


def draw(found: dict[str, list[Drawn]], year: int, image: Path) -> None:
    """Three panels: marginal and average rates of the income tax, and the tax on assets."""
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, 3, figsize=(12, 3.8), layout="constrained")
    parts = (
        ("marginal", INCOMES, "marginal rate of the income tax", "income before tax, dollars a year"),
        ("average", INCOMES, "average rate of the income tax", "income before tax, dollars a year"),
        ("on_assets", ASSETS, "tax on assets, share of them a year", "assets, dollars"),
    )
    for panel, (part, amounts, title, across) in zip(panels, parts, strict=True):
        for colour, (name, lines) in enumerate(found.items()):
            for k, line in enumerate(lines):
                label = Path(name).name.replace("_", " ") if k == 0 else None
                style = {"alpha": 0.8, "linewidth": 1.2} if len(lines) > 1 else {"linewidth": 1.8}
                panel.plot(amounts, getattr(line, part), color=f"C{colour}", label=label, **style)
        panel.axhline(0, color="0.6", linewidth=0.8)
        panel.set(xscale="log", title=title, xlabel=across)
        panel.title.set_fontsize(10)
        panel.grid(alpha=0.3)
    panels[0].legend(frameon=False, fontsize=9)
    figure.suptitle(f"year {year}", fontsize=10)
    image.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(image, dpi=110)
    pyplot.close(figure)
