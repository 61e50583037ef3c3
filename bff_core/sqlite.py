"""SQLite files used off the event loop, and shared by the processes of one machine."""

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

BUSY_SECONDS: Final = 5.0
"""How long a writer waits for the writer of another process."""

RETRY_SECONDS: Final = 0.005
"""The pause between two attempts to turn on the write-ahead log."""

READ_SECONDS: Final = 1.0
"""How long a read may take, whatever the disk does."""


def path_of(url: str) -> str:
    """Return the path in a URL sqlite:///path; "sqlite://" is in memory, for tests."""
    return url.removeprefix("sqlite://").removeprefix("/") or MEMORY


def opened_file(url: str, variable: str) -> Iterator[FileOpened]:
    """Yield the event for the file in a setting's URL; none for memory or another store."""
    path = _file_of(url)
    if path is not None:
        yield FileOpened(str(path), variable)


def missing_file(url: str) -> Path | None:
    """Return the file in a URL if it does not exist."""
    path = _file_of(url)
    return None if path is None or path.exists() else path


def _file_of(url: str) -> Path | None:
    is_file = url.startswith("sqlite:") and path_of(url) != MEMORY
    return Path(path_of(url)).absolute() if is_file else None


class SQLiteFile:
    """A database file with one thread that writes and one that reads; writes are synced to disk.

    Errors call it `name`; `schema` creates missing tables. A writer waits `busy_timeout` seconds
    for a writer of another process; readers wait for no writer. Every failure raises
    `StoreUnavailable`.
    """

    def __init__(
        self, path: str, schema: str, *, name: str, busy_timeout: float = BUSY_SECONDS
    ) -> None:
        self.name = name
        self._path = path
        self._schema = schema
        self._busy_timeout = busy_timeout
        self._writer = _Thread(self._open, name)
        # A database in memory belongs to one connection.
        self._reader = self._writer if path == MEMORY else _Thread(self._open, f"{name}-reader")

    async def write(self, work: Work[T]) -> T:
        """Run work in a transaction, and return its result once that is on disk."""

        def transact(connection: sqlite3.Connection) -> T:
            with connection:  # commits, or rolls back after an error
                connection.execute("BEGIN IMMEDIATE")
                return work(connection)

        return await self._reported(self._writer, transact)

    async def read(self, work: Work[T]) -> T:
        """Run work that only reads."""
        try:
            async with asyncio.timeout(READ_SECONDS):
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
        connection = sqlite3.connect(
            self._path, timeout=self._busy_timeout, isolation_level=None, check_same_thread=False
        )
        try:
            _write_ahead(connection, self._busy_timeout)
            connection.execute("PRAGMA synchronous = FULL")
            connection.executescript(self._schema)
        except BaseException:
            connection.close()
            raise
        return connection


class _Thread:
    """A thread with a connection of its own, opened on first use."""

    def __init__(self, connect: Callable[[], sqlite3.Connection], name: str) -> None:
        self._connect = connect
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._connection: sqlite3.Connection | None = None
        self._is_closed = False

    async def do(self, work: Work[T]) -> T:
        def act() -> T:
            if self._is_closed:
                raise RuntimeError("the file was closed")
            if self._connection is None:
                self._connection = self._connect()
            return work(self._connection)

        return await asyncio.get_running_loop().run_in_executor(self._thread, act)

    async def aclose(self) -> None:
        def act() -> None:
            self._is_closed = True  # work that comes later must not open it again
            if self._connection is not None:
                self._connection.close()
                self._connection = None

        await asyncio.get_running_loop().run_in_executor(self._thread, act)
        self._thread.shutdown(wait=False)


def _create(path: Path) -> None:
    """Create the file, readable by its owner only, if it does not exist.

    SQLite gives its other files the same mode. An existing file is not opened: closing it would
    release the locks that this process may hold on it (SQLite, "How To Corrupt", 2.2).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _write_ahead(connection: sqlite3.Connection, busy_timeout: float) -> None:
    """Turn on the write-ahead log; wait while another process does the same.

    SQLite ignores its timeout here: of two processes that open a new file at the same time, one
    fails at once with SQLITE_BUSY.
    """
    for is_last in (*[False] * round(busy_timeout / RETRY_SECONDS), True):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if is_last or error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            time.sleep(RETRY_SECONDS)
        else:
            return
