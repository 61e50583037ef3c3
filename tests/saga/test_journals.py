"""The journals of sagas in SQLite and Redis behave alike."""

import asyncio
import sqlite3
import time

import pytest

from bff_core.clock import chance, monotonic
from bff_core.errors import StoreUnavailable
from bff_core.events import Events
from bff_core.redis.client import RedisClient
from bff_core.saga.journal.redis import RedisJournal
from bff_core.saga.journal.sqlite import SQLiteJournal

HOUR = 3600.0
SOON = 0.001
KIND = "Buying/charge/place"


class Hands:
    """A wall clock that is set by hand."""

    def __init__(self):
        self.now = 1_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture(params=["sqlite", pytest.param("redis", marks=pytest.mark.needs("redis-server"))])
def make(request, tmp_path):
    """Return what opens the journal, as each process of a machine does, and what closes it."""
    if request.param == "sqlite":
        return lambda: SQLiteJournal(str(tmp_path / "deep" / "journal.sqlite3"), time.time)
    server = request.getfixturevalue("redis_server")

    def opened():
        return RedisJournal(
            RedisClient(server.url, clock=monotonic, chance=chance, events=Events())
        )

    return opened


async def close(*journals):
    """Close journals, and the links that they were given."""
    for journal in journals:
        await journal.aclose()
        if isinstance(journal, RedisJournal):
            await journal._link.aclose()  # the test opened it


async def until_claimed(journal, owner):
    """Claim the records whose leases expire within a moment."""
    for _ in range(2000):
        if found := await journal.claim(KIND, owner, HOUR, 8):
            return found
    raise AssertionError("nothing came free")


async def test_a_record_is_stored_once(make):
    """The second request gets the existing record."""
    first, second = make(), make()

    assert await first.begin("s-1", KIND, b"one", "a", HOUR) is None
    assert await second.begin("s-1", KIND, b"two", "b", HOUR) == b"one"
    await close(first, second)


async def test_only_the_owner_updates_a_record(make):
    """A process that lost the lease learns that at its next write, and changes nothing."""
    journal = make()
    await journal.begin("s-1", KIND, b"one", "a", SOON)
    (body,) = await until_claimed(journal, "b")

    assert body == b"one"
    assert not await journal.record("s-1", b"late", "a", HOUR)
    assert await journal.record("s-1", b"two", "b", HOUR)
    assert await journal.open_records(9) == [b"two"]
    await close(journal)


async def test_a_leased_record_can_not_be_claimed(make):
    """No other process can claim a record until its lease expires, or once it is closed."""
    journal = make()
    await journal.begin("held", KIND, b"held", "a", HOUR)
    await journal.begin("ended", KIND, b"begun", "a", SOON)
    await journal.end("ended", b"ended", "a", HOUR)

    assert await journal.claim(KIND, "b", HOUR, 8) == []
    assert await journal.begin("ended", KIND, b"again", "b", HOUR) == b"ended"
    await close(journal)


async def test_a_record_is_claimed_by_gateways_with_the_same_saga(make):
    """A gateway with other sagas, or other steps, does not claim it."""
    journal = make()
    await journal.begin("s-1", KIND, b"one", "a", SOON)
    await journal.begin("s-2", "Buying/place", b"two", "a", SOON)
    await until_claimed(journal, "b")

    assert await journal.claim(KIND, "b", HOUR, 8) == []
    assert sorted(await journal.open_records(9)) == [b"one", b"two"]
    await close(journal)


async def test_a_record_that_an_operator_settled_is_deleted(make):
    """No process can claim it any more, and the one that executes it notices at its next write."""
    journal = make()
    await journal.begin("s-1", KIND, b"one", "a", HOUR)

    assert await journal.drop("s-1")
    assert not await journal.drop("s-1")
    assert not await journal.record("s-1", b"late", "a", HOUR)
    assert await journal.open_records(9) == []
    await close(journal)


async def test_a_parked_record_is_claimed_later(make):
    """Any process can claim it, but not before its time."""
    journal = make()
    await journal.begin("s-1", KIND, b"one", "a", HOUR)
    await journal.begin("s-2", KIND, b"two", "a", HOUR)
    await journal.park("s-1", b"stuck", "a", SOON)
    await journal.park("s-2", b"later", "a", HOUR)

    assert await until_claimed(journal, "b") == [b"stuck"]
    await close(journal)


async def test_a_closed_record_is_deleted_after_its_retention(make):
    """A saga without an effect may start again under the same id."""
    journal = make()
    await journal.begin("s-1", KIND, b"one", "a", HOUR)
    await journal.end("s-1", b"ended", "a", 0)
    for _ in range(1000):
        if await journal.begin("s-1", KIND, b"again", "b", HOUR) is None:
            break

    assert await journal.open_records(9) == [b"again"]
    await close(journal)


async def test_only_the_owner_can_read_the_file(tmp_path):
    """Neither the file nor what SQLite writes beside it may be read by others."""
    journal = SQLiteJournal(str(tmp_path / "journal.sqlite3"), time.time)
    await journal.begin("s-1", KIND, b"one", "a", HOUR)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    await journal.aclose()

    assert len(modes) == 3
    assert set(modes.values()) == {0o600}


async def test_processes_that_open_a_new_file_at_once_wait_for_each_other(tmp_path):
    """SQLite reports a lock while another process sets up the log; callers don't get that error."""
    path = tmp_path / "journal.sqlite3"
    other, journal = sqlite3.connect(path, isolation_level=None), SQLiteJournal(str(path), Hands())
    other.execute("BEGIN IMMEDIATE")
    beginning = asyncio.create_task(journal.begin("s-1", KIND, b"one", "a", HOUR))
    done, _ = await asyncio.wait([beginning], timeout=0.1)
    other.execute("COMMIT")
    other.close()

    assert not done
    assert await beginning is None
    await journal.aclose()


async def test_a_file_that_stays_locked_is_unavailable(tmp_path):
    """The journal reports it after its patience, and closes the file."""
    path = tmp_path / "journal.sqlite3"
    other = sqlite3.connect(path, isolation_level=None)
    journal = SQLiteJournal(str(path), Hands(), busy_timeout=0.05)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreUnavailable, match="locked"):
        await journal.begin("s-1", KIND, b"one", "a", HOUR)
    other.close()
    await journal.aclose()


async def test_a_journal_that_cannot_be_written_is_unavailable(tmp_path):
    """A folder in place of the file is reported as an unavailable store."""
    journal = SQLiteJournal(str(tmp_path), Hands())

    with pytest.raises(StoreUnavailable, match="journal"):
        await journal.begin("s-1", KIND, b"one", "a", HOUR)
    await journal.aclose()


async def test_open_records_are_listed_with_their_leases(make):
    """Operators see which process has a saga, and when a parked one is due."""
    journal = make()
    await journal.begin("s-1", KIND, b"one", "a", HOUR)
    await journal.begin("s-2", KIND, b"two", "a", HOUR)
    await journal.park("s-2", b"parked", "a", HOUR / 2)
    await journal.begin("s-3", KIND, b"three", "a", HOUR)
    await journal.end("s-3", b"done", "a", HOUR)

    parked, leased = await journal.open_leases(9)
    await close(journal)

    assert (parked.body, parked.is_leased) == (b"parked", False)
    assert parked.due_in == pytest.approx(HOUR / 2, abs=60)
    assert (leased.body, leased.is_leased) == (b"one", True)
    assert leased.due_in == pytest.approx(HOUR, abs=60)


async def test_a_parked_record_is_released(make):
    """It can be claimed at once; one that a process has, or that is closed, can't."""
    journal = make()
    for name in ("parked", "leased", "closed"):
        await journal.begin(name, KIND, name.encode(), "a", HOUR)
    await journal.park("parked", b"parked", "a", HOUR)
    await journal.end("closed", b"closed", "a", HOUR)

    released = [await journal.release(name) for name in ("parked", "leased", "closed", "none")]
    claimed = await journal.claim(KIND, "b", HOUR, 8)
    await close(journal)

    assert released == [True, False, False, False]
    assert claimed == [b"parked"]
