"""The survey: its figures, what is drawn from it, and files that cannot be used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from envs import InvalidSetting, make
from envs.economy.indicators import weighted_gini
from envs.economy.population import load_population
from envs.economy.survey import check_survey, read_survey
from envs.economy.survey_cells import write_cells

# of the summary extract of the SCF 2022: mean assets, asset gini, mean income, income gini, mean education code
MOMENTS = {
    "survey": (1_186_753.5, 0.78617, 141_430.76, 0.60676, 9.95035),
    "unweighted": (20_335_013.3, 0.93237, 1_594_219.4, 0.92169, 10.33373),
}
GOOD = "WGT,EDUC,INCOME,ASSET\n100,12,50000,200000\n300,-1,0,0\n"


@pytest.mark.parametrize("weighting", ["survey", "unweighted"])
def test_draws_have_the_surveys_moments(weighting: str) -> None:
    assets, ability, income = load_population(weighting=weighting).draw(np.random.default_rng(0), 4, 200_000)
    assert assets.shape == ability.shape == income.shape == (4, 200_000)
    one = np.ones(assets.size)
    found = (
        *(assets.mean(), weighted_gini(assets.ravel(), one), income.mean(), weighted_gini(income.ravel(), one)),
        ability.mean(),
    )
    np.testing.assert_allclose(found, MOMENTS[weighting], rtol=0.02)
    assert np.all(assets >= 0)
    assert set(np.unique(ability)) == {0.1, *range(1, 15)}


@pytest.mark.parametrize("weighting", ["survey", "unweighted"])
def test_cells_keep_the_surveys_means_exactly(weighting: str) -> None:
    cells = load_population(weighting=weighting)
    share = cells.share / cells.share.sum()
    assets, _, income, _, education = MOMENTS[weighting]
    # the table has four significant digits
    np.testing.assert_allclose(share @ cells.assets, assets, rtol=2e-4)
    np.testing.assert_allclose(share @ cells.income, income, rtol=2e-4)
    np.testing.assert_allclose(share @ cells.education, education, rtol=2e-4)


def test_the_rich_are_educated_and_earn_more() -> None:
    assets, ability, income = (x[0] for x in load_population().draw(np.random.default_rng(1), 1, 100_000))
    rich = assets >= np.quantile(assets, 0.9)
    assert ability[rich].mean() > ability[~rich].mean() + 1.5
    assert income[rich].mean() > 4 * income[~rich].mean()


def test_the_same_seed_draws_the_same_households_and_games_differ() -> None:
    population = load_population()
    first, again = (population.draw(np.random.default_rng(7), 2, 50) for _ in range(2))
    for x, y in zip(first, again, strict=True):
        np.testing.assert_array_equal(x, y)
        assert not np.array_equal(x[0], x[1])


def test_the_extract_sums_up_to_the_published_moments(shared: Path) -> None:
    summary = check_survey(shared / "data" / "scfp2022.csv")
    assert summary.rows == 22_955
    assert summary.households == pytest.approx(131.26e6, rel=1e-4)
    found = (summary.mean_assets, summary.asset_gini, summary.mean_income, summary.income_gini, summary.mean_education)
    np.testing.assert_allclose(found, MOMENTS["survey"], rtol=1e-5)
    found = (
        *(summary.unweighted_mean_assets, summary.unweighted_asset_gini, summary.unweighted_mean_income),
        *(summary.unweighted_income_gini, summary.unweighted_mean_education),
    )
    np.testing.assert_allclose(found, MOMENTS["unweighted"], rtol=1e-5)


def test_the_embedded_cells_come_from_the_extract(shared: Path, tmp_path: Path) -> None:
    write_cells(read_survey(shared / "data" / "scfp2022.csv"), tmp_path / "cells.csv")
    embedded = Path(__file__).resolve().parents[2] / "envs" / "economy" / "data" / "scf2022_cells.csv"
    assert (tmp_path / "cells.csv").read_text() == embedded.read_text()
    assert embedded.stat().st_size < 60_000


def test_an_economy_may_be_drawn_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "survey.csv"
    path.write_text(GOOD)
    weighted = make("economy", followers=4000, population=str(path)).reset(seed=0).follower
    assert set(np.unique(weighted[..., 1])) == {0.0, 200_000.0}
    assert (weighted[..., 1] > 0).mean() == pytest.approx(0.25, abs=0.03)
    alike = make("economy", followers=4000, population=path, weighting="unweighted").reset(seed=0).follower
    assert (alike[..., 1] > 0).mean() == pytest.approx(0.5, abs=0.03)


def test_official_names_in_any_case_order_and_company(tmp_path: Path) -> None:
    path = tmp_path / "survey.csv"
    path.write_text("\ufeffasset,Educ,Y1,income,wgt\n200000,12,11,50000,100\n0,-1,12,0,300\n", encoding="utf-8")
    survey = read_survey(path)
    assert survey.weight.tolist() == [100, 300]
    assert survey.education.tolist() == [12, 0.1]
    assert survey.income.tolist() == [50000, 0]
    assert survey.assets.tolist() == [200000, 0]
    assert check_survey(path).mean_assets == 50_000
    assert check_survey(path).unweighted_mean_assets == 100_000


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "empty; must have columns WGT, EDUC, INCOME, ASSET"),
        ("WGT,EDUC,INCOME,ASSET\n", "no rows .* column WGT"),
        ("WGT,EDUC,INCOME\n1,2,3\n", "column ASSET is missing"),
        ("a,b\n1,2\n", "column WGT is missing"),
        ("WGT,EDUC,INCOME,ASSET,ASSET\n1,2,3,4,5\n", "column ASSET appears more than once"),
        (GOOD + "5,9,1000\n", "line 4 has 3 of 4 values, column ASSET is missing; .* truncated"),
        (GOOD + "5,9\n", "line 4 has 2 of 4 values, column INCOME is missing; .* truncated"),
        (GOOD + "5,9,abc,7\n", "line 4, column INCOME is 'abc'; must be a number"),
        (GOOD + "5,9,,7\n", "line 4, column INCOME is ''"),
        (GOOD + "5,9,nan,7\n", "column INCOME is 'nan'"),
        (GOOD + "5,9,7,inf\n", "column ASSET is 'inf'"),
        (GOOD + "-5,9,7,7\n", "line 4, column WGT is '-5'"),
        (GOOD + "5,9,7,-7\n", "line 4, column ASSET is '-7'"),
        (GOOD + "5,15,7,7\n", "column EDUC is '15'; must be a whole code"),
        (GOOD + "5,0,7,7\n", "column EDUC is '0'; must be a whole code"),
        ("WGT,EDUC,INCOME,ASSET\n0,9,7,7\n", "column WGT sums to 0"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_by_column(tmp_path: Path, text: str, fault: str) -> None:
    path = tmp_path / "survey.csv"
    path.write_text(text)
    for read in (check_survey, lambda path: make("economy", population=str(path))):
        with pytest.raises(InvalidSetting, match=fault) as error:
            read(path)
        assert "\n" not in str(error.value)


def test_files_that_are_no_text_and_no_files(tmp_path: Path) -> None:
    path = tmp_path / "survey.csv"
    path.write_bytes(bytes(range(256)) * 20)
    with pytest.raises(InvalidSetting, match="not a text file"):
        check_survey(path)
    for absent in (tmp_path / "nothing.csv", tmp_path):
        with pytest.raises(InvalidSetting, match="no such file"):
            check_survey(absent)
        with pytest.raises(InvalidSetting, match="must be 'scf2022' or the path"):
            make("economy", population=absent)


def test_a_truncated_extract_is_refused(shared: Path, tmp_path: Path) -> None:
    whole = (shared / "data" / "scfp2022.csv").read_bytes()
    path = tmp_path / "cut.csv"
    path.write_bytes(whole[: len(whole) // 2 - len(whole) // 2 % 7])
    with pytest.raises(InvalidSetting, match="truncated"):
        check_survey(path)
