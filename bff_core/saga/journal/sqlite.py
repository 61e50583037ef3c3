"""A journal in a file of this machine, for the processes that run on it."""

import sqlite3
from collections.abc import Sequence

from bff_core.clock import Clock
from bff_core.sqlite import PATIENCE, SQLiteFile

SCHEMA = """
CREATE TABLE IF NOT EXISTS sagas (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, body BLOB NOT NULL, owner TEXT NOT NULL,
    until REAL NOT NULL, is_open INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sagas_open ON sagas (is_open, until);
"""


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
        self._file = SQLiteFile(path, SCHEMA, name="journal", patience=patience)

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

        return await self._file.write(work)

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

        return await self._file.write(work)

    async def open_entries(self, most: int) -> Sequence[bytes]:
        """Return entries that are not ended."""

        def work(base: sqlite3.Connection) -> list[bytes]:
            query = "SELECT body FROM sagas WHERE is_open = 1 ORDER BY until LIMIT ?"
            return [bytes(row[0]) for row in base.execute(query, (most,))]

        return await self._file.write(work)

    async def drop(self, entry_id: str) -> bool:
        """Forget an entry that a person has settled."""

        def work(base: sqlite3.Connection) -> bool:
            return base.execute("DELETE FROM sagas WHERE id = ?", (entry_id,)).rowcount == 1

        return await self._file.write(work)

    async def aclose(self) -> None:
        """Close the file."""
        await self._file.aclose()

    async def _write(
        self, entry_id: str, body: bytes, owner: str, told: tuple[str, float, int]
    ) -> bool:
        def work(base: sqlite3.Connection) -> bool:
            query = (
                "UPDATE sagas SET body = ?, owner = ?, until = ?, is_open = ?"
                " WHERE id = ? AND owner = ?"
            )
            return base.execute(query, (body, *told, entry_id, owner)).rowcount == 1

        return await self._file.write(work)
