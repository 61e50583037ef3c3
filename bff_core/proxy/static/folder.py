"""A folder of files: finds the file of a path, and stores small ones in memory."""

import asyncio
import errno
from collections.abc import Callable
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Final

from cachetools import LRUCache, TTLCache

from bff_core.call import Headers
from bff_core.clock import Clock
from bff_core.proxy.static.file_names import INDEX, is_servable
from bff_core.proxy.static.stored_file import StoredFile, read_file, state_of

CHECK_SECONDS: Final = 1.0
"""A stored file is compared with the one on disk at most this often."""

MAX_BYTES: Final = 64 * 1024 * 1024
"""Memory for the files of one folder; those that were requested longest ago go first."""

MAX_ABSENT: Final = 1024
"""Paths without a file that are remembered, each for `CHECK_SECONDS`."""

_NO_SUCH_NAME: Final = frozenset({errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL, errno.ENXIO})


class Absent(Enum):
    """Why a path has no file."""

    NOTHING = "there is nothing that may be served"
    NEEDS_SLASH = "there is a folder with an index, whose path ends with a slash"


Found = StoredFile | Absent


class Folder:
    """The files below a folder, by path.

    A hot file costs a lookup in a dictionary: only once a second a thread compares it with the one
    on disk. Links are followed as long as they end inside. `headers_of` returns the headers of a
    path besides those of its content.
    """

    __slots__ = ("_absent", "_clock", "_files", "_headers_of", "_loading", "_root")

    def __init__(self, root: Path, headers_of: Callable[[str], Headers], clock: Clock) -> None:
        self._root = root.absolute()
        self._headers_of = headers_of
        self._clock = clock
        self._files: LRUCache[str, StoredFile] = LRUCache(MAX_BYTES, lambda one: one.weight)
        self._absent: TTLCache[str, Absent] = TTLCache(MAX_ABSENT, CHECK_SECONDS, clock)
        self._loading: dict[str, asyncio.Future[Found]] = {}

    async def find(self, path: str) -> Found:
        """Return the file of a decoded path; that of a path with a slash at its end is its index.

        Raises `OSError` for a disk that fails.
        """
        known = self._files.get(path)
        if known is not None and self._clock() < known.checked_until:
            return known
        if not is_servable(path):
            return Absent.NOTHING
        missing = self._absent.get(path)
        return await self._load(path, known) if missing is None else missing

    def find_now(self, path: str) -> Found:
        """Return the file of a path, before there is an event loop."""
        return self._read(path, None) if is_servable(path) else Absent.NOTHING

    def forget(self, path: str) -> None:
        """Read the file of a path again at the next request."""
        self._files.pop(path, None)

    async def _load(self, path: str, known: StoredFile | None) -> Found:
        """Read a file in a thread, once for all who request it meanwhile."""
        loading = self._loading.get(path)
        if loading is None:
            loop = asyncio.get_running_loop()
            loading = loop.run_in_executor(None, self._read, path, known)
            self._loading[path] = loading
            loading.add_done_callback(partial(self._store, path))
        return await asyncio.shield(loading)

    def _store(self, path: str, loading: "asyncio.Future[Found]") -> None:
        del self._loading[path]
        if loading.cancelled() or loading.exception() is not None:
            return
        found = loading.result()
        if isinstance(found, Absent):
            self._files.pop(path, None)
            self._absent[path] = found
            return
        found.checked_until = self._clock() + CHECK_SECONDS
        if self._files.get(path) is not found:
            self._files[path] = found

    def _read(self, path: str, known: StoredFile | None) -> Found:
        """Return the file, or the known one if it has not changed; runs in a thread."""
        try:
            root = self._root.resolve()  # a link that a deployment leads elsewhere
            real = _real_path(root, path + INDEX if path[-1:] in {"", "/"} else path)
            if real is None:
                return Absent.NOTHING
            if real.is_dir():
                return _index_of(root, path)
            if known is not None and known.state == state_of(real):
                return known
            name = path.rpartition("/")[2] or INDEX
            headers = self._headers_of(path)
            return read_file(real, name, headers, is_inside=lambda one: one.is_relative_to(root))
        except (FileNotFoundError, NotADirectoryError, PermissionError, RuntimeError, ValueError):
            return Absent.NOTHING
        except OSError as error:
            if error.errno in _NO_SUCH_NAME:
                return Absent.NOTHING
            raise


def _index_of(root: Path, path: str) -> Absent:
    real = None if path[-1:] in {"", "/"} else _real_path(root, f"{path}/{INDEX}")
    is_there = real is not None and real.is_file()
    return Absent.NEEDS_SLASH if is_there else Absent.NOTHING


def _real_path(root: Path, path: str) -> Path | None:
    """Return the path without links; None if it is outside, or if nothing is there."""
    try:
        real = root.joinpath(*path.split("/")).resolve(strict=True)
    except FileNotFoundError:
        return None
    return real if real.is_relative_to(root) else None
