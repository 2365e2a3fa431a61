"""The tiny configuration without comparison at its end: searches and grids train it again and again."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tiny(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration that trains in a second or two."""
    path = tmp_path_factory.mktemp("configs") / "tiny.yaml"
    path.write_text(tiny.read_text() + "comparison: {baselines: []}\n")
    return path
