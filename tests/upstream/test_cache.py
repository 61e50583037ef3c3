"""The cache layer: serves fresh entries, refreshes stale ones, falls back to the last good one."""

import asyncio

import pytest

from bff_core.call import NOT_DECODED
from bff_core.errors import BadPayload, DeadlineExceeded, TransportFailed
from bff_core.policy.upstream.cache import Cache
from bff_core.testing.scripted import fail, hang, reply
from tests.upstream.cached_upstream import MINUTE, CachedUpstream, Draft, Product, product, value

pytestmark = pytest.mark.virtual_time

WITH_STALE = Cache(ttl=10, stale=20, error=3600)


async def test_a_fresh_reply_is_served_without_a_call() -> None:
    """It says that it is from the cache, how old it is, and until when it may be used."""
    cached = CachedUpstream(product(etag='"1"', cache_control="max-age=60"))
    first = await cached.get()
    await asyncio.sleep(5)

    second = await cached.get()

    assert (first.source, second.source) == ("upstream", "cache")
    assert (second.status, second.body) == (first.status, first.body)
    assert second.age == pytest.approx(5)
    assert first.reuse == second.reuse is not None
    assert second.reuse.fresh_until - cached.bench.now == pytest.approx(55)
    assert cached.outcomes() == [("store", ""), ("miss", ""), ("hit", "")]
    assert cached.calls_sent == 1


async def test_an_immutable_value_is_decoded_once() -> None:
    """All who are served get the very same one."""
    cached = CachedUpstream(product())

    values = [value(await cached.get()) for _ in range(3)]

    assert values[0] == Product(7)
    assert values[0] is values[1] is values[2]


async def test_mutable_values_are_not_shared() -> None:
    """Each caller decodes its own value."""
    cached = CachedUpstream(product())

    replies = [await cached.get(Draft) for _ in range(3)]

    assert [value(one, Draft) for one in replies] == [NOT_DECODED] * 3
    assert cached.calls_sent == 1


async def test_without_a_cache_policy_no_reply_is_stored() -> None:
    """Whatever the service's headers: only the policy allows a gateway to store replies."""
    cached = CachedUpstream(product())
    call = {"cache": False}

    replies = [await cached.get(**call) for _ in range(2)]

    assert [one.reuse for one in replies] == [None, None]
    assert cached.calls_sent == 2


async def test_a_call_may_say_otherwise_than_the_policy() -> None:
    """Its options are in place of all of the policy's."""
    cached = CachedUpstream(product(cache_control="no-store"))

    for _ in range(3):
        await cached.get(cache=Cache(ttl=1))
    await asyncio.sleep(2)
    await cached.get(cache=Cache(ttl=1))

    assert cached.calls_sent == 2


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"cache_control": "no-store"}, "no-store"),
        ({"cache_control": "private, max-age=60"}, "private"),
        ({**MINUTE, "set-cookie": "a=b"}, "set-cookie"),
        ({**MINUTE, "vary": "*"}, "vary"),
        ({"x": "y"}, "no-lifetime"),
    ],
)
async def test_replies_that_must_not_be_stored_emit_the_reason(said: dict, why: str) -> None:
    """The next call reaches the service again, and an event has the reason."""
    cached = CachedUpstream(product(**said))

    replies = [await cached.get() for _ in range(2)]

    assert [one.source for one in replies] == ["upstream", "upstream"]
    assert cached.outcomes() == [("refuse", why), ("miss", "")] * 2


async def test_a_reply_that_can_not_be_decoded_is_not_stored() -> None:
    """Otherwise a broken body would be served for as long as a good one."""
    cached = CachedUpstream(reply(200, {"id": "seven"}, headers=MINUTE), product())

    broken = await cached.get()
    good = await cached.get()

    assert broken.reuse is None
    assert value(good) == Product(7)
    assert cached.outcomes()[0] == ("refuse", "unreadable")


async def test_a_stored_reply_that_does_not_fit_the_model_is_requested_again() -> None:
    """A deploy may change the model; a stored entry need not fit it any more."""
    cached = CachedUpstream(reply(200, {"id": "seven"}, headers=MINUTE), product())
    await cached.get(None)

    answer = await cached.get(Product)

    assert (answer.source, value(answer)) == ("upstream", Product(7))


async def test_viewers_do_not_share_replies() -> None:
    """Each has their own; neither sees the other's."""
    cached = CachedUpstream(product(1), product(2), public=False)

    mine, theirs = [value(await cached.get(audience=f"1:{name}")) for name in "ab"]
    again = [value(await cached.get(audience=f"1:{name}")) for name in "ab"]

    assert [mine, theirs] == again == [Product(1), Product(2)]


async def test_stale_is_served_while_it_is_refreshed() -> None:
    """The caller does not wait; the next gets the new one."""
    cached = CachedUpstream(product(1), product(2, after=1), cache=WITH_STALE)
    await cached.get()
    await asyncio.sleep(15)

    stale = await cached.get()
    await cached.settle()
    fresh = await cached.get()

    assert (stale.source, value(stale), stale.age) == ("stale", Product(1), pytest.approx(15))
    assert (fresh.source, value(fresh)) == ("cache", Product(2))
    assert ("refresh", "") in cached.outcomes()


async def test_a_thousand_stale_replies_cause_one_refresh() -> None:
    """It belongs to the gateway: no caller waits for it, and it is not repeated meanwhile."""
    cached = CachedUpstream(product(1), product(2, after=1), cache=WITH_STALE)
    await cached.get()
    await asyncio.sleep(15)

    replies = await asyncio.gather(*(cached.get() for _ in range(1000)))
    await cached.settle()

    assert {one.source for one in replies} == {"stale"}
    assert cached.calls_sent == 2


async def test_a_refresh_outlives_the_request_that_began_it() -> None:
    """Its deadline is its own."""
    cached = CachedUpstream(product(1), product(2, after=2), cache=WITH_STALE, timeout=5)
    await cached.get()
    await asyncio.sleep(15)

    await cached.get(timeout=0.1)
    await cached.settle()

    assert value(await cached.get()) == Product(2)


async def test_a_refresh_that_hangs_ends_and_another_is_tried() -> None:
    """Until then the stale one is served."""
    cached = CachedUpstream(product(1), hang(), product(2), cache=WITH_STALE, timeout=2)
    await cached.get()
    await asyncio.sleep(15)

    await cached.get()
    await cached.settle()
    await cached.get()
    await cached.settle()

    assert value(await cached.get()) == Product(2)


async def test_a_popular_reply_never_expires() -> None:
    """One call refreshes it before: no caller ever waits, and few calls are made."""
    cached = CachedUpstream(product(after=0.05), cache=Cache(ttl=10))
    await cached.get()

    sources = []
    for _ in range(5000):
        await asyncio.sleep(0.02)
        sources.append((await cached.get()).source)

    assert set(sources) == {"cache"}
    assert 10 <= cached.calls_sent <= 13


async def test_unused_entries_are_not_refreshed() -> None:
    """Refreshing ahead is for what is in use."""
    cached = CachedUpstream(product(), cache=Cache(ttl=10))
    await cached.get()

    await asyncio.sleep(100)

    assert cached.calls_sent == 1


@pytest.mark.parametrize(
    "failure",
    [fail(), fail(is_sent=False), reply(500), reply(503), reply(200, {"id": "x"}), hang()],
    ids=["broken", "refused", "500", "503", "unreadable", "hanging"],
)
async def test_the_last_good_reply_is_served_when_the_service_fails(failure) -> None:
    """Within the call's deadline, marked as stale with its age."""
    cached = CachedUpstream(product(1), failure, cache=Cache(ttl=10, error=3600))
    await cached.get()
    await asyncio.sleep(60)
    began = cached.bench.now

    answer = await cached.get(timeout=1)

    assert (answer.source, value(answer)) == ("stale", Product(1))
    assert answer.age == pytest.approx(60, abs=1)
    assert cached.bench.now - began < 1
    assert cached.outcomes()[-1] == ("stale", "error")


@pytest.mark.parametrize("status", [404, 410, 401, 403, 429, 501])
async def test_other_statuses_are_answers_not_failures(status: int) -> None:
    """Only 500, 502, 503 and 504 are (RFC 5861); what the service has to say it says."""
    cached = CachedUpstream(product(1), reply(status), cache=Cache(stale=0, error=3600))
    await cached.get()
    await asyncio.sleep(61)

    assert (await cached.get(None)).status == status


async def test_last_good_has_an_end() -> None:
    """Beyond it the failure is raised."""
    cached = CachedUpstream(product(), fail(), cache=Cache(ttl=10, error=50))
    await cached.get()
    await asyncio.sleep(61)

    with pytest.raises(TransportFailed):
        await cached.get()


async def test_without_an_entry_the_failure_is_raised() -> None:
    """The failure is the caller's, as without a cache."""
    cached = CachedUpstream(hang(), cache=WITH_STALE)

    with pytest.raises(DeadlineExceeded):
        await cached.get(timeout=1)


async def test_a_purged_reply_is_not_served_after_a_failure() -> None:
    """A purge also applies while the service fails."""
    cached = CachedUpstream(product(), fail(), cache=Cache(ttl=10, error=3600, tags=("p",)))
    await cached.get(tags=("p",))
    await asyncio.sleep(60)
    await cached.cache.purge("p")

    with pytest.raises(TransportFailed):
        await cached.get()


async def test_an_unreadable_reply_without_a_last_good_one_is_the_callers_to_refuse() -> None:
    """The layer hands it on as it is."""
    cached = CachedUpstream(reply(200, {"id": "x"}))
    call = cached.call()
    answer = await cached.stack.handler(call)

    with pytest.raises(BadPayload):
        call.decode.value(answer, call)


async def test_a_call_with_a_condition_of_its_own_passes_by() -> None:
    """Its author wants the service's answer."""
    cached = CachedUpstream(reply(304))

    answer = await cached.get(None, headers=((b"if-none-match", b'"1"'),))

    assert answer.status == 304
    assert cached.outcomes() == []


async def test_a_call_may_ask_for_a_newer_one() -> None:
    """`max-age` of the call is honoured: it is its author's, no client's."""
    cached = CachedUpstream(product(1), product(2))
    await cached.get()
    await asyncio.sleep(5)

    answer = await cached.get(headers=((b"cache-control", b"max-age=1"),))

    assert value(answer) == Product(2)


async def test_variants_are_stored_side_by_side() -> None:
    """There is one for each value of the headers in Vary; other values miss."""
    cached = CachedUpstream(
        *(product(number, vary="Accept-Language", **MINUTE) for number in (1, 2)), fail()
    )
    tongues = [((b"accept-language", tongue),) for tongue in (b"de", b"fr", b"it")]

    first = [value(await cached.get(headers=one)) for one in tongues[:2]]
    second = [value(await cached.get(headers=one)) for one in tongues[:2]]

    assert first == second == [Product(1), Product(2)]
    with pytest.raises(TransportFailed):
        await cached.get(headers=tongues[2])


async def test_head_is_answered_from_a_get() -> None:
    """Without its body."""
    cached = CachedUpstream(product())
    full = await cached.get()

    head = await cached.get(None, method="HEAD")

    assert (head.status, head.headers, head.body) == (full.status, full.headers, b"")
    assert cached.calls_sent == 1


async def test_figures_and_looks() -> None:
    """The repr of the stack shows what its cache has done."""
    cached = CachedUpstream(product())
    for _ in range(4):
        await cached.get()

    assert "cache      75% hits, 1 misses, 1 stored" in repr(cached.stack)
    assert cached.cache.figures.by_name["catalog"].size > 0


WITHHELD = {
    "cache-control": 'max-age=60, no-cache="x-once, set-cookie", private="x-mine"',
    "etag": '"v1"', "x-once": "1", "x-mine": "2", "x-all": "3", "set-cookie": "a=b",
}  # fmt: skip


def named(answer) -> set[str]:
    """Return which of the fields in question a reply has."""
    fields = ("x-once", "x-mine", "x-all", "set-cookie")
    return {name for name in fields if answer.header(name) is not None}


async def test_fields_that_are_withheld_are_in_the_first_answer_only() -> None:
    """A field that the service excludes from reuse reaches the request that caused the reply."""
    cached = CachedUpstream(reply(200, {"id": 7}, headers=WITHHELD))

    first, again = await cached.get(), await cached.get()

    assert named(first) == {"x-once", "x-mine", "x-all", "set-cookie"}
    assert named(again) == {"x-all"}
    assert (again.source, cached.calls_sent) == ("cache", 1)


async def test_waiting_requests_do_not_get_withheld_fields() -> None:
    """Requests that share one call are reuse: only the one that made it gets the fields."""
    cached = CachedUpstream(reply(200, {"id": 7}, headers=WITHHELD, after=1))

    replies = await asyncio.gather(*(cached.get() for _ in range(3)))

    assert [named(one) for one in replies] == [
        {"x-once", "x-mine", "x-all", "set-cookie"},
        {"x-all"},
        {"x-all"},
    ]


async def test_fields_that_a_304_brings_are_in_its_answer() -> None:
    """The request that revalidates gets what came with it; the next does not."""
    renewal = reply(304, headers={**WITHHELD, "x-once": "4"})
    cached = CachedUpstream(reply(200, {"id": 7}, headers=WITHHELD), renewal)
    await cached.get()
    await asyncio.sleep(61)

    first, again = await cached.get(), await cached.get()

    assert (first.header("x-once"), first.body) == ("4", b'{"id": 7}')
    assert (named(again), cached.calls_sent) == ({"x-all"}, 2)


@pytest.mark.parametrize(
    "forbids", ["no-cache", "must-revalidate", "proxy-revalidate", "s-maxage=10", "no-store"]
)
@pytest.mark.parametrize("forced", [False, True])
async def test_directives_against_stale_replies_apply_unless_the_policy_forces_them(
    forbids: str, *, forced: bool
) -> None:
    """While the service fails, its last good reply is served only if it may be, or must be."""
    said = {"cache-control": f"max-age=10, {forbids}", "etag": '"v1"'}
    policy = Cache(stale=60, error=3600, force_stale=forced)
    cached = CachedUpstream(reply(200, {"id": 7}, headers=said), fail(), cache=policy)
    await cached.get()
    await asyncio.sleep(120)

    if forced:
        assert (await cached.get()).source == "stale"
    else:
        with pytest.raises(TransportFailed):
            await cached.get()
