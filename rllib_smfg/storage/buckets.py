"""A run's folder in a bucket (s3, gs, abfs, hdfs, file), and how it follows a local folder."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from threading import Thread
from typing import Any

from pyarrow import ArrowException
from pyarrow.fs import FileSelector, FileSystem, FileType, LocalFileSystem, copy_files

from envs import InvalidSetting
from rllib_smfg.processes.waiting import ASKING, saying
from rllib_smfg.storage.files import write_text

URI = re.compile(r"^[a-z][a-z0-9+.-]+://")
MANIFEST = "manifest.json"  # of a checkpoint
PUSHED = ".pushed"  # in a local folder: the files of the bucket that come from it
HOW = "must be an absolute path that all nodes share, or a URI such as s3://bucket/folder"
PATIENCE = 30.0  # seconds for a bucket's first answer; libraries try for minutes
AT_A_TIME = 8  # files that travel
FLAT = ("s3://", "gs://", "gcs://")  # stores of objects, without folders


def is_uri(storage: str | Path) -> bool:
    """Whether `storage` names a bucket rather than a path."""
    return URI.match(str(storage)) is not None


def join(uri: str, *names: str) -> str:
    """A URI with folders added to its path, before its query: s3://bucket?region=eu-central-1 has one."""
    path, mark, query = uri.partition("?")
    return "/".join([path.rstrip("/"), *names]) + mark + query


def for_arrow(uri: str) -> str:
    """A URI as pyarrow, and Ray with it, shall read it: up to 10 MB go to S3 in one request, not in three."""
    once = "allow_delayed_open"
    if not uri.startswith("s3://") or once in uri:
        return uri
    return f"{uri}{'&' if '?' in uri else '?'}{once}=true"


def last_name(uri: str) -> str:
    """The last folder of a URI's path."""
    return PurePosixPath(uri.partition("?")[0]).name


class Bucket:
    """A folder that a URI names; raises InvalidSetting where it cannot be used.

    make: whether the folder is made, which shows that it can be written to.
    """

    def __init__(self, uri: str, *, make: bool = False) -> None:
        self.uri = join(uri)
        try:
            self._files, root = FileSystem.from_uri(for_arrow(self.uri))
        except (ArrowException, OSError, ValueError) as error:
            raise InvalidSetting(f"--storage {uri}: cannot be used ({_reason(error)}); {HOW}") from None
        self._root = PurePosixPath(root)
        self._ask(lambda: self._files.create_dir(root) if make else self._files.get_file_info(root))

    def _ask(self, question: Callable[[], Any]) -> None:
        """The first question to the bucket; raises InvalidSetting without an answer, or for a refusal."""
        failed: list[BaseException] = []

        def ask() -> None:
            try:
                question()
            except (ArrowException, OSError, ValueError) as error:
                failed.append(error)

        asking = Thread(target=ask, name=ASKING, daemon=True)
        with saying(f"asking {self.uri} (at most {PATIENCE:.0f} s)"):
            asking.start()
            asking.join(PATIENCE)
        if asking.is_alive():
            raise InvalidSetting(
                f"--storage {self.uri}: does not answer within {PATIENCE:.0f} s; is its endpoint right?"
            )
        if failed:
            raise InvalidSetting(f"--storage {self.uri}: cannot be used ({_reason(failed[0])}); {HOW}")

    # --- single files -------------------------------------------------------------------------------------------------
    def holds(self, name: str) -> bool:
        """Whether there is a file or folder `name`."""
        return bool(self._files.get_file_info(str(self._root / name)).type != FileType.NotFound)

    def files(self, name: str = "") -> list[str]:
        """The files under `name`, relative to it; hidden ones, as Tune's state, are left out."""
        base = self._root / name
        listed = self._files.get_file_info(FileSelector(str(base), allow_not_found=True, recursive=True))
        found = [PurePosixPath(each.path).relative_to(base) for each in listed if each.type == FileType.File]
        return [str(path) for path in found if not _hidden(path)]

    def read(self, name: str) -> bytes | None:
        """What is in a file; None where there is none."""
        if not self.holds(name):
            return None
        try:
            with self._files.open_input_file(str(self._root / name)) as file:
                content: bytes = file.read()
        except FileNotFoundError:  # it went meanwhile
            return None
        return content

    def write(self, name: str, content: bytes) -> None:
        """Makes a file `name`, in the place of what was there."""
        self._make_folder(self._root / name)
        with self._files.open_output_stream(str(self._root / name)) as file:
            file.write(content)

    def put(self, local: Path, name: str) -> None:
        """Copies one file to `name`."""
        self._make_folder(self._root / name)
        copy_files(str(local), str(self._root / name), LocalFileSystem(), self._files)

    def _make_folder(self, file: PurePosixPath) -> None:
        """The folder of a file; object stores need none, and keep an empty object for each."""
        if not self.uri.startswith(FLAT):
            self._files.create_dir(str(file.parent))

    def delete(self, name: str) -> None:
        """Removes a file, if it is there."""
        if self.holds(name):
            self._files.delete_file(str(self._root / name))

    # --- folders ------------------------------------------------------------------------------------------------------
    def push(self, local: Path, name: str) -> None:
        """Brings `name` up to date with a local folder; checkpoints that are there already do not travel again.

        What is gone from `local` is removed there only if it came from `local`: other files of the bucket stay.
        """
        here = {path.relative_to(local).as_posix(): path for path in _whole_files(local)}
        before = _pushed(local)
        _note_pushed(local, before | set(here))
        unchanged = [
            f"{PurePosixPath(relative).parent}/"
            for relative, path in here.items()
            if path.name == MANIFEST and self.read(str(PurePosixPath(name, relative))) == path.read_bytes()
        ]
        new = [relative for relative in sorted(here) if not relative.startswith(tuple(unchanged))]

        def send(relative: str) -> None:
            self.put(here[relative], str(PurePosixPath(name, relative)))

        for last in (False, True):  # a checkpoint's manifest, which makes it one, comes after its files
            with ThreadPoolExecutor(AT_A_TIME) as pool:
                list(pool.map(send, [relative for relative in new if (here[relative].name == MANIFEST) == last]))
        self._remove(name, before - set(here))
        _note_pushed(local, set(here))

    def _remove(self, name: str, gone: set[str]) -> None:
        """Removes files, and folders that are empty without them: their keys would look like damaged checkpoints."""
        for relative in sorted(gone, key=lambda each: PurePosixPath(each).name != MANIFEST):
            self.delete(str(PurePosixPath(name, relative)))
        folders = {parent for relative in gone for parent in PurePosixPath(relative).parents if parent.name}
        for folder in sorted(folders, key=lambda each: len(each.parts)):
            path = str(self._root / name / folder)
            if self.holds(str(PurePosixPath(name, folder))) and not self._anything(path):
                self._files.delete_dir(path)

    def _anything(self, path: str) -> bool:
        listed = self._files.get_file_info(FileSelector(path, allow_not_found=True, recursive=True))
        return any(each.type == FileType.File for each in listed)

    def pull(self, name: str, local: Path, *, exact: bool = False) -> None:
        """Copies the files of `name`, a folder, to `local`; does nothing where there are none.

        exact: what `local` has beyond them goes.
        """
        listed = self.files(name)
        if not listed:
            return
        if exact:
            for path in [path for path in _whole_files(local) if path.relative_to(local).as_posix() not in listed]:
                path.unlink()
        for folder in {(local / each).parent for each in listed}:
            folder.mkdir(parents=True, exist_ok=True)

        def fetch(relative: str) -> None:
            copy_files(str(self._root / name / relative), str(local / relative), self._files, LocalFileSystem())

        with ThreadPoolExecutor(AT_A_TIME) as pool:
            list(pool.map(fetch, sorted(listed)))
        _note_pushed(local, _pushed(local) | set(listed))


def _reason(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _hidden(path: PurePosixPath | Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _whole_files(folder: Path) -> Iterator[Path]:
    """The files of a folder, without those that are being written."""
    for path in folder.rglob("*"):
        if path.is_file() and not _hidden(path.relative_to(folder)):
            yield path


def _pushed(local: Path) -> set[str]:
    """What a bucket has of a local folder, as noted in it."""
    path = local / PUSHED
    return set(path.read_text(encoding="utf-8").splitlines()) if path.is_file() else set()


def _note_pushed(local: Path, names: set[str]) -> None:
    write_text(local / PUSHED, "".join(f"{name}\n" for name in sorted(names)))
