"""The page of a run: complete, self-contained, and readable in a browser on a desk and on a phone."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from browser import look

from experiments.report.drawing import VARIABLES

SECTIONS = ("policies", "learning", "economy", "government", "wealth", "taxes", "gains", "details")


@pytest.fixture(scope="session")
def html(report_page: Path) -> str:
    return report_page.read_text(encoding="utf-8")


def test_nothing_is_fetched_from_anywhere(html: str) -> None:
    assert not re.search(r"""(?:src|href)\s*=\s*["'](?!#|data:,)""", html)
    assert not re.search(r"@import|url\((?!#)|https?://", html)


def test_every_section_is_there_and_every_drawing_has_a_name_of_its_own(html: str) -> None:
    for section in SECTIONS:
        assert f'id="{section}"' in html
        assert f'href="#{section}"' in html
    names = re.findall(r' id="([^"]+)"', html)
    assert len(names) == len(set(names))
    for used in re.findall(r'(?:href="#|url\(#)([^")]+)', html):
        assert used in names


def test_drawings_take_the_colours_of_the_page(html: str) -> None:
    for colour, name in VARIABLES.items():
        assert colour not in html
        assert re.search(rf"--{name}:", html), f"the style does not define --{name}"


def test_numbers_are_those_of_the_run(economy_run: Path, html: str) -> None:
    rows = json.loads((economy_run / "comparison.json").read_text())["policies"]
    sorted_by = {float(value) for value in re.findall(r'data-value="([^"]+)"', html)}
    for row in rows.values():
        for name in ("per_capita_gdp", "wealth_gini", "years"):
            assert row[name]["mean"] in sorted_by
    for seed in json.loads((economy_run / "summary.json").read_text())["indicators"]["social_welfare"]["per_seed"]:
        assert seed in sorted_by


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)], ids=["desk", "phone in the dark"])
def test_it_reads_well_in_a_browser(report_page: Path, tmp_path: Path, width: int, dark: bool) -> None:
    seen = look(report_page, tmp_path, width=width, dark=dark)
    assert seen.console == []
    assert seen.measured["width"] <= seen.measured["wanted"] == width
    assert seen.measured["drawings"] >= 25
    assert seen.measured["empty"] == 0
    rising = [float(value) for value in seen.measured["rising"]]
    assert rising == sorted(float(value) for value in seen.measured["before"])
    assert [float(value) for value in seen.measured["falling"]] == rising[::-1]
    shades = [int(part) for part in re.findall(r"\d+", seen.measured["background"])]
    assert max(shades) < 60 if dark else min(shades) > 200
    assert not re.search(r"\bnan\b|\bNone\b|\binf\b", seen.measured["text"])


def test_measured_exploitability_is_shown(smfg, economy_run: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(economy_run, tmp_path / "run"))
    found = {"gain": {"value": 1.25, "ci_low": 1.0, "ci_high": 1.5}, "of_own_return": {"value": 0.05}}
    content = {"exploitability": [{"name": "household, N = 20", **found}]}
    (run / "exploitability.json").write_text(json.dumps(content))
    assert smfg("report", run) == (0, "")
    text = (run / "report.html").read_text(encoding="utf-8")
    assert re.search(r"household, N = 20</td>.*?>1.25<small>1 to 1.5</small>.*?>5 %<", text, re.DOTALL)


def test_mistakes_end_in_one_line(smfg, tmp_path: Path, economy_run: Path) -> None:
    code, err = smfg("report", tmp_path / "nowhere")
    assert (code, err.count("\n")) == (2, 1)
    assert "no such" in err
    (tmp_path / "config.yaml").write_text((economy_run / "config.yaml").read_text())
    code, err = smfg("report", tmp_path)
    assert code == 2
    assert f"finish it: smfg train --resume {tmp_path}" in err
    code, err = smfg("report", economy_run, "--output", tmp_path / "nowhere" / "page.html")
    assert code == 2
    assert "no such folder" in err
