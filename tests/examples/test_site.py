"""The documentation as a site: it builds without a warning, names all that is public, and needs no network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

import rllib_smfg
from rllib_smfg import PopulationPPOConfig, SMFRLConfig, StructuralSMFRLConfig

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr
    return folder


def test_the_reference_has_every_public_name(site: Path) -> None:
    text = (site / "reference.html").read_text(encoding="utf-8")
    for name, module in rllib_smfg.PUBLIC.items():
        assert f'id="{module}.{name}"' in text, name


def test_the_reference_has_every_setting_with_its_sentence(site: Path) -> None:
    text = (site / "reference.html").read_text(encoding="utf-8")
    for stated in (*SMFRLConfig.stated_in, *PopulationPPOConfig.stated_in, *StructuralSMFRLConfig.stated_in):
        for each in fields(stated):
            assert f"<code>{each.name}</code>" in text, each.name
    assert "transitions that the replay keeps ([1, 100000000])" in text


@pytest.mark.parametrize("name", ["make", "module_folder", "price_taking", "Returns", "Raises"])
def test_what_is_said_of_them_is_there(site: Path, name: str) -> None:
    assert name in (site / "reference.html").read_text(encoding="utf-8")


def test_every_page_is_in_the_site(site: Path) -> None:
    for page in (ROOT / "docs").rglob("*.md"):
        built = page.relative_to(ROOT / "docs").with_suffix(".html").as_posix().replace("README", "index")
        assert (site / built).is_file(), built


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        loaded = re.findall(r"<(?:script|img|link)\b[^>]*?(?:src|href)=\"?(https?://[^\"> ]+)", page.read_text("utf-8"))
        assert not loaded, (page.name, loaded)


def test_links_out_of_the_documentation_become_paths(site: Path) -> None:
    text = (site / "extend.html").read_text(encoding="utf-8")
    assert "<code>docs/examples/own_structural_game.py</code>" in text
    assert "../experiments" not in text
