"""The cache layer: what is fresh is served, what is stale refreshed, what was last good kept up."""

import asyncio

import pytest

from bff_core.call import NOT_DECODED
from bff_core.errors import BadPayload, DeadlineExceeded, TransportFailed
from bff_core.policy.upstream.cache import Cache
from bff_core.testing.scripted import fail, hang, reply
from tests.upstream.kept import MINUTE, Draft, Larder, Product, product, value

pytestmark = pytest.mark.virtual_time

KEPT_UP = Cache(ttl=10, stale=20, error=3600)


async def test_a_fresh_reply_is_served_without_a_call() -> None:
    """It says that it is from the cache, how old it is, and until when it may be used."""
    larder = Larder(product(etag='"1"', cache_control="max-age=60"))
    first = await larder.get()
    await asyncio.sleep(5)

    second = await larder.get()

    assert (first.source, second.source) == ("upstream", "cache")
    assert (second.status, second.body) == (first.status, first.body)
    assert second.age == pytest.approx(5)
    assert first.reuse == second.reuse is not None
    assert second.reuse.fresh_until - larder.bench.now == pytest.approx(55)
    assert larder.told() == [("store", ""), ("miss", ""), ("hit", "")]
    assert larder.asked == 1


async def test_an_immutable_value_is_decoded_once() -> None:
    """All who are served get the very same one."""
    larder = Larder(product())

    values = [value(await larder.get()) for _ in range(3)]

    assert values[0] == Product(7)
    assert values[0] is values[1] is values[2]


async def test_what_can_be_changed_is_nobodys_but_the_callers() -> None:
    """It is decoded for each call, by whoever calls."""
    larder = Larder(product())

    replies = [await larder.get(Draft) for _ in range(3)]

    assert [value(one, Draft) for one in replies] == [NOT_DECODED] * 3
    assert larder.asked == 1


async def test_without_a_policy_nothing_is_kept() -> None:
    """Whatever the service says: only its author says that a gateway may keep it."""
    larder = Larder(product())
    call = {"cache": False}

    replies = [await larder.get(**call) for _ in range(2)]

    assert [one.reuse for one in replies] == [None, None]
    assert larder.asked == 2


async def test_a_call_may_say_otherwise_than_the_policy() -> None:
    """Its options are in place of all of the policy's."""
    larder = Larder(product(cache_control="no-store"))

    for _ in range(3):
        await larder.get(cache=Cache(ttl=1))
    await asyncio.sleep(2)
    await larder.get(cache=Cache(ttl=1))

    assert larder.asked == 2


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
async def test_what_must_not_be_kept_is_not_and_the_reason_is_told(said: dict, why: str) -> None:
    """The next call asks again, and whoever listens knows why."""
    larder = Larder(product(**said))

    replies = [await larder.get() for _ in range(2)]

    assert [one.source for one in replies] == ["upstream", "upstream"]
    assert larder.told() == [("refuse", why), ("miss", "")] * 2


async def test_what_nobody_can_read_is_not_kept() -> None:
    """A broken body would be served for as long as a good one."""
    larder = Larder(reply(200, {"id": "seven"}, headers=MINUTE), product())

    broken = await larder.get()
    good = await larder.get()

    assert broken.reuse is None
    assert value(good) == Product(7)
    assert larder.told()[0] == ("refuse", "unreadable")


async def test_a_kept_reply_that_another_release_could_read_is_asked_for_anew() -> None:
    """A deploy may change the model; what is kept need not fit it any more."""
    larder = Larder(reply(200, {"id": "seven"}, headers=MINUTE), product())
    await larder.get(None)

    answer = await larder.get(Product)

    assert (answer.source, value(answer)) == ("upstream", Product(7))


async def test_viewers_are_kept_apart() -> None:
    """Each has their own; neither sees the other's."""
    larder = Larder(product(1), product(2), public=False)

    mine, theirs = [value(await larder.get(audience=f"1:{name}")) for name in "ab"]
    again = [value(await larder.get(audience=f"1:{name}")) for name in "ab"]

    assert [mine, theirs] == again == [Product(1), Product(2)]


async def test_stale_is_served_while_it_is_refreshed() -> None:
    """Who asks does not wait; the next gets the new one."""
    larder = Larder(product(1), product(2, after=1), cache=KEPT_UP)
    await larder.get()
    await asyncio.sleep(15)

    stale = await larder.get()
    await larder.settle()
    fresh = await larder.get()

    assert (stale.source, value(stale), stale.age) == ("stale", Product(1), pytest.approx(15))
    assert (fresh.source, value(fresh)) == ("cache", Product(2))
    assert ("refresh", "") in larder.told()


async def test_a_thousand_who_get_the_stale_one_cause_one_refresh() -> None:
    """It belongs to the gateway: nobody waits for it, and it is not repeated meanwhile."""
    larder = Larder(product(1), product(2, after=1), cache=KEPT_UP)
    await larder.get()
    await asyncio.sleep(15)

    replies = await asyncio.gather(*(larder.get() for _ in range(1000)))
    await larder.settle()

    assert {one.source for one in replies} == {"stale"}
    assert larder.asked == 2


async def test_a_refresh_outlives_the_request_that_began_it() -> None:
    """Its deadline is its own."""
    larder = Larder(product(1), product(2, after=2), cache=KEPT_UP, timeout=5)
    await larder.get()
    await asyncio.sleep(15)

    await larder.get(timeout=0.1)
    await larder.settle()

    assert value(await larder.get()) == Product(2)


async def test_a_refresh_that_hangs_ends_and_another_is_tried() -> None:
    """Until then the stale one is served."""
    larder = Larder(product(1), hang(), product(2), cache=KEPT_UP, timeout=2)
    await larder.get()
    await asyncio.sleep(15)

    await larder.get()
    await larder.settle()
    await larder.get()
    await larder.settle()

    assert value(await larder.get()) == Product(2)


async def test_a_popular_reply_never_expires() -> None:
    """Somebody is chosen to refresh it before: nobody ever waits, and few calls are made."""
    larder = Larder(product(after=0.05), cache=Cache(ttl=10))
    await larder.get()

    sources = []
    for _ in range(5000):
        await asyncio.sleep(0.02)
        sources.append((await larder.get()).source)

    assert set(sources) == {"cache"}
    assert 10 <= larder.asked <= 13


async def test_what_nobody_asks_for_is_not_refreshed() -> None:
    """Refreshing ahead is for what is in use."""
    larder = Larder(product(), cache=Cache(ttl=10))
    await larder.get()

    await asyncio.sleep(100)

    assert larder.asked == 1


@pytest.mark.parametrize(
    "failure",
    [fail(), fail(is_sent=False), reply(500), reply(503), reply(200, {"id": "x"}), hang()],
    ids=["broken", "refused", "500", "503", "unreadable", "hanging"],
)
async def test_what_was_last_good_is_served_when_the_service_fails(failure) -> None:
    """Within the call's deadline, marked as stale with its age."""
    larder = Larder(product(1), failure, cache=Cache(ttl=10, error=3600))
    await larder.get()
    await asyncio.sleep(60)
    began = larder.bench.now

    answer = await larder.get(timeout=1)

    assert (answer.source, value(answer)) == ("stale", Product(1))
    assert answer.age == pytest.approx(60, abs=1)
    assert larder.bench.now - began < 1
    assert larder.told()[-1] == ("stale", "error")


@pytest.mark.parametrize("status", [404, 410, 401, 403, 429, 501])
async def test_an_answer_is_no_failure(status: int) -> None:
    """Only 500, 502, 503 and 504 are (RFC 5861); what the service has to say it says."""
    larder = Larder(product(1), reply(status), cache=Cache(stale=0, error=3600))
    await larder.get()
    await asyncio.sleep(61)

    assert (await larder.get(None)).status == status


async def test_last_good_has_an_end() -> None:
    """Beyond it the failure is told."""
    larder = Larder(product(), fail(), cache=Cache(ttl=10, error=50))
    await larder.get()
    await asyncio.sleep(61)

    with pytest.raises(TransportFailed):
        await larder.get()


async def test_nothing_kept_is_no_help() -> None:
    """The failure is the caller's, as without a cache."""
    larder = Larder(hang(), cache=KEPT_UP)

    with pytest.raises(DeadlineExceeded):
        await larder.get(timeout=1)


async def test_what_was_purged_is_not_last_good() -> None:
    """A purge beats everything, failures included."""
    larder = Larder(product(), fail(), cache=Cache(ttl=10, error=3600, tags=("p",)))
    await larder.get(tags=("p",))
    await asyncio.sleep(60)
    await larder.cache.purge("p")

    with pytest.raises(TransportFailed):
        await larder.get()


async def test_an_unreadable_reply_without_a_last_good_one_is_the_callers_to_refuse() -> None:
    """The layer hands it on as it is."""
    larder = Larder(reply(200, {"id": "x"}))
    call = larder.call()
    answer = await larder.stack.handler(call)

    with pytest.raises(BadPayload):
        call.decode.value(answer, call)


async def test_a_call_with_a_condition_of_its_own_passes_by() -> None:
    """Its author wants the service's answer."""
    larder = Larder(reply(304))

    answer = await larder.get(None, headers=((b"if-none-match", b'"1"'),))

    assert answer.status == 304
    assert larder.told() == []


async def test_a_call_may_ask_for_a_newer_one() -> None:
    """`max-age` of the call is honoured: it is its author's, no client's."""
    larder = Larder(product(1), product(2))
    await larder.get()
    await asyncio.sleep(5)

    answer = await larder.get(headers=((b"cache-control", b"max-age=1"),))

    assert value(answer) == Product(2)


async def test_replies_that_vary_are_kept_side_by_side() -> None:
    """One for each value of what the service names; the others miss."""
    larder = Larder(
        *(product(number, vary="Accept-Language", **MINUTE) for number in (1, 2)), fail()
    )
    tongues = [((b"accept-language", tongue),) for tongue in (b"de", b"fr", b"it")]

    first = [value(await larder.get(headers=one)) for one in tongues[:2]]
    second = [value(await larder.get(headers=one)) for one in tongues[:2]]

    assert first == second == [Product(1), Product(2)]
    with pytest.raises(TransportFailed):
        await larder.get(headers=tongues[2])


async def test_head_is_answered_from_a_get() -> None:
    """Without its body."""
    larder = Larder(product())
    full = await larder.get()

    head = await larder.get(None, method="HEAD")

    assert (head.status, head.headers, head.body) == (full.status, full.headers, b"")
    assert larder.asked == 1


async def test_figures_and_looks() -> None:
    """The stack tells what its cache has done."""
    larder = Larder(product())
    for _ in range(4):
        await larder.get()

    assert "cache      75% hits, 1 misses, 1 stored" in repr(larder.stack)
    assert larder.cache.figures["catalog"].size > 0


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
    larder = Larder(reply(200, {"id": 7}, headers=WITHHELD))

    first, again = await larder.get(), await larder.get()

    assert named(first) == {"x-once", "x-mine", "x-all", "set-cookie"}
    assert named(again) == {"x-all"}
    assert (again.source, larder.asked) == ("cache", 1)


async def test_fields_that_are_withheld_reach_no_request_that_waited_for_them() -> None:
    """Requests that share one call are reuse: only the one that made it gets the fields."""
    larder = Larder(reply(200, {"id": 7}, headers=WITHHELD, after=1))

    replies = await asyncio.gather(*(larder.get() for _ in range(3)))

    assert [named(one) for one in replies] == [
        {"x-once", "x-mine", "x-all", "set-cookie"},
        {"x-all"},
        {"x-all"},
    ]


async def test_fields_that_a_304_brings_are_in_its_answer() -> None:
    """The request that revalidates gets what came with it; the next does not."""
    renewal = reply(304, headers={**WITHHELD, "x-once": "4"})
    larder = Larder(reply(200, {"id": 7}, headers=WITHHELD), renewal)
    await larder.get()
    await asyncio.sleep(61)

    first, again = await larder.get(), await larder.get()

    assert (first.header("x-once"), first.body) == ("4", b'{"id": 7}')
    assert (named(again), larder.asked) == ({"x-all"}, 2)


@pytest.mark.parametrize(
    "forbids", ["no-cache", "must-revalidate", "proxy-revalidate", "s-maxage=10", "no-store"]
)
@pytest.mark.parametrize("forced", [False, True])
async def test_what_forbids_stale_replies_is_obeyed_unless_the_policy_forces_them(
    forbids: str, *, forced: bool
) -> None:
    """While the service fails, its last good reply is served only if it may be, or must be."""
    said = {"cache-control": f"max-age=10, {forbids}", "etag": '"v1"'}
    policy = Cache(stale=60, error=3600, force_stale=forced)
    larder = Larder(reply(200, {"id": 7}, headers=said), fail(), cache=policy)
    await larder.get()
    await asyncio.sleep(120)

    if forced:
        assert (await larder.get()).source == "stale"
    else:
        with pytest.raises(TransportFailed):
            await larder.get()
