"""SQLite files that several processes share."""

import sqlite3

import pytest

from bff_core.errors import StoreUnavailable
from bff_core.sqlite import SQLiteFile, path_of

SCHEMA = "CREATE TABLE IF NOT EXISTS notes (text TEXT)"


def note(base: sqlite3.Connection) -> None:
    """Write something down."""
    base.execute("INSERT INTO notes VALUES ('milk')")


def count(base: sqlite3.Connection) -> int:
    """Return how much is written down."""
    [found] = base.execute("SELECT count(*) FROM notes").fetchone()
    return int(found)


@pytest.mark.parametrize("name", ["notes.sqlite3", None])
async def test_what_was_written_is_read(tmp_path, name) -> None:
    """In a file, and in memory."""
    file = SQLiteFile(str(tmp_path / name) if name else ":memory:", SCHEMA, name="notes")

    await file.write(note)

    assert await file.read(count) == 1
    await file.aclose()


async def test_a_reader_waits_for_no_writer(tmp_path) -> None:
    """Another process is within a transaction; the reader gets the previous state."""
    path = str(tmp_path / "notes.sqlite3")
    file = SQLiteFile(path, SCHEMA, name="notes", busy_timeout=0.05)
    await file.write(note)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    note(other)

    assert await file.read(count) == 1
    with pytest.raises(StoreUnavailable):
        await file.write(note)
    other.close()
    await file.aclose()


async def test_failed_work_is_rolled_back(tmp_path) -> None:
    """A transaction is executed whole or not at all."""

    def half(base: sqlite3.Connection) -> None:
        note(base)
        base.execute("INSERT INTO elsewhere VALUES (1)")

    file = SQLiteFile(str(tmp_path / "notes.sqlite3"), SCHEMA, name="notes")
    with pytest.raises(StoreUnavailable, match="notes: no such table"):
        await file.write(half)

    assert await file.read(count) == 0
    await file.aclose()


def test_a_url_names_a_file() -> None:
    """As elsewhere: three slashes for a relative path, four for an absolute one."""
    urls = ("sqlite:///here.db", "sqlite:////var/there.db", "sqlite://")

    assert [path_of(url) for url in urls] == ["here.db", "/var/there.db", ":memory:"]
