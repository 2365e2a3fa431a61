"""Where runs are kept beyond one machine: on a path all nodes share, or in a bucket that mirrors a local folder."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from envs import InvalidSetting
from rllib_smfg.processes.interrupts import Stopped
from rllib_smfg.storage.buckets import HOW, Bucket, is_uri, join, last_name
from rllib_smfg.storage.files import OWNER, new_name, refuse_overwriting
from rllib_smfg.storage.ownership import refuse_strangers_folders

__all__ = ["Bucket", "Place", "is_uri", "join", "mirror_of", "new_or_resumed", "refuse_unusable"]


def refuse_unusable(storage: str) -> None:
    """Raises InvalidSetting unless `storage` is an absolute path or a URI, and can be written to."""
    if is_uri(storage):
        Bucket(storage, make=True)
        return
    if not Path(storage).is_absolute():
        raise InvalidSetting(f"--storage {storage}: {HOW}")
    try:
        Path(storage).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidSetting(f"--storage {storage}: cannot be written ({error.strerror}); {HOW}") from None


# --- the place of a run ----------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Place:
    """Where a run's files are: a local folder, and the URI that mirrors it, if any; resumed: whether they are there.

    owner: what stands in the bucket while it belongs to this process (see `owners.taken`).
    """

    folder: Path
    bucket: str | None = None
    resumed: bool = False
    owner: bytes = b""

    @property
    def where(self) -> str:
        """What `--resume` takes."""
        return self.bucket or str(self.folder)

    @property
    def mirrors(self) -> bool:
        """Whether the folder is nothing but the bucket's likeness on this machine."""
        return self.bucket is not None and self.folder == mirror_of(self.bucket)

    def push(self) -> None:
        """Brings the bucket up to date; raises Stopped where it belongs to another process by now."""
        if self.bucket is None:
            return
        bucket = Bucket(self.bucket)
        if self.owner and bucket.read(OWNER) != self.owner:
            raise Stopped(f"stopped: {self.bucket} was taken over by another process, or released; nothing is written")
        bucket.push(self.folder, "")


def new_or_resumed(name: str, output: Path | None, resume: str | None, storage: str | None) -> Place:
    """The place of a run called `name`, or the one to go on with; raises InvalidSetting. Writes nothing there."""
    given = [f"--{option}" for option, value in (("output", output), ("resume", resume)) if value is not None]
    if len(given) == 2:
        raise InvalidSetting("--output and --resume: give one of them; a resumed run stays in its folder")
    if storage and (resume or (output and not is_uri(storage))):
        raise InvalidSetting(f"{given[0]} and --storage: give one of them; the run's folder is made in the storage")
    if resume is not None:
        return _resumed(resume)
    if storage is None:
        place = Place(output or Path("runs") / new_name(name))
    elif is_uri(storage):
        place = _new_in_bucket(storage, output or Path("runs") / new_name(name))
    else:
        refuse_unusable(storage)
        place = Place(Path(storage) / new_name(name))
    if not place.mirrors:
        refuse_overwriting(place.folder)
    return place


def _new_in_bucket(storage: str, wanted: Path) -> Place:
    """A new run in a bucket; what it writes first is here, unless strangers could change it here."""
    refuse_unusable(storage)
    uri = join(storage, wanted.name)
    refuse_overwriting_bucket(uri)
    try:
        refuse_strangers_folders(wanted.absolute())
    except InvalidSetting:  # as below the working directory of a Ray job
        return Place(mirror_of(uri), uri)
    return Place(wanted.absolute(), uri)


def refuse_overwriting_bucket(uri: str) -> None:
    """Raises InvalidSetting where a new run would be mixed with something that is there."""
    if Bucket(uri).files():
        raise InvalidSetting(
            f"{uri}: exists and is not empty; name another --output, or go on with --resume {quote(uri)}"
        )


def _resumed(resume: str) -> Place:
    if not is_uri(resume):
        return Place(Path(resume), resumed=True)
    uri = join(resume)
    return Place(mirror_of(uri), uri, resumed=True)


# --- likenesses of buckets -------------------------------------------------------------------------------------------
def mirror_of(uri: str) -> Path:
    """Where this machine keeps the likeness of a run in a bucket: a folder that nobody else can open."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL", "")
    digest = hashlib.sha256(f"{join(uri)} {endpoint}".encode()).hexdigest()[:12]
    return private_folder() / f"{last_name(uri)}-{digest}"


def private_folder() -> Path:
    """A folder of this user alone among the temporary files (TMPDIR); raises InvalidSetting if it is another's."""
    folder = Path(tempfile.gettempdir()).resolve() / f"rllib-smfg-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    about = folder.lstat()
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid() or about.st_mode & 0o077:
        raise InvalidSetting(
            f"{folder}: must be a folder of yours that nobody else can open (chmod 700), or set TMPDIR"
        )
    return folder
