"""Whether files are the user's own, which they must be before anything in them is unpickled.

Unpickling runs whatever the file says. So a file is only trusted if nobody else could have written or exchanged it.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from envs import InvalidSetting

ROOT = 0
REMEDY = "training resumes only from folders that nobody else can write to"


def refuse_strangers_files(folder: Path) -> None:
    """Raises InvalidSetting unless a folder and all in it belong to this user and no stranger can change or move them.

    Nothing may be writable for everybody, or be a link; the folders above may be the administrator's as well, and may
    be writable for everybody where the sticky bit protects what is in them, as in /tmp.
    """
    folder = folder.resolve()
    for above in folder.parents:
        about = above.stat()
        if about.st_uid not in (os.getuid(), ROOT):
            raise InvalidSetting(f"{above}: belongs to another user; {REMEDY}")
        if about.st_mode & stat.S_IWOTH and not about.st_mode & stat.S_ISVTX:
            raise InvalidSetting(f"{above}: is writable for everybody; {REMEDY} (chmod o-w {above})")
    for file in (folder, *sorted(folder.rglob("*"))):
        about = file.lstat()
        if stat.S_ISLNK(about.st_mode):
            raise InvalidSetting(f"{file}: is a link, and checkpoints hold none; {REMEDY}")
        if about.st_uid != os.getuid():
            raise InvalidSetting(f"{file}: belongs to another user; {REMEDY}")
        if about.st_mode & stat.S_IWOTH:
            raise InvalidSetting(f"{file}: is writable for everybody; {REMEDY} (chmod -R o-w {folder})")
