"""A store of API keys in an SQLite file, for the processes of one machine."""

import sqlite3
from collections.abc import Sequence
from typing import Final

from bff_core.auth.api_keys.interface import LISTED_AFTER_END_SECONDS
from bff_core.auth.api_keys.record import ApiKeyRecord
from bff_core.sqlite import SQLiteFile

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS api_keys (
    prefix TEXT PRIMARY KEY, digest TEXT NOT NULL, name TEXT NOT NULL, subject TEXT NOT NULL,
    tenant TEXT NOT NULL, scopes TEXT NOT NULL, created_at REAL NOT NULL, expires_at REAL NOT NULL,
    last_used_at REAL NOT NULL, lifetime REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS api_keys_subject ON api_keys (subject);
"""

COLUMNS: Final = (
    "prefix, digest, name, subject, tenant, scopes, created_at, expires_at, last_used_at, lifetime"
)


class SQLiteApiKeyStore:
    """Stores API keys in SQLite; it implements `ApiKeyStore`."""

    def __init__(self, path: str) -> None:
        self._file = SQLiteFile(path, SCHEMA, name="api-keys")

    async def add(self, record: ApiKeyRecord) -> bool:
        """Store a new key."""
        row = (
            record.prefix, record.digest, record.name, record.subject, record.tenant,
            " ".join(sorted(record.scopes)), record.created_at, record.expires_at,
            record.last_used_at, record.lifetime,
        )  # fmt: skip

        def work(base: sqlite3.Connection) -> bool:
            long_ago = record.created_at - LISTED_AFTER_END_SECONDS
            base.execute("DELETE FROM api_keys WHERE expires_at BETWEEN 1 AND ?", (long_ago,))
            marks = ", ".join("?" * len(row))
            query = f"INSERT OR IGNORE INTO api_keys ({COLUMNS}) VALUES ({marks})"  # noqa: S608 # constants
            return base.execute(query, row).rowcount == 1

        return await self._file.write(work)

    async def find(self, prefix: str) -> ApiKeyRecord | None:
        """Return the record of a key."""
        query = f"SELECT {COLUMNS} FROM api_keys WHERE prefix = ?"  # noqa: S608 # constants
        row = await self._file.read(lambda base: base.execute(query, (prefix,)).fetchone())
        return None if row is None else _record(row)

    async def end(self, prefix: str, at: float) -> bool:
        """Bring the expiry of a key forward."""
        query = (
            "UPDATE api_keys SET expires_at = CASE WHEN expires_at = 0 THEN ?"
            " ELSE min(expires_at, ?) END WHERE prefix = ?"
        )
        row = (at, at, prefix)
        return await self._file.write(lambda base: base.execute(query, row).rowcount == 1)

    async def remove(self, prefix: str) -> bool:
        """Delete a key."""
        query = "DELETE FROM api_keys WHERE prefix = ?"
        return await self._file.write(lambda base: base.execute(query, (prefix,)).rowcount == 1)

    async def used(self, prefix: str, at: float) -> None:
        """Store when a key was last used."""
        query = "UPDATE api_keys SET last_used_at = max(last_used_at, ?) WHERE prefix = ?"
        await self._file.write(lambda base: base.execute(query, (at, prefix)))

    async def listed(self, subject: str = "") -> Sequence[ApiKeyRecord]:
        """Return the records of keys, the newest first."""
        query = (
            f"SELECT {COLUMNS} FROM api_keys WHERE ? IN ('', subject)"  # noqa: S608 # constants
            " ORDER BY created_at DESC, prefix"
        )
        rows = await self._file.read(lambda base: base.execute(query, (subject,)).fetchall())
        return [_record(row) for row in rows]

    async def aclose(self) -> None:
        """Close the file."""
        await self._file.aclose()


def _record(row: Sequence[str]) -> ApiKeyRecord:
    prefix, digest, name, subject, tenant, scopes, *times = row
    created_at, expires_at, last_used_at, lifetime = map(float, times)
    return ApiKeyRecord(
        prefix, digest, name, subject, tenant, frozenset(scopes.split()),
        created_at, expires_at, last_used_at, lifetime,
    )  # fmt: skip
