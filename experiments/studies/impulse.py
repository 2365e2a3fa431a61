"""`smfg impulse`: what a financial crisis and a disaster do to economies, against the same luck without them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from rich.console import Console
from rich.table import Table

from envs import InvalidSetting, make
from envs.economy.shocks import SCENARIOS
from envs.game import Array, BoolArray
from rllib_smfg import named_policies
from rllib_smfg.rollout import play
from rllib_smfg.storage.files import write_json

matplotlib.use("Agg")

STRUCK = 100  # year index in which every scenario strikes
BEFORE = 2  # years that are shown before it
BAND = (5.0, 50.0, 95.0)  # percentiles over economies
SHOCKS = tuple(name for name in SCENARIOS if name != "none")


@dataclass(frozen=True)
class Measure:
    """An indicator, and how a shock's effect on it is told: in per cent of what it would be, or as a difference."""

    indicator: str
    title: str
    relative: bool

    def effect(self, struck: Array, spared: Array) -> Array:
        """The effect in each year and economy, same shape; differences in hundredths."""
        return 100 * (struck / spared - 1) if self.relative else 100 * (struck - spared)


MEASURES = (
    Measure("per_capita_gdp", "GDP, %", True),
    Measure("capital", "capital at the end of the year, %", True),
    Measure("wage", "wage, %", True),
    Measure("interest_rate", "interest rate, percentage points", False),
    Measure("debt_to_gdp", "debt, % of GDP", False),
    Measure("wealth_gini", "wealth gini, hundredths", False),
)


def run(
    console: Console,
    leader: str,
    follower: str,
    *,
    settings: Mapping[str, Any],
    shocks: Sequence[str],
    years: int,
    seed: int,
    image: Path | None,
    json: Path | None,
    command: str,
) -> None:
    """Prints what a shock has done after 0, 5 and `years` - 1 years, and writes bands as JSON and as a picture."""
    found = {shock: effects(leader, follower, settings, shock, years, seed) for shock in shocks}
    bands = {shock: {name: band(values) for name, values in each.items()} for shock, each in found.items()}
    for shock, each in bands.items():
        console.print(_table(shock, each, settings, years))
    if json is not None:
        first = range(-BEFORE, years)
        content = {shock: {name: x.tolist() for name, x in each.items()} for shock, each in bands.items()}
        write_json(
            json,
            {"command": command, "years_after": list(first), "percentiles": list(BAND), "effects": content},
        )
    if image is not None:
        draw(bands, years, image)


def effects(
    leader: str, follower: str, settings: Mapping[str, Any], shock: str, years: int, seed: int
) -> dict[str, Array]:
    """Each measure's effect from BEFORE the shock on, in each economy that lives in both, (years, economies).

    The same economies are played twice under one seed, with the shock and without: abilities and first states are the
    same, so that whatever differs is the shock and what everybody makes of it.
    """
    struck, spared = (_history(leader, follower, {**settings, "shock": name}, years, seed) for name in (shock, "none"))
    alive = struck.alive & spared.alive
    if not alive.any():
        raise InvalidSetting(f"no economy lives until {years} years after the shock: nothing can be compared")
    return {
        measure.indicator: measure.effect(
            struck.indicators[measure.indicator][:, alive], spared.indicators[measure.indicator][:, alive]
        )
        for measure in MEASURES
    }


def band(values: Array) -> Array:
    """Percentiles BAND over economies (years, economies), (3, years)."""
    percentiles: Array = np.percentile(values, BAND, axis=1)
    return percentiles


@dataclass(frozen=True)
class _History:
    """Indicators (years, economies) from BEFORE the year of the shock on, and which economies lived that long."""

    indicators: dict[str, Array]
    alive: BoolArray


def _history(leader: str, follower: str, settings: Mapping[str, Any], years: int, seed: int) -> _History:
    last = STRUCK + years
    game = make(**{**settings, "horizon": last + 1})
    government = named_policies.leader(leader, game, seed)
    policies = (government, named_policies.living_under(government, follower, game, seed))
    alive = np.ones(game.n_games, dtype=bool)
    rows: dict[str, list[Array]] = {measure.indicator: [] for measure in MEASURES}
    for index, year in enumerate(play(game, *policies, game.reset(seed))):
        if index >= STRUCK - BEFORE:
            for name, row in rows.items():
                row.append(year.step.indicators[name])
        alive &= ~year.step.done
        if index == last - 1:
            break
    return _History({name: np.stack(row) for name, row in rows.items()}, alive)


def _table(shock: str, bands: Mapping[str, Array], settings: Mapping[str, Any], years: int) -> Table:
    after = sorted({0, min(5, years - 1), years - 1})
    title = f"{shock}: {settings['games']} economies of {settings['followers']}, median [5 %, 95 %]"
    table = Table("effect on", *(f"year {k}" for k in after), title=title, title_justify="left")
    for measure in MEASURES:
        low, middle, high = bands[measure.indicator]
        cells = [f"{middle[BEFORE + k]:.2f} [{low[BEFORE + k]:.2f}, {high[BEFORE + k]:.2f}]" for k in after]
        table.add_row(measure.title, *cells)
    return table


def draw(bands: Mapping[str, Mapping[str, Array]], years: int, image: Path) -> None:
    """One panel for each measure: a line and a band for each shock."""
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(2, 3, figsize=(11, 5.6), layout="constrained", sharex=True)
    first = np.arange(-BEFORE, years)
    for panel, measure in zip(panels.ravel(), MEASURES, strict=True):
        for colour, (shock, each) in enumerate(bands.items()):
            low, middle, high = each[measure.indicator]
            panel.fill_between(first, low, high, color=f"C{colour}", alpha=0.2, linewidth=0)
            panel.plot(first, middle, color=f"C{colour}", label=shock.replace("_", " "))
        panel.axhline(0, color="0.6", linewidth=0.8)
        panel.set_title(measure.title, fontsize=10)
        panel.grid(alpha=0.3)
    for panel in panels[-1]:
        panel.set_xlabel("years after the shock")
    panels[0, 0].legend(frameon=False)
    image.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(image, dpi=110)
    pyplot.close(figure)
