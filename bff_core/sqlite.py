"""A file of SQLite that several processes of a machine use, from a thread of its own."""

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from bff_core.errors import StoreUnavailable

T = TypeVar("T")

PATIENCE = 5.0
"""Seconds that a writer waits for another process's."""

PAUSE = 0.005
"""Seconds between two tries to turn on the write-ahead log."""


class SQLiteFile:
    """One database; opened when it is first needed, each transaction synced to disk.

    `patience` is how long a writer waits for another process's (seconds), `name` how errors and
    the thread call it. The path ":memory:" is the memory of this process.
    """

    def __init__(self, path: str, schema: str, *, name: str, patience: float = PATIENCE) -> None:
        self.path = path
        self._schema = schema
        self._name = name
        self._patience = patience
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._connection: sqlite3.Connection | None = None

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do work in one transaction; raises `StoreUnavailable` where the file can't be used."""

        def transact() -> T:
            base = self._connection or self._open()
            base.execute("BEGIN IMMEDIATE")
            try:
                result = work(base)
            except BaseException:
                base.execute("ROLLBACK")
                raise
            base.execute("COMMIT")
            return result

        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, transact)
        except (sqlite3.Error, OSError, RuntimeError) as error:
            raise StoreUnavailable(self._name, str(error)) from error

    async def aclose(self) -> None:
        """Close the file."""

        def work() -> None:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

        await asyncio.get_running_loop().run_in_executor(self._thread, work)
        self._thread.shutdown(wait=False)

    def _open(self) -> sqlite3.Connection:
        if self.path != ":memory:":
            _create(Path(self.path))
        base = sqlite3.connect(
            self.path, timeout=self._patience, isolation_level=None, check_same_thread=False
        )
        try:
            _write_ahead(base, self._patience)
            base.execute("PRAGMA synchronous = FULL")
            base.executescript(self._schema)
        except BaseException:
            base.close()
            raise
        self._connection = base
        return base


def _create(path: Path) -> None:
    """Create the file for its owner alone: who bought what is nobody else's to read.

    SQLite's other files take the same mode. A file that is there is not opened: closing it would
    let go of the locks that this process may hold on it (SQLite, "How To Corrupt", 2.2).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _write_ahead(base: sqlite3.Connection, patience: float) -> None:
    """Turn on the write-ahead log; where another process is just doing so, wait for it.

    SQLite itself does not wait here, whatever its timeout: one of two processes that open a new
    file at once is told at once that it is locked.
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
