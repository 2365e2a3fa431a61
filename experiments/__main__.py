"""`python -m experiments` is the command `smfg`."""

from __future__ import annotations

import sys


def main() -> None:
    """The console command; where a package it needs is missing, or another in its place, one line says so."""
    try:
        import rllib_smfg  # noqa: F401
    except ImportError as error:
        sys.exit(f"smfg: {error}")
    from experiments.cli import main as run

    run()


if __name__ == "__main__":
    main()
