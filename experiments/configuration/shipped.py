"""The YAML files that come with this package, by their names."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

SHIPPED = Path(str(resources.files("experiments"))) / "configs"
GRIDS = SHIPPED / "grids"
SEARCHES = (SHIPPED.parent / "tune_configs").resolve()  # a link, but where it is installed
EXPERIMENTS = (SHIPPED, SHIPPED / "methods")  # folders whose files `smfg train NAME` finds


def shipped(*folders: Path) -> dict[str, Path]:
    """The files of some folders by their names; without any, those of `smfg train` and its like."""
    return {path.stem: path for folder in folders or EXPERIMENTS for path in sorted(folder.glob("*.yaml"))}
