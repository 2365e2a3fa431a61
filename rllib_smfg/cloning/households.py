"""What the Survey of Consumer Finances 2022 says of households: who they are, and what they spend.

Either the rows of the official summary extract (see envs/economy/survey.py), or households drawn from the cells that
envs/economy embeds together with `data/scf2022_spending.csv` (written by spending_cells.py), cell by cell.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, fields
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from envs.csv_table import CsvTable, read_table
from envs.economy.population import EMBEDDED, Population, load_population
from envs.game import InvalidSetting

# columns of the extract: dollars a year for food, dollars a month for loans, 1 or 0 for the labour force
FOOD, LOANS, LABOUR_FORCE = ("FOODHOME", "FOODAWAY", "FOODDELV"), "TPAY", "LF"
# the survey publishes each family five times, with what it did not answer imputed anew
COPIES = 5
MOST = 1e13  # dollars


@dataclass(frozen=True)
class Households:
    """Surveyed households, (R,) each.

    education: code 0.1..14. assets, and a year's income before tax, spending on food and payments on loans: dollars.
    works: whether the family's reference person is in the labour force. kind: number of the family, or of the cell.
    """

    education: NDArray[np.float64]
    assets: NDArray[np.float64]
    income: NDArray[np.float64]
    food: NDArray[np.float64]
    loan_payments: NDArray[np.float64]
    works: NDArray[np.bool_]
    kind: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.education)

    def where(self, chosen: NDArray[np.bool_]) -> Households:
        """The households of a mask (R,)."""
        return Households(*(getattr(self, field.name)[chosen] for field in fields(self)))

    def split(self, held_out: float, random: np.random.Generator) -> tuple[Households, Households]:
        """Two disjoint sets of kinds, of which the second holds about a share `held_out` of all kinds."""
        kinds = np.unique(self.kind)
        apart = np.isin(self.kind, random.choice(kinds, max(1, round(held_out * len(kinds))), replace=False))
        return self.where(~apart), self.where(apart)


def draw_households(
    source: str | Path, weighting: str, n: int, random: np.random.Generator, wealth: str = "assets"
) -> Households:
    """n households drawn with replacement from `scf2022` (the embedded cells) or from the extract at a path.

    weighting: `survey` draws by the survey's weights, `unweighted` draws every row alike.
    wealth: what counts as assets, `assets` or `net_worth`. Raises InvalidSetting.
    """
    population = load_population(source, weighting, wealth)  # refuses what does not exist
    kind = random.choice(len(population.share), n, p=population.share / population.share.sum())
    if source != EMBEDDED:
        return _of_extract(Path(source), population, kind)
    cells = _spending_cells()
    pays = random.random(n) < cells["pays"][kind]
    return Households(
        population.education[kind],
        _lognormal(population.assets, population.assets_spread, kind, random),
        _lognormal(population.income, population.income_spread, kind, random),
        _lognormal(cells["food"], cells["food_spread"], kind, random),
        pays * _lognormal(cells["payments"], cells["payments_spread"], kind, random),
        random.random(n) < cells["works"][kind],
        kind,
    )


def read_spending(path: Path) -> pd.DataFrame:
    """Columns food, loan_payments (dollars a year) and works of an extract that `read_survey` accepts, row by row.

    Raises InvalidSetting that names the column at fault.
    """
    needed = (*FOOD, LOANS, LABOUR_FORCE)
    cells = read_table(path, f"survey '{path}'", needed)
    table = pd.DataFrame({name: [_amount(cells, row, name) for row in range(len(cells.rows))] for name in needed})
    food, loans = table[list(FOOD)].sum(axis=1), 12 * table[LOANS]
    return pd.DataFrame({"food": food, "loan_payments": loans, "works": table[LABOUR_FORCE] > 0})


def _amount(cells: CsvTable, row: int, column: str) -> float:
    value = cells.number_at(row, column)
    if not 0 <= value <= MOST:
        line = cells.rows[row][0]
        raise InvalidSetting(f"{cells.what}: line {line}, column {column} is {value:g}; must be from 0 to {MOST:g}")
    return value


def _of_extract(path: Path, population: Population, row: NDArray[np.int64]) -> Households:
    spending = read_spending(path)
    return Households(
        population.education[row],
        population.assets[row],
        population.income[row],
        spending["food"].to_numpy(np.float64)[row],
        spending["loan_payments"].to_numpy(np.float64)[row],
        spending["works"].to_numpy(np.bool_)[row],
        row // COPIES,
    )


def _spending_cells() -> dict[str, NDArray[np.float64]]:
    file = Path(str(resources.files("rllib_smfg.cloning"))) / "data" / "scf2022_spending.csv"
    with file.open(encoding="utf-8", newline="") as lines:
        cells = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    return {name: np.array([float(cell[name]) for cell in cells]) for name in cells[0]}


def _lognormal(
    mean: NDArray[np.float64], spread: NDArray[np.float64], kind: NDArray[np.int64], random: np.random.Generator
) -> NDArray[np.float64]:
    """Amounts around the means of their cells, `spread` being the standard deviation of their logs."""
    sd = spread[kind]
    drawn: NDArray[np.float64] = mean[kind] * np.exp(sd * random.standard_normal(len(kind)) - sd**2 / 2)
    return drawn
