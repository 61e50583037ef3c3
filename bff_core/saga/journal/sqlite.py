"""A journal in a file of this machine, for the processes that run on it."""

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from bff_core.clock import Clock
from bff_core.errors import StoreUnavailable

T = TypeVar("T")

SCHEMA = """
CREATE TABLE IF NOT EXISTS sagas (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, body BLOB NOT NULL, owner TEXT NOT NULL,
    until REAL NOT NULL, is_open INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sagas_open ON sagas (is_open, until);
"""

PATIENCE = 5.0
"""Seconds that a writer waits for another process's."""

PAUSE = 0.005
"""Seconds between two tries to turn on the write-ahead log."""


class SQLiteJournal:
    """Entries in SQLite, written by a thread of its own; each record is synced to disk.

    `wall` counts seconds of the wall clock: instants have to mean the same to every process, and
    after a restart. If it is set back, an entry is taken over later; if it jumps ahead, two
    processes may work on one entry until the first notices: keys keep that from doing harm.
    `patience` is how long a writer waits for another process's (seconds).
    """

    def __init__(self, path: str, wall: Clock, *, patience: float = PATIENCE) -> None:
        self._path = path
        self._wall = wall
        self._patience = patience
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._connection: sqlite3.Connection | None = None

    def __repr__(self) -> str:
        return f"journal    sqlite:///{self._path}"

    async def begin(
        self, entry_id: str, kind: str, body: bytes, owner: str, seconds: float
    ) -> bytes | None:
        """Write down an entry and hold it; or return the one that is known by this id."""

        def work(base: sqlite3.Connection) -> bytes | None:
            until = self._wall() + seconds
            base.execute("DELETE FROM sagas WHERE is_open = 0 AND until < ?", (self._wall(),))
            row = (entry_id, kind, body, owner, until)
            added = base.execute("INSERT OR IGNORE INTO sagas VALUES (?, ?, ?, ?, ?, 1)", row)
            if added.rowcount:
                return None
            found = base.execute("SELECT body FROM sagas WHERE id = ?", (entry_id,)).fetchone()
            return bytes(found[0])

        return await self._run(work)

    async def record(self, entry_id: str, body: bytes, owner: str, seconds: float) -> bool:
        """Write down how far it has come and hold it on."""
        return await self._write(entry_id, body, owner, (owner, self._wall() + seconds, 1))

    async def park(self, entry_id: str, body: bytes, owner: str, seconds: float) -> None:
        """Let go of an entry that is to be taken up again."""
        await self._write(entry_id, body, owner, ("", self._wall() + seconds, 1))

    async def end(self, entry_id: str, body: bytes, owner: str, retention: float) -> bool:
        """Write down the end."""
        return await self._write(entry_id, body, owner, ("", self._wall() + retention, 0))

    async def claim(self, kind: str, owner: str, seconds: float, most: int) -> Sequence[bytes]:
        """Take over entries of a kind that nobody holds."""

        def work(base: sqlite3.Connection) -> list[bytes]:
            now = self._wall()
            query = (
                "UPDATE sagas SET owner = ?, until = ? WHERE id IN (SELECT id FROM sagas"
                " WHERE is_open = 1 AND until < ? AND kind = ? ORDER BY until LIMIT ?)"
                " RETURNING body"
            )
            rows = base.execute(query, (owner, now + seconds, now, kind, most))
            return [bytes(row[0]) for row in rows]

        return await self._run(work)

    async def open_entries(self, most: int) -> Sequence[bytes]:
        """Return entries that are not ended."""

        def work(base: sqlite3.Connection) -> list[bytes]:
            query = "SELECT body FROM sagas WHERE is_open = 1 ORDER BY until LIMIT ?"
            return [bytes(row[0]) for row in base.execute(query, (most,))]

        return await self._run(work)

    async def drop(self, entry_id: str) -> bool:
        """Forget an entry that a person has settled."""

        def work(base: sqlite3.Connection) -> bool:
            return base.execute("DELETE FROM sagas WHERE id = ?", (entry_id,)).rowcount == 1

        return await self._run(work)

    async def aclose(self) -> None:
        """Close the file."""

        def work() -> None:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

        await asyncio.get_running_loop().run_in_executor(self._thread, work)
        self._thread.shutdown(wait=False)

    async def _write(
        self, entry_id: str, body: bytes, owner: str, told: tuple[str, float, int]
    ) -> bool:
        def work(base: sqlite3.Connection) -> bool:
            query = (
                "UPDATE sagas SET body = ?, owner = ?, until = ?, is_open = ?"
                " WHERE id = ? AND owner = ?"
            )
            return base.execute(query, (body, *told, entry_id, owner)).rowcount == 1

        return await self._run(work)

    async def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
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
            raise StoreUnavailable("journal", str(error)) from error

    def _open(self) -> sqlite3.Connection:
        if self._path != ":memory:":
            _create(Path(self._path))
        base = sqlite3.connect(
            self._path, timeout=self._patience, isolation_level=None, check_same_thread=False
        )
        try:
            _write_ahead(base, self._patience)
            base.execute("PRAGMA synchronous = FULL")
            base.executescript(SCHEMA)
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
