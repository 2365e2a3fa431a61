"""Weights & Biases: `training.wandb` sends there what TensorBoard gets.

Needs the extra: pip install 'rllib-smfg[wandb]'. Its own environment variables count (WANDB_MODE, WANDB_ENTITY,
WANDB_BASE_URL, ...). Offline, a run waits in the seed's folder until `wandb sync` sends it.
"""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from envs import InvalidSetting
from rllib_smfg.economics.pictures import Look
from rllib_smfg.processes.waiting import saying
from rllib_smfg.storage.files import write_text

Wanted = bool | str  # false, true, offline, or the name of a project
OFFLINE, PROJECT = "offline", "rllib-smfg"
QUIET = ("offline", "dryrun", "disabled")  # values of WANDB_MODE that ask nobody
NO_NAME = re.compile(r"[/\\#?%:]")
ID = "wandb.id"  # in a seed's folder: under which run it goes on


def refuse_unusable_wandb(wanted: Wanted) -> None:
    """Raises InvalidSetting where the library or the login is missing, or a project cannot have that name."""
    if wanted is False:
        return
    if isinstance(wanted, str) and (not wanted.strip() or NO_NAME.search(wanted) or len(wanted) > 128):
        raise InvalidSetting(f"training.wandb = {wanted!r}: must be true, false, offline, or a project without /\\#?%:")
    if find_spec("wandb") is None:
        raise InvalidSetting(
            "training.wandb: Weights & Biases is not installed; pip install 'rllib-smfg[wandb]', or leave it out"
        )
    if not _asks_nobody(wanted) and not _logged_in():
        raise InvalidSetting(
            "training.wandb: not logged in to Weights & Biases; run `wandb login` or set WANDB_API_KEY,"
            " or keep the run here with training.wandb=offline"
        )


def _asks_nobody(wanted: Wanted) -> bool:
    return wanted == OFFLINE or os.environ.get("WANDB_MODE", "") in QUIET


def _logged_in() -> bool:
    import wandb

    try:
        with saying("asking Weights & Biases for the login (at most 30 s)"):
            return bool(wandb.login(prompt=False))
    except wandb.errors.Error as error:
        raise InvalidSetting(f"training.wandb: {' '.join(str(error).split())}") from None


class WandbLog:
    """One seed's run there; resumed, it goes on as the same run. The horizontal axis is years played."""

    def __init__(self, folder: Path, wanted: Wanted) -> None:
        import wandb

        self._library = wandb
        own = folder / ID
        if not own.is_file():
            write_text(own, uuid.uuid4().hex[:12])
        settings = wandb.Settings(silent=True, console="off", x_disable_meta=True, x_disable_stats=True)
        self._run = wandb.init(
            project=wanted if isinstance(wanted, str) and wanted != OFFLINE else PROJECT,
            name=f"{folder.absolute().parent.name}/{folder.name}",
            id=own.read_text(encoding="utf-8").strip(),
            dir=str(folder),
            mode="offline" if wanted == OFFLINE else None,
            resume=None if _asks_nobody(wanted) else "allow",
            settings=settings,
        )
        self._run.define_metric("years")
        self._run.define_metric("*", step_metric="years")

    def add_settings(self, settings: Mapping[str, Any]) -> None:
        """What was set."""
        self._run.config.update(dict(settings), allow_val_change=True)

    def add(self, years: int, row: Mapping[str, float]) -> None:
        """An iteration's numbers."""
        self._run.log({**row, "years": years})

    def add_look(self, years: int, look: Look) -> None:
        """Histograms over households, and pictures."""
        histograms = {name: self._library.Histogram(values) for name, values in look.distributions().items()}
        images = {name: self._library.Image(image) for name, image in look.images().items()}
        self._run.log({**histograms, **images, "years": years})

    def close(self) -> None:
        """Sends what is left, or writes it out: `finish` alone returns a moment before the file is whole."""
        self._run.finish()
        self._library.teardown()
