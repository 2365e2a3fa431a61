"""Writes data/scf2022_spending.csv: python -m rllib_smfg.cloning.spending_cells SCFP2022.csv OUT.csv

What the households of each cell of envs/economy/data/scf2022_cells.csv spend, in the same order of cells.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from envs.economy.survey import read_survey
from envs.economy.survey_cells import cells
from rllib_smfg.cloning.households import read_spending

COLUMNS = "education,rows,food,food_spread,pays,payments,payments_spread,works"
SOURCE = (
    "# Survey of Consumer Finances 2022, Board of Governors of the Federal Reserve System, summary extract (SCFP2022),",
    "# written by rllib_smfg/cloning/spending_cells.py for the cells of envs/economy/data/scf2022_cells.csv, in order.",
    "# food, payments on loans (of those who pay): dollars a year; pays, works: shares of households.",
)


def write_spending_cells(extract: Path, path: Path) -> None:
    """Writes the table of the cells of an extract."""
    survey, spending = read_survey(extract), read_spending(extract)
    lines = []
    for cell in cells(survey):
        numbers = [survey.education[cell[0]], cell.size, *_means(spending.iloc[cell], survey.weight[cell])]
        lines.append(",".join(f"{number:.4g}" for number in numbers))
    path.write_text("\n".join([*SOURCE, COLUMNS, *lines]) + "\n", "utf-8")


def _means(rows: pd.DataFrame, weight: NDArray[np.float64]) -> list[float]:
    """Means by weight of one cell; spreads of logs, of lognormals with the amounts' coefficients of variation."""
    food, loans, works = (rows[name].to_numpy(np.float64) for name in ("food", "loan_payments", "works"))
    pays = loans > 0
    payments = loans[pays], weight[pays]
    return [
        *_mean_and_spread(food, weight),
        float(np.average(pays, weights=weight)),
        *(_mean_and_spread(*payments) if pays.any() else (0.0, 0.0)),
        float(np.average(works, weights=weight)),
    ]


def _mean_and_spread(x: NDArray[np.float64], weight: NDArray[np.float64]) -> tuple[float, float]:
    mean = float(np.average(x, weights=weight))
    if mean == 0:
        return 0.0, 0.0
    return mean, float(np.sqrt(np.log1p(np.average((x / mean - 1) ** 2, weights=weight))))


if __name__ == "__main__":
    write_spending_cells(Path(sys.argv[1]), Path(sys.argv[2]))
