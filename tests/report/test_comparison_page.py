"""The page of a comparison: every row, its gain and its interval, out of the file that `smfg compare` wrote."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from experiments.commands.main import app

COMPARISON = """
game: {name: economy, preset: calibrated, task: social_welfare, followers: 60, horizon: 5, weighting: survey}
rows:
  - {name: US system, leader: us_system, follower: {name: constant, action: [0.93, 0.4]}}
  - name: 2 % wealth tax
    leader: {base: us_system, wealth_tax: {rate: 0.02}}
    follower: {name: constant, action: [0.93, 0.4]}
reference: US system
evaluation: {seeds: [1], episodes: 3}
"""


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of `smfg compare`."""
    folder = tmp_path_factory.mktemp("compared")
    (folder / "taxes.yaml").write_text(COMPARISON)
    result = CliRunner().invoke(app, ["compare", str(folder / "taxes.yaml"), "--output", str(folder / "out")])
    assert result.exit_code == 0, result.output
    return folder / "out"


def test_the_page_says_what_the_file_says(compared: Path) -> None:
    result = CliRunner().invoke(app, ["report", str(compared)])
    assert result.exit_code == 0, result.output
    page = (compared / "report.html").read_text(encoding="utf-8")
    content = json.loads((compared / "comparison.json").read_text(encoding="utf-8"))
    for name, row in content["rows"].items():
        assert name in page
        gain = row["consumption_equivalent"]
        assert f'data-value="{gain["mean"]}"' in page
        assert str(row["indicators"]["per_capita_gdp"]["mean"]) in page
    assert content["command"].split(" --")[0] in page
    assert page.count("<table") == 3


def test_tables_alone_are_markdown(compared: Path) -> None:
    target = compared / "tables.md"
    assert CliRunner().invoke(app, ["report", str(compared), "--output", str(target)]).exit_code == 0
    assert "| 2 % wealth tax |" in target.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("comparison.json", "{", "not valid JSON; make it again with smfg compare"),
        ("comparison.json", "{}", "is no comparison of smfg compare"),
        ("reform.json", "{}", "a reform's page is written by smfg reform --html"),
    ],
)
def test_what_is_no_comparison_is_refused_in_a_line(tmp_path: Path, name: str, text: str, says: str) -> None:
    (tmp_path / name).write_text(text)
    source = tmp_path if name == "comparison.json" else tmp_path / name
    result = CliRunner().invoke(app, ["report", str(source)])
    assert result.exit_code == 2
    assert says in " ".join(result.output.split())
