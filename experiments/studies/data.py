"""`smfg data check PATH`: can this survey file be used, and what is in it?"""

from __future__ import annotations

import math
from pathlib import Path

from rich.console import Console
from rich.table import Table

from envs.economy.survey import check_survey
from experiments.results.tables import UNDEFINED


def run(console: Console, path: Path) -> None:
    """Prints what the survey says by its weights and row by row; raises InvalidSetting that names a faulty column."""
    survey = check_survey(path)
    heading = f"{path}: {survey.rows:,} rows for {survey.households:,.0f} households"
    console.print(heading, soft_wrap=True, highlight=False, markup=False)
    table = Table("")
    for heading in ("survey weights", "unweighted"):
        table.add_column(heading, justify="right")
    rows = {
        "mean assets (USD)": ("mean_assets", ",.0f"),
        "mean income (USD)": ("mean_income", ",.0f"),
        "mean education code": ("mean_education", ".2f"),
        "gini of assets": ("asset_gini", ".3f"),
        "gini of income": ("income_gini", ".3f"),
    }
    for label, (name, form) in rows.items():
        table.add_row(label, *(_told(getattr(survey, key), form) for key in (name, f"unweighted_{name}")))
    console.print(table)


def _told(value: float, form: str) -> str:
    return UNDEFINED if math.isnan(value) else format(value, form)
