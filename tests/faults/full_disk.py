"""Run as a program in a mount namespace of its own: trains onto a disk that is full, then read-only, then neither."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import yaml
from fault_parts import TINY

from rllib_smfg.processes.quiet import quieten


def main(folder: Path) -> None:
    quieten()
    disk, found = folder / "disk", {}
    disk.mkdir()
    (folder / "tiny.yaml").write_text(yaml.safe_dump(TINY))
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=640k", "tmpfs", str(disk)], check=True)
    found["full"] = smfg("train", folder / "tiny.yaml", "--output", disk / "run")
    found["left"] = sorted(path.name for path in (disk / "run" / "seed_1" / "checkpoints").iterdir())
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    found["read-only"] = smfg("train", "--resume", disk / "run")
    subprocess.run(["mount", "-o", "remount,rw,size=64m", str(disk)], check=True)
    found["after"] = smfg("train", "--resume", disk / "run")
    found["finished"] = (disk / "run" / "summary.json").is_file()
    print(json.dumps(found))


def smfg(*arguments: object) -> tuple[int, str, str]:
    """Exit code, output and errors of the command."""
    from experiments.commands.main import app

    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = app([str(argument) for argument in arguments], standalone_mode=False)
    return code, out.getvalue(), err.getvalue()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
