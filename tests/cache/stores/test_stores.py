"""The behaviour of every cache store."""

import asyncio
import random

import pytest

from bff_core.cache.entry import CacheEntry
from bff_core.clock import monotonic
from tests.cache.stores.conftest import body_of, put, until

FULL = CacheEntry(
    status=203,
    headers=((b"content-type", b"text/plain"), (b"etag", b'"\xe9"')),
    body=b"\x00\xff" * 3,
    generated_at=0.0,
    fresh_for=1.5,
    stale_for=2.5,
    error_for=3.5,
    has_validator=True,
    varies=((b"accept", b"*/*"), (b"x-none", None)),
    tags=("product:42", "shop"),
)


async def test_a_stored_answer_is_found_unchanged(opened):
    """Every field of it; its age continues."""
    async with opened() as store:
        now = monotonic()
        entry = CacheEntry(**{**_fields(FULL), "generated_at": now - 100.0})
        is_stored = await store.set("GET /", entry, store_for=60.0, mark=store.mark())
        found = await store.get("GET /")

    assert is_stored
    assert _fields(found) == _fields(FULL)
    assert 99.9 < now - found.generated_at < 105


def _fields(entry):
    names = (name for name in CacheEntry.__slots__ if name not in {"generated_at", "decoded"})
    return {name: getattr(entry, name) for name in names}


async def test_an_unknown_key_is_a_miss(opened):
    """Also one that was only purged or deleted."""
    async with opened() as store:
        await store.delete("a")
        await store.purge(["t"])

        assert await store.get("a") is None
        assert store.peek("a") is None


async def test_a_newer_answer_replaces_an_older(opened):
    """A purge of tags that only the older one had does not affect it."""
    async with opened() as store:
        await put(store, "a", body=b"old", tags=["old", "both"])
        await put(store, "a", body=b"new", tags=["new", "both"])
        await store.purge(["old"])
        after_old = await body_of(store, "a")
        await store.purge(["new"])

        assert after_old == b"new"
        assert await body_of(store, "a") is None


@pytest.mark.parametrize("size", [0, 1, 1_023, 1_024, 70_000, 2**20])
async def test_answers_of_any_size_come_back_whole(opened, size):
    """Compressible and incompressible ones."""
    async with opened() as store:
        dense, thin = random.Random(size).randbytes(size), b"abc" * (size // 3)
        await put(store, "dense", body=dense)
        await put(store, "thin", body=thin)

        assert await body_of(store, "dense") == dense
        assert await body_of(store, "thin") == thin


async def test_a_deleted_answer_is_gone(opened):
    """And no other."""
    async with opened() as store:
        await put(store, "a")
        await put(store, "b")

        await store.delete("a")

        assert await body_of(store, "a") is None
        assert await body_of(store, "b") == b"{}"


@pytest.mark.slow
async def test_an_answer_is_stored_for_the_given_time(opened):
    """Then it is a miss; with a time of 0 it is not stored."""
    async with opened() as store:
        is_stored = [
            await put(store, key, store_for=time) for key, time in (("a", 0.5), ("b", 0.0))
        ]
        before = await body_of(store, "a")
        await asyncio.sleep(0.51)

        assert is_stored == [True, False]
        assert before == b"{}"
        assert await body_of(store, "a") is None
        assert await body_of(store, "b") is None


async def test_a_purge_deletes_all_entries_with_one_of_the_tags(opened):
    """However many they are, and no others."""
    async with opened() as store:
        for number in range(60):
            await put(store, f"{number}", tags=[f"third:{number % 3}", f"fifth:{number % 5}"])
        await put(store, "untagged")

        await store.purge(["third:1", "fifth:2", "unknown"])

        left = [number for number in range(60) if await body_of(store, f"{number}")]
        assert left == [number for number in range(60) if number % 3 != 1 and number % 5 != 2]
        assert await body_of(store, "untagged")


ODD = ["", " ", "a b", "a,b", "a\nb", "\x00", "é", "\U0001f436", "\ud800", "t", "e", "a" * 3000]


async def test_tags_may_contain_anything(opened):
    """A purge of one affects no other."""
    async with opened() as store:
        for tag in ODD:
            await put(store, f"key {tag}", tags=[tag])
        await put(store, "all", tags=[*ODD, *(f"{number}" for number in range(300))])
        had = [await body_of(store, f"key {tag}") for tag in ODD]
        first = await body_of(store, "all")
        for tag in ODD[::2]:
            await store.purge([tag])
        left = [await body_of(store, f"key {tag}") for tag in ODD]

        assert had == [b"{}"] * len(ODD)
        assert left == [None, b"{}"] * (len(ODD) // 2)
        assert (first, await body_of(store, "all")) == (b"{}", None)


async def test_a_reply_requested_before_a_purge_is_not_stored(opened):
    """If it has a purged tag."""
    async with opened() as store:
        await put(store, "known", tags=["t"])
        before = store.mark()
        await store.purge(["t", "other"])
        results = [
            await put(store, "a", tags=["t"], mark=before),
            await put(store, "b", tags=["s", "t"], mark=before),
            await put(store, "c", tags=["s"], mark=before),
            await put(store, "d", mark=before),
            await put(store, "e", tags=["t"]),
        ]

        assert results == [False, False, True, True, True]
        assert [await body_of(store, key) for key in "ab"] == [None, None]
        assert [await body_of(store, key) for key in "cde"] == [b"{}"] * 3


async def test_a_purge_of_an_unknown_tag_counts_as_well(opened):
    """The first reply with this tag may be in transit."""
    async with opened() as store:
        before = store.mark()
        await store.purge(["t"])

        assert not await put(store, "a", tags=["t"], mark=before)


async def test_purges_race_with_answers_and_win(opened):
    """No reply is found that was requested before a purge ended."""
    async with opened() as store:
        dice = random.Random(5)
        requested: dict[str, int] = {}
        purged = -1

        async def fetch(number: int) -> None:
            mark, key = store.mark(), f"{number % 7}"
            for _ in range(dice.randrange(6)):
                await asyncio.sleep(0)
            if await put(store, key, body=b"%d" % number, tags=["t"], mark=mark):
                requested[key] = number

        async def purge(number: int) -> None:
            nonlocal purged
            await asyncio.sleep(0)
            await store.purge(["t"])
            purged = max(purged, number)

        stale = []
        for number in range(0, 400, 20):
            jobs = [fetch(number + step) for step in range(18)]
            jobs.insert(dice.randrange(18), purge(number))
            await asyncio.gather(*jobs)
            mark = store.mark()
            await store.purge(["t"])
            late = await put(store, "late", tags=["t"], mark=mark)
            found = [await body_of(store, f"{key}") for key in range(7)]
            stale += [body for body in found if body is not None] + [late] * late

        assert requested
        assert stale == []


async def test_an_outdated_reply_is_always_refused(opened):
    """A reply that was requested before a purge is refused again and again, not only once."""
    async with opened() as store:
        before = store.mark()
        await store.purge(["t"])
        await put(store, "a", body=b"new", tags=["t"])

        assert not await put(store, "a", body=b"old", tags=["t"], mark=before)
        assert await body_of(store, "a") in {b"new", None}


async def test_a_lease_can_be_taken_and_released(opened):
    """Releasing a lease that was not taken does nothing."""
    async with opened() as store:
        await store.release("a")
        first = await store.lease("a", 5.0)
        await store.release("a")

        assert first
        assert await store.lease("a", 5.0)


async def test_the_repr_of_a_store_describes_it(opened):
    """In a line, without keys or values."""
    async with opened() as store:
        await put(store, "secret")
        await until(lambda: "secret" not in repr(store))

        assert "\n" not in repr(store)
        assert ("memory, 1 entries, 0.0 of 4.0 MiB" in repr(store)) is bool(store.limit)
