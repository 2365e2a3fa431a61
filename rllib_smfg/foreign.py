"""Other packages called `envs` or `policies`, as PyPI has them, in the place of ours."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

OURS = {"envs": "StackelbergMeanFieldGame", "policies": "LeaderPolicy"}  # package -> a name that only ours has
HERE = Path(__file__).resolve().parents[1]


def refuse_foreign_packages() -> None:
    """Raises ImportError that says in one line whose package is imported by a name of ours, and what to do."""
    for package, name in OURS.items():
        where = _where(package)
        try:
            found = import_module(package)
        except ImportError:
            if where.parents[1] == HERE:
                raise  # ours, and something that it needs is missing
            raise ImportError(_fault(package, where)) from None
        if not hasattr(found, name):
            raise ImportError(_fault(package, where))


def _where(package: str) -> Path:
    """The file of a package that would be imported; of one without any, its folder."""
    spec = find_spec(package)
    if spec is None:
        return HERE / package / "__init__.py"
    return Path(spec.origin or next(iter(spec.submodule_search_locations or [package]))).resolve()


def _fault(package: str, where: Path) -> str:
    return (
        f"another package called '{package}' is in the way of rllib-smfg's own ({where});"
        f" pip uninstall {package}, then pip install --force-reinstall --no-deps rllib-smfg"
    )
