"""A seed's folder on whatever node trains it, and its likeness in a bucket."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from rllib_smfg.storage import checkpoints
from rllib_smfg.storage.checkpoints import CHECKPOINTS
from rllib_smfg.storage.places import Bucket

WHOLE = re.compile(rf"{CHECKPOINTS}/iteration_(\d+)/{checkpoints.MANIFEST}")  # of a bucket's names; written last


class Mirror:
    """A seed's folder and its likeness in a bucket; does nothing where there is no bucket."""

    def __init__(self, folder: Path, bucket: str | None, name: str) -> None:
        self._folder, self._name = folder, name
        self._bucket = Bucket(bucket) if bucket else None

    def fetch(self) -> None:
        """Brings what another node left, where that has come further than this one."""
        if self._bucket is None:
            return
        there = [int(match.group(1)) for each in self._bucket.files(self._name) if (match := WHOLE.fullmatch(each))]
        here = [checkpoints.iteration_of(path) for path in checkpoints.whole(self._folder / CHECKPOINTS)]
        if max(there, default=0) > max(here, default=0):
            self._bucket.pull(self._name, self._folder, exact=True)

    def update(self) -> None:
        """Brings the bucket up to date."""
        if self._bucket:
            self._bucket.push(self._folder, self._name)

    def saved(self, row: Mapping[str, float]) -> Path | None:
        """The checkpoint of the iteration that a row of progress tells of, if there is one."""
        path = checkpoints.path_of(self._folder / CHECKPOINTS, int(row["iteration"]))
        return path if path.is_dir() else None

    def follow(self, row: Mapping[str, float]) -> None:
        """Brings the bucket up to date where the iteration that a row tells of is saved."""
        if self.saved(row):
            self.update()
