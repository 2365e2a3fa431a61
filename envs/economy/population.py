"""The households an economy starts with: drawn from the Survey of Consumer Finances 2022 (Federal Reserve Board).

The survey is embedded as a table of cells (data/scf2022_cells.csv and, by net worth instead of assets,
data/scf2022_net_worth_cells.csv, written by survey_cells.py): bands of assets, split
by education code and by income. A household is drawn by drawing a cell, then assets and income around its means.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.economy.survey import Survey, read_survey
from envs.game import InvalidSetting
from envs.registry import nearest

EMBEDDED = "scf2022"
WEIGHTINGS = ("survey", "unweighted")


@dataclass(frozen=True, eq=False)
class Population:
    """Kinds of households, (C,) each: how common, mean assets and income (dollars), education code, spread of logs.

    A spread sd draws x = mean exp(sd z - sd^2 / 2), whose mean is `mean`; 0 draws the mean itself.
    """

    share: NDArray[np.float64]
    education: NDArray[np.float64]
    assets: NDArray[np.float64]
    assets_spread: NDArray[np.float64]
    income: NDArray[np.float64]
    income_spread: NDArray[np.float64]

    def draw(
        self, rng: np.random.Generator, games: int, followers: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Assets (dollars), ability (education code, 0.1 to 14) and income (dollars) of households, (B, N) each."""
        shape = (games, followers)
        cumulative = np.cumsum(self.share)
        kind = np.searchsorted(cumulative, rng.random(shape) * cumulative[-1], side="right")
        z = rng.standard_normal((2, *shape))
        assets = self.assets[kind] * _dispersion(self.assets_spread[kind], z[0])
        income = self.income[kind] * _dispersion(self.income_spread[kind], z[1])
        return assets, self.education[kind], income

    def __deepcopy__(self, memo: dict[int, Any]) -> Population:
        """A population never changes: copies of a game share it."""
        return self


# the embedded table of each kind of wealth
TABLES = {"assets": "scf2022_cells.csv", "net_worth": "scf2022_net_worth_cells.csv"}


def load_population(source: str | Path = EMBEDDED, weighting: str = "survey", wealth: str = "assets") -> Population:
    """`scf2022`, or the survey's rows from a CSV file (see survey.py), with wealth `assets` or `net_worth`.

    `survey` draws by the survey's weights; `unweighted` draws every row alike, which oversamples the rich (mean assets
    20.3 instead of 1.19 million dollars), as the published experiments did. Raises InvalidSetting.
    """
    if weighting not in WEIGHTINGS:
        raise InvalidSetting(f"unknown weighting '{weighting}'{nearest(str(weighting), list(WEIGHTINGS))}")
    if source == EMBEDDED:
        return _embedded(weighting, TABLES[wealth])
    if not Path(source).is_file():
        raise InvalidSetting(f"population '{source}': must be '{EMBEDDED}' or the path of an SCF summary extract (CSV)")
    return _surveyed(read_survey(source, wealth), weighting)


def _surveyed(survey: Survey, weighting: str) -> Population:
    share = survey.weight if weighting == "survey" else np.ones_like(survey.weight)
    exact = np.zeros_like(share)
    return Population(share, survey.education, survey.assets, exact, survey.income, exact)


def _embedded(weighting: str, file: str) -> Population:
    table = (resources.files("envs.economy") / "data" / file).read_text(encoding="utf-8")
    cells = list(csv.DictReader(line for line in table.splitlines() if not line.startswith("#")))

    def column(name: str) -> NDArray[np.float64]:
        return np.array([float(cell[name]) for cell in cells])

    means = "weighted" if weighting == "survey" else "unweighted"
    return Population(
        column("households" if weighting == "survey" else "rows"),
        column("education"),
        column(f"assets_{means}"),
        column("assets_spread"),
        column(f"income_{means}"),
        column("income_spread"),
    )


def _dispersion(spread: NDArray[np.float64], z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lognormal numbers of mean 1."""
    dispersion: NDArray[np.float64] = np.exp(spread * z - spread**2 / 2)
    return dispersion
