"""Makes the folder of the sockets of processes, and removes those of parents that were killed."""

import contextlib
import os
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bff_core.observe.process_socket import MAX_PATH_BYTES

if sys.platform != "win32":
    import fcntl

_SHORT: Final = "/tmp"  # noqa: S108 - a folder of an unguessable name is made in it

_PREFIX: Final = "bff-sockets-"

_ROOM_BYTES: Final = len(f"/{_PREFIX}12345678/123/1234567.sock")

_NEW_SECONDS: Final = 60.0
"""A folder that is so new may not be locked yet."""


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make a folder for the sockets of processes: of mode 0700, with a path that is short enough.

    It is below TMPDIR, or below /tmp where that is too long. Raises `OSError` if it can't be made.
    Folders of parents that were killed are removed: no process holds a lock on them.
    """
    is_short = len(os.fsencode(tempfile.gettempdir())) <= MAX_PATH_BYTES - _ROOM_BYTES
    base = Path(tempfile.gettempdir() if is_short else _SHORT)
    _remove_abandoned(base)
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=base, ignore_cleanup_errors=True) as made:
        descriptor = os.open(made, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            yield Path(made)
        finally:
            os.close(descriptor)


def _remove_abandoned(base: Path) -> None:
    """Remove the folders of this user that no process has locked."""
    for folder in base.glob(f"{_PREFIX}????????"):
        with contextlib.suppress(OSError):  # that of another user, or gone meanwhile
            about = folder.lstat()
            is_new = time.time() - about.st_mtime < _NEW_SECONDS
            if is_new or about.st_uid != os.getuid() or not stat.S_ISDIR(about.st_mode):
                continue
            descriptor = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
            finally:
                os.close(descriptor)
