"""The Lua scripts in a real Redis: late commands, dropped purges, expiring tags."""

import pytest

from bff_core.cache.entry import CacheEntry
from bff_core.cache.stores.codec import raw
from bff_core.cache.stores.scripts import PURGE, PURGES, STORE, TAG_EXPIRIES, TAGS
from bff_core.clock import monotonic
from tests.cache.stores.conftest import body_of, put, shared

pytestmark = pytest.mark.needs("redis-server")


async def stored(store, key, *, mark, listed=4096, late=0, tags=(b"a",)) -> bool:
    """Have an entry set that was sent so many milliseconds ago."""
    epoch = store.session.epoch
    sent = epoch.redis_time() - late
    args = (epoch.era, mark, 60_000, sent, listed, b"body", *tags)
    return await store.session.script(STORE, (store.name_of(key),), args) == [1]


async def purge(store, *tags: bytes, listed=4096) -> int:
    """Purge tags where so many are listed; return the number of the purge."""
    args = (PURGES, b"said", listed, len(tags), *tags)
    await store.session.script(PURGE, (), args)
    return store.session.epoch.count


async def lifetime_of(store, tag) -> float:
    """Return for how much longer Redis has a tag (ms)."""
    expiry = await store.session.link.run("ZSCORE", TAG_EXPIRIES, tag)
    return expiry - store.session.epoch.redis_time()


@pytest.mark.parametrize(
    ("late", "is_stored"), [(0, True), (500, True), (5000, False), (-500, True), (-5000, False)]
)
async def test_a_command_that_redis_read_late_stores_nothing(redis_server, late, is_stored):
    """A frozen Redis would make an entry younger than it is."""
    async with shared(redis_server.url) as store:
        assert await stored(store, "key", mark=0, late=late) is is_stored


async def test_a_mark_from_before_the_purge_log_stores_nothing(redis_server):
    """The purge of the tag may be among the dropped ones."""
    async with shared(redis_server.url) as store:
        await purge(store, b"a", listed=2)
        for tag in (b"b", b"c", b"d"):
            last = await purge(store, tag, listed=2)

        assert not await stored(store, "old", mark=0, listed=2, tags=(b"unheard-of",))
        assert await stored(store, "new", mark=last, listed=2, tags=(b"unheard-of",))


async def test_a_purge_after_the_mark_is_found_by_tag(redis_server):
    """Each tag of an entry counts."""
    async with shared(redis_server.url) as store:
        before = await purge(store, b"x")
        after = await purge(store, b"b")

        assert not await stored(store, "key", mark=before, tags=(b"a", b"b"))
        assert await stored(store, "key", mark=before, tags=(b"a", b"c"))
        assert await stored(store, "key", mark=after, tags=(b"a", b"b"))


async def test_a_tag_expires_with_its_last_entry(redis_server):
    """A later entry with a short lifetime does not end the others of its tag."""
    async with shared(redis_server.url) as store:
        assert await put(store, "long", tags=("a",), store_for=600.0)
        assert await put(store, "short", tags=("a",), store_for=1.0)
        left = await lifetime_of(store, "a")
        assert await store.session.link.run("HDEL", TAGS, raw("a")) == 1
        gone = await body_of(store, "long")

    assert left > 500_000
    assert gone is None


async def test_new_entries_remove_expired_tags(redis_server):
    """A gateway with a tag for each user does not fill Redis with those of last year."""
    async with shared(redis_server.url) as store:
        link = store.session.link
        for number in range(20):
            await link.run("HSET", TAGS, f"old-{number}", "x 0")
            await link.run("ZADD", TAG_EXPIRIES, 1, f"old-{number}")
        for number in range(5):
            assert await put(store, f"key-{number}", tags=(f"new-{number}",))

        assert sorted(await link.run("HKEYS", TAGS)) == [b"new-%d" % number for number in range(5)]
        assert await link.run("ZCARD", TAG_EXPIRIES) == 5


@pytest.mark.parametrize("evicted", [TAGS, TAG_EXPIRIES])
@pytest.mark.parametrize("spoil", [("DEL",), ("SET", "text")])
async def test_evicted_tags_are_written_again(redis_server, evicted, spoil):
    """Earlier entries may be lost; later ones are served."""
    async with shared(redis_server.url) as store:
        link = store.session.link
        assert await put(store, "old", tags=("a", "b"))
        await link.run("DEL", evicted)
        if spoil[0] == "SET":
            await link.run("SET", evicted, *spoil[1:])
        assert await put(store, "new", tags=("a",))

        assert await body_of(store, "new") == b"{}"
        assert await link.run("HLEN", TAGS) == await link.run("ZCARD", TAG_EXPIRIES) == 1
        await store.purge(["a"])
        assert await body_of(store, "new") is None


async def test_an_entry_is_valid_only_while_its_tags_are_unchanged(redis_server):
    """If Redis evicts keys, entries are lost, but none becomes valid again."""
    entry = CacheEntry(200, (), b"{}", monotonic(), 60.0, tags=("a", "b"))
    async with shared(redis_server.url) as store:
        for spoil in (("HSET", TAGS, "b", "x 1"), ("HDEL", TAGS, "a"), ("DEL", PURGES)):
            assert await store.set("key", entry, store_for=60.0, mark=store.mark())
            assert await body_of(store, "key") == b"{}"
            await store.session.link.run(*spoil)

            assert await body_of(store, "key") is None
            await store.get("")  # it hears of a new era by asking
