"""A file of SQLite off the event loop, shared by the processes of one machine."""

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

from bff_core.errors import StoreUnavailable
from bff_core.events import FileOpened

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

MEMORY: Final = ":memory:"

PATIENCE: Final = 5.0
"""Seconds that a writer waits for another process's."""

PAUSE: Final = 0.005
"""Seconds between two tries to turn on the write-ahead log."""

READ_WITHIN: Final = 1.0
"""Seconds that somebody waits for what is read, whatever the disk does."""


def path_of(url: str) -> str:
    """Return the file that a sqlite:///file names; "sqlite://" is memory, and for tests."""
    return url.removeprefix("sqlite://").removeprefix("/") or MEMORY


def opened_file(url: str, variable: str) -> Iterator[FileOpened]:
    """Yield the event of a file that a setting names; none for memory, or another store."""
    if url.startswith("sqlite:") and path_of(url) != MEMORY:
        yield FileOpened(str(Path(path_of(url)).absolute()), variable)


def missing_file(url: str) -> Path | None:
    """Return the file that a URL names and that is not there."""
    if not url.startswith("sqlite:") or path_of(url) == MEMORY:
        return None
    path = Path(path_of(url)).absolute()
    return None if path.exists() else path


class SQLiteFile:
    """Tables in a file, written by one thread and read by another; each write is synced to disk.

    `name` is what an error calls it, `schema` creates what is not there. `patience` is how long a
    writer waits for another process's (seconds); a reader waits for no writer. Whatever goes wrong
    is `StoreUnavailable`.
    """

    def __init__(self, path: str, schema: str, *, name: str, patience: float = PATIENCE) -> None:
        self.name = name
        self._path = path
        self._schema = schema
        self._patience = patience
        self._writer = _Thread(self._open, name)
        # What is in memory belongs to the connection that made it.
        self._reader = self._writer if path == MEMORY else _Thread(self._open, f"{name}-reader")

    async def write(self, work: Work[T]) -> T:
        """Do work in a transaction of its own, and return what it returns once that is on disk."""

        def transact(base: sqlite3.Connection) -> T:
            base.execute("BEGIN IMMEDIATE")
            try:
                result = work(base)
            except BaseException:
                base.execute("ROLLBACK")
                raise
            base.execute("COMMIT")
            return result

        return await self._reported(self._writer, transact)

    async def read(self, work: Work[T]) -> T:
        """Do work that changes nothing."""
        try:
            async with asyncio.timeout(READ_WITHIN):
                return await self._reported(self._reader, work)
        except TimeoutError as error:
            raise StoreUnavailable(self.name, "is not answering") from error

    async def aclose(self) -> None:
        """Close the file."""
        for thread in {self._writer, self._reader}:
            await thread.aclose()

    async def _reported(self, thread: "_Thread", work: Work[T]) -> T:
        try:
            return await thread.do(work)
        except (sqlite3.Error, OSError, RuntimeError) as error:
            raise StoreUnavailable(self.name, str(error)) from error

    def _open(self) -> sqlite3.Connection:
        if self._path != MEMORY:
            _create(Path(self._path))
        base = sqlite3.connect(
            self._path, timeout=self._patience, isolation_level=None, check_same_thread=False
        )
        try:
            _write_ahead(base, self._patience)
            base.execute("PRAGMA synchronous = FULL")
            base.executescript(self._schema)
        except BaseException:
            base.close()
            raise
        return base


class _Thread:
    """A thread with a connection of its own, which is opened when it is first needed."""

    def __init__(self, connect: Callable[[], sqlite3.Connection], name: str) -> None:
        self._connect = connect
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._connection: sqlite3.Connection | None = None

    async def do(self, work: Work[T]) -> T:
        def act() -> T:
            if self._connection is None:
                self._connection = self._connect()
            return work(self._connection)

        return await asyncio.get_running_loop().run_in_executor(self._thread, act)

    async def aclose(self) -> None:
        def act() -> None:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

        await asyncio.get_running_loop().run_in_executor(self._thread, act)
        self._thread.shutdown(wait=False)


def _create(path: Path) -> None:
    """Create the file for its owner alone: only the owner may read it.

    SQLite's other files take the same mode. A file that is there is not opened: closing it would
    let go of the locks that this process may hold on it (SQLite, "How To Corrupt", 2.2).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _write_ahead(base: sqlite3.Connection, patience: float) -> None:
    """Turn on the write-ahead log; where another process is just doing so, wait for it.

    SQLite itself does not wait here, whatever its timeout: one of two processes that open a new
    file at once fails at once because it is locked.
    """
    for is_last in (*[False] * round(patience / PAUSE), True):
        try:
            base.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if is_last or error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            time.sleep(PAUSE)
        else:
            return
