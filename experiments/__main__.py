"""`python -m experiments` is the command `smfg`."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """The console command; where a package it needs is missing, or another in its place, one line says so."""
    _in_utf8_mode()
    try:
        import rllib_smfg  # noqa: F401
    except ImportError as error:
        sys.exit(f"smfg: {error}")
    from experiments.commands.main import main as run

    run()


def _in_utf8_mode() -> None:
    """Starts Python again in its UTF-8 mode where paths are taken for another encoding: Ray reads them as UTF-8."""
    if sys.getfilesystemencoding() == "utf-8":
        return
    os.environ["PYTHONUTF8"] = "1"
    if not os.environ.get("PYTHONIOENCODING"):
        os.environ["PYTHONIOENCODING"] = f"{sys.stdout.encoding}:backslashreplace"  # what is shown stays as it was
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


if __name__ == "__main__":
    main()
