"""A journal in an SQLite file, for the processes of one machine."""

import sqlite3
from collections.abc import Sequence

from bff_core.clock import Clock
from bff_core.saga.journal.interface import OpenRecord
from bff_core.sqlite import BUSY_SECONDS, SQLiteFile

SCHEMA = """
CREATE TABLE IF NOT EXISTS sagas (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, body BLOB NOT NULL, owner TEXT NOT NULL,
    until REAL NOT NULL, is_open INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sagas_open ON sagas (is_open, until);
"""


class SQLiteJournal:
    """A journal in SQLite, written by a thread of its own; each write is synced to disk.

    `wall` is the wall clock, since leases have to mean the same to all processes and after a
    restart. If the clock is set back, a record is claimed later. If it jumps ahead, two processes
    may execute one saga until the first one notices; idempotency keys make that harmless.
    A writer waits `busy_timeout` seconds for a writer of another process.
    """

    def __init__(self, path: str, wall: Clock, *, busy_timeout: float = BUSY_SECONDS) -> None:
        self._path = path
        self._wall = wall
        self._file = SQLiteFile(path, SCHEMA, name="journal", busy_timeout=busy_timeout)

    def __repr__(self) -> str:
        return f"journal    sqlite:///{self._path}"

    async def begin(
        self, record_id: str, kind: str, body: bytes, owner: str, seconds: float
    ) -> bytes | None:
        """Store a new record and lease it; return the existing record if the id is in use."""

        def work(base: sqlite3.Connection) -> bytes | None:
            until = self._wall() + seconds
            base.execute("DELETE FROM sagas WHERE is_open = 0 AND until < ?", (self._wall(),))
            row = (record_id, kind, body, owner, until)
            added = base.execute("INSERT OR IGNORE INTO sagas VALUES (?, ?, ?, ?, ?, 1)", row)
            if added.rowcount:
                return None
            found = base.execute("SELECT body FROM sagas WHERE id = ?", (record_id,)).fetchone()
            return bytes(found[0])

        return await self._file.write(work)

    async def record(self, record_id: str, body: bytes, owner: str, seconds: float) -> bool:
        """Update a record and renew its lease."""
        return await self._write(record_id, body, owner, (owner, self._wall() + seconds, 1))

    async def park(self, record_id: str, body: bytes, owner: str, seconds: float) -> None:
        """Update a record and release its lease."""
        await self._write(record_id, body, owner, ("", self._wall() + seconds, 1))

    async def end(self, record_id: str, body: bytes, owner: str, retention: float) -> bool:
        """Close a record."""
        return await self._write(record_id, body, owner, ("", self._wall() + retention, 0))

    async def claim(self, kind: str, owner: str, seconds: float, limit: int) -> Sequence[bytes]:
        """Lease records of a kind whose leases have expired."""

        def work(base: sqlite3.Connection) -> list[bytes]:
            now = self._wall()
            query = (
                "UPDATE sagas SET owner = ?, until = ? WHERE id IN (SELECT id FROM sagas"
                " WHERE is_open = 1 AND until < ? AND kind = ? ORDER BY until LIMIT ?)"
                " RETURNING body"
            )
            rows = base.execute(query, (owner, now + seconds, now, kind, limit))
            return [bytes(row[0]) for row in rows]

        return await self._file.write(work)

    async def open_records(self, limit: int) -> Sequence[bytes]:
        """Return open records."""

        def work(base: sqlite3.Connection) -> list[bytes]:
            query = "SELECT body FROM sagas WHERE is_open = 1 ORDER BY until LIMIT ?"
            return [bytes(row[0]) for row in base.execute(query, (limit,))]

        return await self._file.write(work)

    async def open_leases(self, limit: int) -> Sequence[OpenRecord]:
        """Return open records with their leases."""

        def work(base: sqlite3.Connection) -> list[OpenRecord]:
            query = "SELECT body, owner, until FROM sagas WHERE is_open = 1 ORDER BY until LIMIT ?"
            now = self._wall()
            return [
                OpenRecord(bytes(body), bool(owner) and until > now, until - now)
                for body, owner, until in base.execute(query, (limit,))
            ]

        return await self._file.write(work)

    async def release(self, record_id: str) -> bool:
        """Let a parked record be claimed at once."""
        query = "UPDATE sagas SET until = 0 WHERE id = ? AND is_open = 1 AND owner = ''"
        return await self._file.write(lambda base: base.execute(query, (record_id,)).rowcount == 1)

    async def drop(self, record_id: str) -> bool:
        """Delete a record that an operator has settled."""
        query = "DELETE FROM sagas WHERE id = ?"
        return await self._file.write(lambda base: base.execute(query, (record_id,)).rowcount == 1)

    async def aclose(self) -> None:
        """Close the file."""
        await self._file.aclose()

    async def _write(
        self, record_id: str, body: bytes, owner: str, columns: tuple[str, float, int]
    ) -> bool:
        row = (body, *columns, record_id, owner)
        query = """
            UPDATE sagas SET body = ?, owner = ?, until = ?, is_open = ? WHERE id = ? AND owner = ?
        """
        return await self._file.write(lambda base: base.execute(query, row).rowcount == 1)
