"""Where runs are kept beyond one machine: on a path all nodes share, or in a bucket that mirrors a local folder."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from pyarrow import ArrowException
from pyarrow.fs import FileSelector, FileSystem, FileType, LocalFileSystem, copy_files

from envs import InvalidSetting
from experiments.files import refuse_overwriting

URI = re.compile(r"^[a-z][a-z0-9+.-]+://")
MANIFEST = "manifest.json"  # of a checkpoint
HOW = "must be an absolute path that all nodes share, or a URI such as s3://bucket/folder"


def is_uri(storage: str | Path) -> bool:
    """Whether `storage` names a bucket rather than a path."""
    return URI.match(str(storage)) is not None


def refuse_unusable(storage: str) -> None:
    """Raises InvalidSetting unless `storage` is an absolute path or a URI, and can be written to."""
    if is_uri(storage):
        Bucket(storage)
        return
    if not Path(storage).is_absolute():
        raise InvalidSetting(f"--storage {storage}: {HOW}")
    try:
        Path(storage).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidSetting(f"--storage {storage}: cannot be written ({error.strerror}); {HOW}") from None


class Bucket:
    """A folder that a URI names (s3, gs, abfs, hdfs, file); raises InvalidSetting where it cannot be used."""

    def __init__(self, uri: str) -> None:
        self.uri = uri.rstrip("/")
        try:
            self._files, root = FileSystem.from_uri(self.uri)
            self._root = PurePosixPath(root)
            self._files.create_dir(root)
        except (ArrowException, OSError, ValueError) as error:
            reason = str(error).strip().splitlines()[0]
            raise InvalidSetting(f"--storage {uri}: cannot be used ({reason}); {HOW}") from None

    def holds(self, name: str) -> bool:
        """Whether there is a file or folder `name`."""
        return bool(self._files.get_file_info(str(self._root / name)).type != FileType.NotFound)

    def push(self, local: Path, name: str) -> None:
        """Makes `name` what the folder `local` is; checkpoints that are there already do not travel again."""
        here = {path.relative_to(local).as_posix(): path for path in _whole_files(local)}
        unchanged = [
            f"{PurePosixPath(relative).parent}/"
            for relative, path in here.items()
            if path.name == MANIFEST and self._text(str(PurePosixPath(name, relative))) == path.read_bytes()
        ]
        for relative, path in sorted(here.items(), key=lambda item: item[1].name == MANIFEST):
            if not relative.startswith(tuple(unchanged)):
                self.put(path, str(PurePosixPath(name, relative)))
        for relative in set(self._listed(name)) - set(here):
            self._files.delete_file(str(self._root / name / relative))

    def put(self, local: Path, name: str) -> None:
        """Copies one file to `name`."""
        target = self._root / name
        self._files.create_dir(str(target.parent))
        copy_files(str(local), str(target), LocalFileSystem(), self._files)

    def pull(self, name: str, local: Path) -> None:
        """Copies `name`, a folder, to `local`; does nothing where there is no such folder."""
        if self.holds(name):
            local.mkdir(parents=True, exist_ok=True)
            copy_files(str(self._root / name), str(local), self._files, LocalFileSystem())

    def _text(self, name: str) -> bytes | None:
        if not self.holds(name):
            return None
        with self._files.open_input_file(str(self._root / name)) as file:
            content: bytes = file.read()
        return content

    def _listed(self, name: str) -> list[str]:
        """The files under `name`, relative to it."""
        base = self._root / name
        listed = self._files.get_file_info(FileSelector(str(base), allow_not_found=True, recursive=True))
        files = (PurePosixPath(info.path) for info in listed if info.type == FileType.File)
        return [str(path.relative_to(base)) for path in files]


def _whole_files(folder: Path) -> Iterator[Path]:
    """Files without those that are being written, whose names, or their folders', start with a dot."""
    for path in folder.rglob("*"):
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts):
            yield path


# --- the place of a run ----------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Place:
    """Where a run's files are: a local folder, and the URI that mirrors it, if any; resumed: whether they are there."""

    folder: Path
    bucket: str | None = None
    resumed: bool = False

    @property
    def where(self) -> str:
        """What `--resume` takes."""
        return self.bucket or str(self.folder)

    def push(self) -> None:
        """Brings the bucket up to date."""
        if self.bucket:
            Bucket(self.bucket).push(self.folder, "")


def new_or_resumed(name: str, output: Path | None, resume: str | None, storage: str | None) -> Place:
    """The place of a run called `name`, or the one to go on with; raises InvalidSetting."""
    given = [f"--{option}" for option, value in (("output", output), ("resume", resume)) if value is not None]
    if len(given) == 2:
        raise InvalidSetting("--output and --resume: give one of them; a resumed run stays in its folder")
    if storage and (resume or (output and not is_uri(storage))):
        raise InvalidSetting(f"{given[0]} and --storage: give one of them; the run's folder is made in the storage")
    if resume is not None:
        return _resumed(resume)
    named = f"{name}-{datetime.now():%Y%m%d-%H%M%S}"
    if storage is None:
        place = Place(output or Path("runs") / named)
    else:
        refuse_unusable(storage)
        named = output.name if output else named
        bucket = f"{storage.rstrip('/')}/{named}" if is_uri(storage) else None
        place = Place((output or Path("runs") / named).absolute() if bucket else Path(storage) / named, bucket)
    refuse_overwriting(place.folder)
    return place


def _resumed(resume: str) -> Place:
    if not is_uri(resume):
        return Place(Path(resume), resumed=True)
    folder = (Path("runs") / PurePosixPath(resume.rstrip("/")).name).absolute()
    Bucket(resume).pull("", folder)
    return Place(folder, resume.rstrip("/"), resumed=True)
