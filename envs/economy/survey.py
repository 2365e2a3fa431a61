"""Reads the Federal Reserve Board's Survey of Consumer Finances: the official summary extract, SCFP2022.csv.

One row is one of five imputed copies of a family. Columns needed, in any order, case and number of others:
WGT (households a row stands for), EDUC (education code, -1 and 1..14), INCOME and ASSET (US dollars of 2022); in place
of ASSET one may ask for NETWORTH, which is ASSET less debts and counts as 0 where it is below.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from envs.csv_table import number, read_table, shown
from envs.economy.indicators import weighted_gini
from envs.game import InvalidSetting

COLUMNS = ("WGT", "EDUC", "INCOME", "ASSET")
# the survey's code of no schooling is -1; as an ability it counts as 0.1
NO_SCHOOLING, LEAST_ABILITY = -1.0, 0.1
# column -> smallest value, largest value
RANGES = {
    "WGT": (0.0, 1e9),
    "EDUC": (LEAST_ABILITY, 14.0),
    "INCOME": (-1e12, 1e13),
    "ASSET": (0.0, 1e13),
    "NETWORTH": (-1e12, 1e13),
}
# what a household's wealth may mean -> the column that has it
WEALTH = {"assets": "ASSET", "net_worth": "NETWORTH"}


@dataclass(frozen=True)
class Survey:
    """The rows of a survey, (R,) each: weight (households), education (code), income and wealth (US dollars).

    `assets` holds the wealth that was asked for.
    """

    weight: NDArray[np.float64]
    education: NDArray[np.float64]
    income: NDArray[np.float64]
    assets: NDArray[np.float64]


@dataclass(frozen=True)
class SurveySummary:
    """What `smfg data check` reports: rows, the households they stand for, and moments with and without weights."""

    path: str
    rows: int
    households: float
    mean_assets: float
    mean_income: float
    mean_education: float
    asset_gini: float
    income_gini: float
    unweighted_mean_assets: float
    unweighted_mean_income: float
    unweighted_mean_education: float
    unweighted_asset_gini: float
    unweighted_income_gini: float


def read_survey(path: str | Path, wealth: str = "assets") -> Survey:
    """Reads the survey's rows with wealth `assets` or `net_worth`.

    Raises InvalidSetting that names the column, and the line where one is at fault; rows are never read shifted.
    """
    path, columns = Path(path), (*COLUMNS[:3], WEALTH[wealth])
    if not path.is_file():
        raise InvalidSetting(f"survey '{path}': no such file; must be the SCF summary extract (SCFP2022.csv)")
    cells = read_table(path, f"survey '{path}'", columns)
    values = [[_value(path, line, *cell) for cell in zip(columns, row, strict=True)] for line, row in cells.rows]
    if not values:
        raise InvalidSetting(f"survey '{path}': no rows below the header; column WGT is empty")
    table = np.array(values)
    if not table[:, 0].sum() > 0:
        raise InvalidSetting(f"survey '{path}': column WGT sums to 0; weights must be positive numbers of households")
    weight, education, income, owned = np.ascontiguousarray(table.T)
    return Survey(weight, education, income, np.maximum(owned, 0.0))


def check_survey(path: str | Path) -> SurveySummary:
    """Reads a survey and sums it up; raises InvalidSetting where it cannot be used."""
    survey = read_survey(path)
    one = np.ones_like(survey.weight)
    moments = [
        (
            *(float(np.average(x, weights=weight)) for x in (survey.assets, survey.income, survey.education)),
            *(weighted_gini(x, weight) for x in (survey.assets, survey.income)),
        )
        for weight in (survey.weight, one)
    ]
    return SurveySummary(str(path), len(one), float(survey.weight.sum()), *moments[0], *moments[1])


def _value(path: Path, line: int, column: str, text: str) -> float:
    read = number(text)
    value = float("nan") if read is None else read
    if column == "EDUC":
        value = _education(value)
    low, high = RANGES[column]
    if not low <= value <= high:
        wanted = "a whole code from 1 to 14, or -1" if column == "EDUC" else f"a number from {low:g} to {high:g}"
        raise InvalidSetting(f"survey '{path}': line {line}, column {column} is {shown(text)}; must be {wanted}")
    return value


def _education(code: float) -> float:
    """A code as an ability, which an extract may hold already; what is no code is not a number."""
    if code in (NO_SCHOOLING, LEAST_ABILITY):
        return LEAST_ABILITY
    return code if code >= 1 and code.is_integer() else float("nan")
