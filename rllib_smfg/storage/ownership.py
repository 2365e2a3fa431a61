"""Whether files are the user's own, which they must be before anything in them is unpickled.

Unpickling runs whatever the file says. So a file is only trusted if nobody else could have written or exchanged it.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from envs import InvalidSetting

ROOT = 0
TRUSTED = "SMFG_TRUSTED_FOLDERS"
REMEDY = f"training resumes only from folders that nobody else can write to (shared mounts: {TRUSTED}, docs/cluster.md)"


def refuse_strangers_files(folder: Path) -> None:
    """Raises InvalidSetting unless a folder and all in it belong to this user and no stranger can change or move them.

    Nothing may be writable for everybody, or be a link; the folders above may be the administrator's as well, and may
    be writable for everybody where the sticky bit protects what is in them, as in /tmp. Owners and modes of what is
    below `trusted_folders` say nothing and are not asked.
    """
    folder = folder.resolve()
    refuse_strangers_folders(folder)
    trusted = _trusted(folder)
    for file in (folder, *sorted(folder.rglob("*"))):
        about = file.lstat()
        if stat.S_ISLNK(about.st_mode):
            raise InvalidSetting(f"{file}: is a link, and checkpoints hold none; {REMEDY}")
        if not trusted:
            _refuse_strangers(file, about, f"chmod -R o-w {folder}")


def refuse_strangers_folders(folder: Path) -> None:
    """The same for the folders above `folder` that are there; `folder` itself need not be."""
    folder = folder.resolve()
    if _trusted(folder):
        return
    for above in folder.parents:
        if not above.exists():
            continue
        about = above.stat()
        if about.st_uid not in (os.getuid(), ROOT):
            raise InvalidSetting(f"{above}: belongs to another user; {REMEDY}")
        if about.st_mode & stat.S_IWOTH and not about.st_mode & stat.S_ISVTX:
            raise InvalidSetting(f"{above}: is writable for everybody; {REMEDY} (chmod o-w {above})")


def _refuse_strangers(file: Path, about: os.stat_result, remedy: str) -> None:
    if about.st_uid != os.getuid():
        raise InvalidSetting(f"{file}: belongs to another user; {REMEDY}")
    if about.st_mode & stat.S_IWOTH:
        raise InvalidSetting(f"{file}: is writable for everybody; {REMEDY} ({remedy})")


def trusted_folders() -> list[Path]:
    """Folders for which the user vouches that nobody else writes there, separated by colons in SMFG_TRUSTED_FOLDERS.

    For mounts that are open to everybody, or give all files to one user (NFS with all_squash, EFS, many volumes of
    Kubernetes), where owners and modes cannot say it. Raises InvalidSetting for a relative path or the root.
    """
    folders = [Path(name) for name in os.environ.get(TRUSTED, "").split(os.pathsep) if name]
    for folder in folders:
        if not folder.is_absolute() or folder == Path(folder.anchor):
            raise InvalidSetting(f"{TRUSTED}: {folder}: must be the absolute path of a mount, as /mnt/runs")
    return [folder.resolve() for folder in folders]


def _trusted(folder: Path) -> bool:
    return any(folder.is_relative_to(each) for each in trusted_folders())
