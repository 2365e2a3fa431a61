"""A run's folder, local or in a bucket, belongs to one process at a time.

    with taken(place, say) as place:
        ...  # whoever else takes it meanwhile is refused in one line

Locally this is a lock of the library filelock, `.owner` in the folder: it names process and host, and is taken over
where that process of this host has ended. In a bucket it is an object `.owner`, written and read again; buckets that
know no conditional writes leave a gap of some seconds there, which the check before every later write closes.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote

from filelock import SoftFileLock, Timeout

from envs import InvalidSetting
from rllib_smfg.processes.interrupts import terminated_as_interrupted
from rllib_smfg.storage.buckets import Bucket, is_uri
from rllib_smfg.storage.files import OWNER, refuse_overwriting, unused
from rllib_smfg.storage.places import Place, refuse_overwriting_bucket

ATTEMPT = 0.5  # seconds in which a lock whose process has ended is taken over
SETTLE = 1.0  # seconds until what was written into a bucket is read again
DEPTH = 3  # folders up and down in which others may work: a grid's, and the runs in it
Say = Callable[[str], None]


@dataclass(frozen=True)
class Owner:
    """A process that works in a folder; `host` as filelock names it, with the process namespace of a container."""

    process: int
    host: str

    def __str__(self) -> str:
        return f"process {self.process} on {self.host.partition('?')[0]}"


@contextmanager
def taken(place: Place, say: Say) -> Iterator[Place]:
    """The place for this process alone, with what its bucket holds where it is resumed.

    Raises InvalidSetting where another process works there; `say` hears what was taken over.
    """
    with ExitStack() as stack:
        stack.enter_context(terminated_as_interrupted())
        stack.enter_context(folder_taken(place.folder, say))
        if place.bucket is None:
            if not place.resumed:
                refuse_overwriting(place.folder)
            yield place
            return
        mine = stack.enter_context(_bucket_taken(place.bucket, place.folder, say))
        if place.resumed:
            Bucket(place.bucket).pull("", place.folder, exact=place.mirrors)
        else:
            refuse_overwriting_bucket(place.bucket)
            _refuse_or_set_aside(place, say)
        yield replace(place, owner=mine)


def _refuse_or_set_aside(place: Place, say: Say) -> None:
    """A new run's folder must be empty; a likeness of what the bucket held under this name before is put aside."""
    left = [path for path in place.folder.iterdir() if path.name != OWNER]
    if not place.mirrors:
        refuse_overwriting(place.folder)
    elif left:
        aside = unused(place.folder.with_name(f"{place.folder.name}.left"))
        aside.mkdir(mode=0o700)
        for path in left:
            path.rename(aside / path.name)
        say(f"{place.bucket}: this machine had a run of this name, which the bucket has no more; it is in {aside}")


# --- on disk ---------------------------------------------------------------------------------------------------------
@contextmanager
def folder_taken(folder: Path, say: Say) -> Iterator[None]:
    """A folder, which is made where it is missing, for this process alone; raises InvalidSetting where it is another's.

    A folder that is still empty at the end goes again.
    """
    folder, lock = folder.resolve(), folder.resolve() / OWNER
    made = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        before = _owner(lock)
        held = SoftFileLock(lock, timeout=ATTEMPT, thread_local=False)
        held.acquire()
    except Timeout:
        raise InvalidSetting(_in_use(str(folder), _owner(lock))) from None
    except OSError as error:
        raise InvalidSetting(f"{folder}: cannot be written ({error.strerror or error})") from None
    try:
        _refuse_relatives(folder)
        if before is not None:
            say(f"{folder}: taken over from {before}, which has ended")
        yield
    finally:
        held.release(force=True)
        if made and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _refuse_relatives(folder: Path) -> None:
    """Raises InvalidSetting where another process works in a folder above, as a grid's, or below."""
    above = [parent / OWNER for parent in list(folder.parents)[:DEPTH]]
    below = [lock for depth in range(1, DEPTH + 1) for lock in folder.glob("*/" * depth + OWNER)]
    for lock in (*above, *below):
        if _is_held(lock):
            raise InvalidSetting(_in_use(str(lock.parent), _owner(lock)))


def _is_held(lock: Path) -> bool:
    """Whether a lock is another process's that may still run."""
    owner = _owner(lock)
    if owner is None or owner.process == os.getpid():
        return False
    attempt = SoftFileLock(lock, timeout=ATTEMPT, thread_local=False)
    try:
        attempt.acquire()
    except (Timeout, OSError):
        return True
    attempt.release()
    return False


def _owner(lock: Path) -> Owner | None:
    """Whom a lock names; process 0 where it cannot be read, None where there is none."""
    try:
        process, host, *_ = lock.read_text(encoding="ascii").splitlines()
        return Owner(int(process), host)
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return Owner(0, "an unknown host")


def _in_use(where: str, owner: Owner | None) -> str:
    return (
        f"{where}: is in use by {owner or 'another process'}; wait for its end or stop it,"
        f" and if that host is gone or cannot be asked: smfg release {quote(where)}"
    )


# --- in buckets ------------------------------------------------------------------------------------------------------
@contextmanager
def _bucket_taken(uri: str, folder: Path, say: Say) -> Iterator[bytes]:
    """A bucket's folder for this process, which holds `folder`; yields what stands there while it does."""
    me = _owner(folder / OWNER)
    assert me is not None
    content = {"process": me.process, "host": me.host, "folder": str(folder.resolve()), "token": secrets.token_hex(8)}
    mine = json.dumps({**content, "since": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"}).encode()
    bucket = Bucket(uri)
    before = bucket.read(OWNER)
    if before is not None:
        owner, its_folder = _read(before)
        if owner.host != me.host or (its_folder != folder.resolve() and _is_held(its_folder / OWNER)):
            raise InvalidSetting(_in_use(uri, owner))
        say(f"{uri}: taken over from {owner}, which has ended")
    bucket.write(OWNER, mine)
    time.sleep(SETTLE)
    now = bucket.read(OWNER)
    if now != mine:
        raise InvalidSetting(_in_use(uri, _read(now)[0] if now else None))
    try:
        yield mine
    finally:
        try:
            if bucket.read(OWNER) == mine:
                bucket.delete(OWNER)
        except OSError as error:
            say(f"{uri}: could not be released ({error}); before it is resumed elsewhere: smfg release {quote(uri)}")


def _read(content: bytes) -> tuple[Owner, Path]:
    """Whom an object in a bucket names, and the folder that he holds."""
    try:
        known = json.loads(content)
        return Owner(int(known["process"]), str(known["host"])), Path(known["folder"])
    except (ValueError, KeyError, TypeError):
        return Owner(0, "an unknown host"), Path()


# --- by hand ---------------------------------------------------------------------------------------------------------
def release(where: str, say: Say) -> None:
    """Frees a run whose process is gone with its host; raises InvalidSetting where it runs on this one."""
    if not is_uri(where):
        lock = Path(where) / OWNER
        owner = _owner(lock)
        if owner is not None and owner.process and owner.host == _this_host() and _is_held(lock):
            raise InvalidSetting(f"{where}: is in use by {owner}, which runs; stop it")
        lock.unlink(missing_ok=True)
    else:
        bucket = Bucket(where)
        content = bucket.read(OWNER)
        owner, folder = _read(content) if content else (None, Path())
        if owner is not None and owner.host == _this_host() and _is_held(folder / OWNER):
            raise InvalidSetting(f"{where}: is in use by {owner}, which runs; stop it")
        bucket.delete(OWNER)
    say(f"{where}: released from {owner}" if owner else f"{where}: belongs to no process")


def _this_host() -> str:
    """This host as filelock names it."""
    from rllib_smfg.storage.places import private_folder

    lock = private_folder() / f".host-{os.getpid()}"
    with SoftFileLock(lock):
        owner = _owner(lock)
    return owner.host if owner else ""
