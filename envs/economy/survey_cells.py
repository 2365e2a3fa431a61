"""Writes the tables in data/ from the survey: python -m envs.economy.survey_cells SCFP2022.csv OUT.csv [net_worth]

A cell holds the rows of one education code within one band of assets (30 bands of equally many rows, which are narrow
where assets are large, and one of households without assets), split by income where there are enough rows.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from envs.economy.survey import Survey, read_survey

BANDS = 30
# the richest band spans two orders of magnitude: it is cut again
TOP_BANDS = 6
# a cell is split by income once for each of these numbers of rows that it reaches
SPLITS = (20, 40, 80, 120)
COLUMNS = (
    "households,rows,education,assets_weighted,assets_unweighted,assets_spread,"
    "income_weighted,income_unweighted,income_spread"
)
SOURCE = (
    "# Survey of Consumer Finances 2022, Board of Governors of the Federal Reserve System, summary extract (SCFP2022),",
    "# in cells written by envs/economy/survey_cells.py. households: sum of WGT. rows: of the file. Dollars of 2022.",
)


def cells(survey: Survey) -> Iterator[NDArray[np.int64]]:
    """The rows of each cell."""
    owners = np.flatnonzero(survey.assets > 0)
    owners = owners[np.argsort(survey.assets[owners], kind="stable")]
    *bands, richest = np.array_split(owners, BANDS)
    for band in (np.flatnonzero(survey.assets <= 0), *bands, *np.array_split(richest, TOP_BANDS)):
        for code in np.unique(survey.education[band]):
            cell = band[survey.education[band] == code]
            cell = cell[np.argsort(survey.income[cell], kind="stable")]
            yield from np.array_split(cell, 1 + sum(cell.size >= size for size in SPLITS))


def describe(survey: Survey, cell: NDArray[np.int64]) -> str:
    """One line of the table."""
    weight = survey.weight[cell]
    numbers = [weight.sum(), cell.size, survey.education[cell[0]]]
    for x in (survey.assets[cell], survey.income[cell]):
        numbers += [np.average(x, weights=weight), x.mean(), _spread(x, weight)]
    return ",".join(_figures(number) for number in numbers)


def write_cells(survey: Survey, path: Path, wealth: str = "assets") -> None:
    """Writes the table of a survey that was read with this kind of wealth."""
    meaning = [] if wealth == "assets" else ["# assets: here net worth, which is assets less debts, and at least 0."]
    path.write_text(
        "\n".join([*SOURCE, *meaning, COLUMNS, *(describe(survey, cell) for cell in cells(survey))]) + "\n", "utf-8"
    )


def _spread(x: NDArray[np.float64], weight: NDArray[np.float64]) -> float:
    """The standard deviation of logs of a lognormal with the coefficient of variation of x."""
    mean = np.average(x, weights=weight)
    return float(np.sqrt(np.log1p(np.average((x / mean - 1) ** 2, weights=weight)))) if mean > 0 else 0.0


def _figures(number: float) -> str:
    """Four significant digits, whole where they are enough."""
    rounded = float(f"{number:.4g}")
    return str(int(rounded)) if rounded == int(rounded) else str(rounded)


if __name__ == "__main__":
    kind = sys.argv[3] if len(sys.argv) > 3 else "assets"
    write_cells(read_survey(sys.argv[1], kind), Path(sys.argv[2]), kind)
