"""What the survey says of households, from its rows and from the embedded cells."""

from __future__ import annotations

import csv
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from envs import InvalidSetting
from envs.economy.population import load_population
from rllib_smfg.cloning.households import draw_households, read_spending
from rllib_smfg.cloning.spending_cells import write_spending_cells

SPENDING = Path(str(resources.files("rllib_smfg.cloning"))) / "data" / "scf2022_spending.csv"
HEADER = "WGT,EDUC,INCOME,ASSET,FOODHOME,FOODAWAY,FOODDELV,TPAY,LF"


def extract(path: Path, *rows: str, header: str = HEADER) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_spending_cells_are_those_of_the_population_in_the_same_order() -> None:
    cells = resources.files("envs.economy") / "data" / "scf2022_cells.csv"
    tables = []
    for text in (cells.read_text(encoding="utf-8"), SPENDING.read_text(encoding="utf-8")):
        rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
        tables.append([(float(row["education"]), float(row["rows"])) for row in rows])
    assert tables[0] == tables[1]


def test_spending_cells_are_what_their_writer_makes_of_the_survey(shared: Path, tmp_path: Path) -> None:
    write_spending_cells(shared / "data" / "scfp2022.csv", tmp_path / "cells.csv")
    assert (tmp_path / "cells.csv").read_text() == SPENDING.read_text()


def test_drawing_from_cells_is_like_drawing_from_the_survey(shared: Path) -> None:
    drawn = [
        draw_households(source, "survey", 60_000, np.random.default_rng(1))
        for source in ("scf2022", shared / "data" / "scfp2022.csv")
    ]
    for name, tolerance in (("education", 0.01), ("food", 0.02), ("works", 0.02), ("loan_payments", 0.1)):
        cells, rows = (getattr(households, name) for households in drawn)
        assert cells.mean() == pytest.approx(rows.mean(), rel=tolerance), name
    correlations = [np.corrcoef(h.assets.argsort().argsort(), h.food.argsort().argsort())[0, 1] for h in drawn]
    assert correlations[0] == pytest.approx(correlations[1], abs=0.1)


def test_rows_are_drawn_by_weight_or_alike_and_keep_their_families(tmp_path: Path) -> None:
    rows = [f"1,12,100,{k},1,2,3,4,1" for k in range(5)] + [f"3,8,200,{k},1,2,3,4,0" for k in range(5)]
    path = extract(tmp_path / "survey.csv", *rows)
    for weighting, share in (("survey", 0.75), ("unweighted", 0.5)):
        drawn = draw_households(path, weighting, 4000, np.random.default_rng(1))
        second = drawn.kind == 1
        assert second.mean() == pytest.approx(share, abs=0.03)
        assert (drawn.income[second] == 200).all()
        assert not drawn.works[second].any()
        assert drawn.works[~second].all()
        assert (drawn.food == 6).all()
        assert (drawn.loan_payments == 48).all()


def test_a_split_shares_no_kind_and_loses_nobody() -> None:
    random = np.random.default_rng(1)
    drawn = draw_households("scf2022", "survey", 5000, random)
    kept, apart = drawn.split(0.25, random)
    assert len(kept) + len(apart) == len(drawn)
    assert not set(kept.kind) & set(apart.kind)
    assert len(set(apart.kind)) == round(0.25 * len(set(drawn.kind)))


def test_weightings_differ_as_those_of_the_population() -> None:
    for weighting in ("survey", "unweighted"):
        population = load_population("scf2022", weighting)
        drawn = draw_households("scf2022", weighting, 200_000, np.random.default_rng(1))
        assert drawn.assets.mean() == pytest.approx(np.average(population.assets, weights=population.share), rel=0.1)


@pytest.mark.parametrize("column", ["FOODAWAY", "TPAY", "LF"])
def test_a_survey_without_a_column_is_refused_by_its_name(tmp_path: Path, column: str) -> None:
    path = extract(tmp_path / "survey.csv", "1,12,100,5,1,2,3,4,1", header=HEADER.replace(column, "OTHER"))
    with pytest.raises(InvalidSetting, match=f"column {column} is missing") as error:
        read_spending(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("value", ["much", "-1", ""])
def test_a_value_that_is_no_amount_is_refused_by_its_column(tmp_path: Path, value: str) -> None:
    path = extract(tmp_path / "survey.csv", f"1,12,100,5,1,2,3,{value},1")
    with pytest.raises(InvalidSetting, match="column TPAY"):
        read_spending(path)
