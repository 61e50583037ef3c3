"""Where limits are counted: the same sums in this process and in Redis."""

import tracemalloc

import pytest

from bff_core.clock import chance, monotonic
from bff_core.errors import StoreUnavailable
from bff_core.events import Events
from bff_core.limits.interface import LimitQuery
from bff_core.limits.memory import MemoryLimitStore
from bff_core.limits.redis import SCRIPT, RedisLimitStore
from bff_core.policy.edge.rate_limits import UNUSED, Limit, charged, status_of
from bff_core.redis.client import RedisClient

HOUR = Limit(quota=5, per=3600, burst=5)


class Hands:
    """A clock that is set by hand."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def linked(server, timeout=5):
    """Return a link to a server."""
    return RedisClient(server.url, clock=monotonic, chance=chance, events=Events(), timeout=timeout)


async def admitted(store, queries, times):
    """Return how many of so many requests are let in."""
    return sum([(await store.admit(queries)).is_admitted for _ in range(times)])


async def test_callers_are_counted_separately():
    """One caller's requests take nothing from another."""
    store = MemoryLimitStore(Hands())

    assert await admitted(store, [LimitQuery(HOUR, "ann")], 9) == 5
    assert await admitted(store, [LimitQuery(HOUR, "bob")], 9) == 5


async def test_a_refused_request_takes_nothing_from_other_limits():
    """If one limit refuses, nothing is charged to the others."""
    store = MemoryLimitStore(Hands())
    wide = Limit(quota=100, per=3600, name="wide")
    both = [LimitQuery(HOUR, "ann"), LimitQuery(wide, "ann")]
    await admitted(store, both, 50)

    (status,) = (await store.admit([LimitQuery(wide, "ann")])).statuses

    assert status.remaining == 94


@pytest.mark.parametrize("cost", ["calls", "query"])
async def test_a_limit_of_calls_admits_callers_with_anything_left(cost):
    """The cost is charged after the answer, even if less than that is left."""
    store = MemoryLimitStore(Hands())
    calls = [LimitQuery(Limit(quota=10, per=60, cost=cost), "ann")]

    await store.admit(calls)
    await store.charge(calls, 9)
    left = await store.admit(calls)
    await store.charge(calls, 9)
    after = await store.admit(calls)

    assert left.is_admitted
    assert left.statuses[0].remaining == 1
    assert not after.is_admitted


@pytest.mark.slow
async def test_any_number_of_callers_takes_bounded_memory():
    """The callers that were idle for longest are evicted; an active caller is not."""
    store = MemoryLimitStore(Hands(), max_callers=1000)
    busy = [LimitQuery(HOUR, "busy")]
    await admitted(store, busy, 5)
    tracemalloc.start()
    for number in range(20_000):
        await store.admit([LimitQuery(HOUR, f"caller-{number}")])
        if number % 500 == 0:
            assert not (await store.admit(busy)).is_admitted
            await store.charge(busy, 1)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert size < 2_000_000


@pytest.mark.needs("redis-server")
async def test_processes_count_together_in_redis(redis_server):
    """Two gateways admit a caller as often as one would."""
    first, second = linked(redis_server), linked(redis_server)
    stores = [
        RedisLimitStore(link, MemoryLimitStore(monotonic), gateway="shop", clock=monotonic)
        for link in (first, second)
    ]

    passed = [await admitted(store, [LimitQuery(HOUR, "ann")], 4) for store in stores]

    assert sum(passed) == 5
    await first.aclose()
    await second.aclose()


@pytest.mark.needs("redis-server")
async def test_redis_counts_like_the_arithmetic(redis_server):
    """The Lua script and `policy.edge.rate_limits` agree on every status of random requests."""
    link = linked(redis_server)
    limits = [
        Limit(quota=7, per=0.5, burst=3, name="bucket"),
        Limit(quota=4, per=0.3, strategy="window", name="window"),
        Limit(quota=50, per=2, cost="calls", name="calls"),
    ]
    states = dict.fromkeys(limits, UNUSED)
    for _ in range(300):
        args = [
            x for one in limits for x in (one.strategy, one.quota, one.capacity, one.per, cost(one))
        ]
        read_at, taken, stored = await link.script(
            SCRIPT, [one.name for one in limits], ["1", *args]
        )
        now = float(read_at)
        is_let_in = not any(status_of(one, states[one], now).retry_after for one in limits)
        if is_let_in:
            states |= {one: charged(one, states[one], now, cost(one)) for one in limits}

        assert bool(taken) is is_let_in
        for one, row in zip(limits, stored, strict=True):
            stored = (float(row[0]), int(row[1]), int(row[2]))
            assert (
                status_of(one, stored, now).remaining == status_of(one, states[one], now).remaining
            )
    await link.aclose()


def cost(limit):
    """Return what a request takes at once."""
    return 1 if limit.cost == "request" else 0


@pytest.mark.slow
@pytest.mark.needs("redis-server")
async def test_limits_fall_back_to_memory_while_redis_is_down(redis_server):
    """With a frozen Redis requests do not wait for long, and are still limited."""
    link = linked(redis_server)
    store = RedisLimitStore(link, MemoryLimitStore(monotonic), gateway="shop", clock=monotonic)
    await store.admit([LimitQuery(HOUR, "ann")])
    redis_server.freeze()

    passed = await admitted(store, [LimitQuery(HOUR, "ann")], 20)

    assert passed == 5
    redis_server.thaw()
    await link.aclose()


class Silent:
    """A Redis that does not answer, and how often it was queries."""

    name = "redis://nowhere"

    def __init__(self):
        self.commands = 0

    def prefix(self, group):
        return f"bff:{group}:"

    async def script(self, *_, **__):
        self.commands += 1
        raise StoreUnavailable(self.name, "is not answering")


async def test_a_request_waits_for_a_frozen_redis_once():
    """After a failure the limits are counted in memory for 100 ms."""
    clock, link = Hands(), Silent()
    store = RedisLimitStore(link, MemoryLimitStore(clock), gateway="shop", clock=clock)
    queries = [LimitQuery(HOUR, "ann")]

    await store.admit(queries)
    await store.admit(queries)
    await store.charge(queries, 1)
    within = link.commands
    clock.now += 0.11
    last = await store.admit(queries)

    assert (within, link.commands) == (1, 2)
    assert last.statuses[0].remaining == 1


@pytest.mark.needs("redis-server")
async def test_gateways_that_share_a_redis_count_separately(redis_server):
    """Limits of the same name in two gateways are two limits."""
    link = linked(redis_server)
    web, mobile = (
        RedisLimitStore(link, MemoryLimitStore(monotonic), gateway=name, clock=monotonic)
        for name in ("web", "mobile")
    )

    passed = [await admitted(store, [LimitQuery(HOUR, "ann")], 7) for store in (web, mobile)]

    assert passed == [5, 5]
    await link.aclose()


@pytest.mark.needs("redis-server")
async def test_redis_drops_callers_with_a_full_bucket(redis_server):
    """Each key expires when its bucket is full again."""
    link = linked(redis_server)
    store = RedisLimitStore(link, MemoryLimitStore(monotonic), gateway="shop", clock=monotonic)

    await store.admit([LimitQuery(HOUR, "ann")])

    key = (await link.run("KEYS", "*"))[0]
    assert 0 < await link.run("PTTL", key) <= 720_000
    await link.aclose()


@pytest.mark.needs("redis-server")
@pytest.mark.parametrize("kind", ["memory", "redis"])
async def test_callers_with_little_left_are_listed(kind, redis_server):
    """The emptiest come first; callers with enough left, and limits of others, are left out."""
    local, wide = MemoryLimitStore(Hands()), Limit(quota=100, per=3600, name="wide")
    link = linked(redis_server)
    store = RedisLimitStore(link, local, gateway="shop", clock=monotonic)
    store = local if kind == "memory" else store
    await admitted(store, [LimitQuery(HOUR, "viewer:ann")], 5)
    await admitted(store, [LimitQuery(HOUR, "viewer:bob")], 4)
    await admitted(store, [LimitQuery(HOUR, "viewer:eve"), LimitQuery(wide, "viewer:eve")], 1)

    found = await store.nearly_empty([HOUR, wide], 0.2, 10)
    first = await store.nearly_empty([HOUR, wide], 0.2, 1)
    others = await store.nearly_empty([wide], 1.0, 10)
    await link.aclose()

    assert [(one.limit, one.caller, one.share) for one in found] == [
        (HOUR, "viewer:ann", 0.0),
        (HOUR, "viewer:bob", 0.2),
    ]
    assert [one.caller for one in first] == ["viewer:ann"]
    assert [one.caller for one in others] == ["viewer:eve"]
