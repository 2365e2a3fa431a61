"""`smfg export CHECKPOINT`: policies to hand over. Whoever takes them need not trust us: nothing is unpickled."""

from __future__ import annotations

import shutil
from pathlib import Path
from shlex import quote

from policies.checksums import write_checksums
from rllib_smfg.export import save_policies
from rllib_smfg.storage import checkpoints
from rllib_smfg.storage.files import refuse_overwriting, written_folder


def run(path: Path, output: Path | None) -> None:
    """Exports the checkpoint that `path` means; raises InvalidSetting if it is damaged or `output` is in use.

    output: the folder to make: both sides' weights (safetensors), policy.json, the experiment (config.yaml) and
    SHA256SUMS, which `sha256sum --check SHA256SUMS` reads as well.
    """
    checkpoint = checkpoints.find(path)
    policies = checkpoints.read_policies(checkpoint)
    folder = output or Path(f"{checkpoint.resolve().name}-policies")
    refuse_overwriting(folder)
    if folder.exists():
        folder.rmdir()
    with written_folder(folder) as beside:
        save_policies(policies, beside)
        if (checkpoint / checkpoints.CONFIG).is_file():
            shutil.copyfile(checkpoint / checkpoints.CONFIG, beside / checkpoints.CONFIG)
            write_checksums(beside)
    print(f"{folder}: policies of {checkpoint}; play them with: smfg evaluate {quote(str(folder))}")
