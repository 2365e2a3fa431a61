"""Results of a grid that nobody ran: numbers with a known answer, in the shape that `smfg grid` writes."""

from __future__ import annotations

import numpy as np

from experiments.grid.config import BOTH, CONSTANT, EQUAL, PUBLISHED, REAL, SMFG, GridSetting
from experiments.grid.mixtures import ALL
from experiments.grid.results import ResultRow

SEEDS = (1, 2, 3, 4, 5)
# method, bounds: output, welfare, ginis and years around which seeds lie
TABLE_3 = {
    ("Free market", BOTH): (1.4e5, 33.0, 0.89, 0.92, 1.1),
    ("Saez tax", BOTH): (2.3e12, 74.0, 0.21, 0.38, 300),
    ("US federal tax", BOTH): (4.9e11, 94.0, 0.40, 0.40, 290),
    ("AI Economist", BOTH): (1.3e8, 73.0, 0.88, 0.91, 40),
    ("SMFG", PUBLISHED): (9e12, 97.0, 0.52, 0.53, 300),
    ("SMFG", EQUAL): (2e12, 98.0, 0.55, 0.60, 280),
}
NAMES = ("per_capita_gdp", "social_welfare", "income_gini", "wealth_gini", "years")


def table3(group: str = "N=100") -> list[ResultRow]:
    """Final values and training curves of six settings, and three constant policies."""
    rows: list[ResultRow] = []
    for k, ((method, bounds), middle) in enumerate(TABLE_3.items()):
        setting = str(GridSetting(group, method, bounds))
        for seed in SEEDS:
            for name, value in zip(NAMES, middle, strict=True):
                luck = np.random.default_rng([k, seed]).normal(0, 0.05)
                final = value * (1 + luck) if name != "years" else min(300.0, value)
                run = f"{GridSetting(group, method, bounds).folder}/seed_{seed}"
                rows.append(ResultRow(run, seed, setting, name, None, final))
                for step in range(1, 7):
                    rows.append(ResultRow(run, seed, setting, name, 2000 * step, final * (step + luck) / 6))
    for k, gdp in enumerate((1.06e13, 9.7e12, 5.8e12), start=1):
        constant = str(GridSetting(group, CONSTANT, EQUAL))
        for name, value in zip(NAMES, (gdp, 97.0 + k, 0.5, 0.48 - 0.03 * k, 300), strict=True):
            rows.append(ResultRow(f"frontier/{k}", k, constant, name, None, value))
    return rows


def figure5() -> list[ResultRow]:
    """Households of two kinds at three shares."""
    rows = []
    for share in (0, 50, 100):
        for seed in SEEDS:
            for who, factor in ((SMFG, 2.0), (REAL, 1.0), (ALL, 1.5)):
                if (who, share) in ((SMFG, 0), (REAL, 100)):
                    continue
                setting = str(GridSetting(f"{share} % SMFG", who, BOTH))
                for name, value in (("utility", 0.4), ("wealth", 1e9), ("income", 1e8)):
                    rows.append(
                        ResultRow(f"mixture/{seed}", seed, setting, name, None, value * factor + seed * value / 50)
                    )
            gdp = 1e10 * (1 + share) + seed * 1e8
            rows.append(
                ResultRow(
                    f"mixture/{seed}", seed, str(GridSetting(f"{share} % SMFG", ALL, BOTH)), "per_capita_gdp", None, gdp
                )
            )
    return rows


def figure7() -> list[ResultRow]:
    """Losses of two networks that fall with the epochs."""
    rows = []
    for loss, network in (("NLL", "mlp"), ("MSE", "maddpg")):
        for side, more in (("training", 0.0), ("held_out", 0.1)):
            for seed in SEEDS:
                setting = str(GridSetting(loss, network, side))
                values = [1 / epoch + more + seed / 100 for epoch in range(1, 11)]
                rows += [
                    ResultRow(f"clones/seed_{seed}", seed, setting, "loss", k, v) for k, v in enumerate(values, start=1)
                ]
                rows.append(ResultRow(f"clones/seed_{seed}", seed, setting, "loss", None, values[-1]))
    return rows
