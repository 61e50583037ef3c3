"""Gateways that share a Redis Cluster: three real nodes, discovered from one URL."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bff_core.auth.api_keys.record import ApiKeyRecord
from bff_core.auth.api_keys.redis import RedisApiKeyStore
from bff_core.auth.devices import Device, RedisDeviceStore
from bff_core.auth.session.interface import MAX_SESSIONS_PER_SUBJECT, Lifetimes
from bff_core.auth.session.redis import RedisSessionStore
from bff_core.auth.session.sealing import Sealing
from bff_core.auth.session.session import Session, owner_of
from bff_core.cache.stores.scripts import PURGES
from bff_core.clock import chance, monotonic
from bff_core.errors import ConfigurationError, StoreUnavailable
from bff_core.events import Events
from bff_core.idempotency.interface import REUSED, RUNNING, Claim
from bff_core.idempotency.redis import RedisIdempotencyStore
from bff_core.limits.interface import LimitQuery
from bff_core.limits.memory import MemoryLimitStore
from bff_core.limits.redis import RedisLimitStore
from bff_core.policy.edge.idempotency import IdempotencyOptions, StoredAnswer
from bff_core.policy.edge.rate_limits import Limit
from bff_core.redis.client import RedisClient
from bff_core.saga.journal.redis import RedisJournal
from tests.cache.stores.conftest import body_of, put, shared, until
from tests.redis_cluster import RedisClusterServers

pytestmark = [pytest.mark.needs("redis-server", "redis-cli"), pytest.mark.alone]

HOUR = Limit(quota=5, per=3600, burst=5)
DAY = Limit(quota=100, per=86_400, name="day")
LIFETIMES = Lifetimes(idle=600, absolute=600)


@pytest.fixture(scope="module")
def servers(tmp_path_factory) -> Iterator[RedisClusterServers]:
    """Run a cluster; each test uses names of its own."""
    servers = RedisClusterServers(tmp_path_factory.mktemp("cluster"))
    try:
        servers.start()
        yield servers
    finally:
        servers.kill()


@pytest.fixture
def cluster(servers) -> RedisClusterServers:
    """Return the cluster when all of it serves, whatever the test before did to it."""
    servers.wait()
    return servers


@asynccontextmanager
async def linked(url, *sinks, within=5.0) -> AsyncIterator[RedisClient]:
    """Open a client, and close it."""
    client = RedisClient(url, clock=monotonic, chance=chance, events=Events(*sinks), timeout=within)
    try:
        yield client
    finally:
        await client.aclose()


async def test_keys_of_all_nodes_are_found(cluster):
    """A gateway need not know which node has which key."""
    async with linked(cluster.url) as client:
        for number in range(30):
            assert await client.run("SET", f"key:{number}", number) == b"OK"
        values = [await client.run("GET", f"key:{number}") for number in range(30)]
    sizes = [int(server.order("DBSIZE")[1:]) for server in cluster.servers]

    assert values == [b"%d" % number for number in range(30)]
    assert all(sizes)


async def test_sessions_work_in_a_cluster(cluster):
    """They are found, replaced, listed, and ended together; one too many ends the oldest."""
    async with linked(cluster.url) as client:
        store = RedisSessionStore(client, Sealing(["a secret of a test " * 2]), gateway="shop")
        for number in range(MAX_SESSIONS_PER_SUBJECT + 1):
            await store.add(f"key-{number}", Session(f"s{number}", "ann"), LIFETIMES)
        first = await store.get("key-0")
        is_moved = await store.move("key-1", "moved", 10)
        by_former_key = await store.get("key-1")
        listed = await store.listed(owner_of("ann", ""))
        live = await store.live(100)
        ended = await store.end_listed(owner_of("ann", ""), "jti", 60)
        again = await store.end_listed(owner_of("ann", ""), "jti", 60)
        after = await store.get("moved")

    assert first is None
    assert is_moved
    assert by_former_key is not None
    assert by_former_key.key == "moved"
    assert len(listed) == len(ended) == MAX_SESSIONS_PER_SUBJECT
    assert again is None
    assert after is None
    assert (live.count, len(live.sessions)) == (MAX_SESSIONS_PER_SUBJECT, MAX_SESSIONS_PER_SUBJECT)


async def test_limits_are_counted_in_a_cluster(cluster):
    """Two limits of one request are counted together, by all processes."""
    heard = []
    async with linked(cluster.url, heard.append) as one, linked(cluster.url) as other:
        for client in (one, other):
            await client.run("EXISTS", "any")  # finds the nodes
        stores = [
            RedisLimitStore(client, MemoryLimitStore(monotonic), gateway="shop", clock=monotonic)
            for client in (one, other)
        ]
        queries = [LimitQuery(HOUR, "ann"), LimitQuery(DAY, "address 1")]
        admitted = [(await stores[turn % 2].admit(queries)).is_admitted for turn in range(8)]
        near = await stores[0].nearly_empty([HOUR, DAY], 0.2, 50)

    assert admitted == [True] * 5 + [False] * 3
    assert [(one.limit, one.caller) for one in near] == [(HOUR, "ann")]
    assert heard == []


async def test_keyed_requests_run_once_in_a_cluster(cluster):
    """A second request waits for the first, and has its answer; another body is refused."""
    async with linked(cluster.url) as client:
        await client.run("EXISTS", "any")  # finds the nodes, which may take longer than a claim
        store = RedisIdempotencyStore(
            client,
            IdempotencyOptions(lease=5),
            spawn=asyncio.get_running_loop().create_task,
            chance=chance,
            events=Events(),
        )
        answer = StoredAnswer(201, (), b"{}")
        claim = await store.claim("key", b"print")
        assert isinstance(claim, Claim)
        meanwhile = await store.claim("key", b"print")
        await store.save(claim, answer)
        afterwards = await store.claim("key", b"print")
        reused = await store.claim("key", b"another")
        store._renewing.cancel()

    assert (meanwhile, afterwards, reused) == (RUNNING, answer, REUSED)


async def test_sagas_are_journaled_in_a_cluster(cluster):
    """An entry is begun, parked, taken over, ended, and settled by a person."""
    async with linked(cluster.url) as client:
        journal = RedisJournal(client)
        assert await journal.begin("one", "Checkout", b"begun", "me", 60) is None
        known = await journal.begin("one", "Checkout", b"again", "other", 60)
        await journal.park("one", b"parked", "me", 0)
        listed = await journal.open_records(10)
        taken = []
        async with asyncio.timeout(10):
            while not taken:
                taken = await journal.claim("Checkout", "other", 60, 8)
        is_late = await journal.record("one", b"late", "me", 60)
        is_ended = await journal.end("one", b"ended", "other", 60)
        left = await journal.open_records(10)
        is_dropped = await journal.drop("one")

    assert (known, listed, taken) == (b"begun", [b"parked"], [b"parked"])
    assert (is_late, is_ended, left, is_dropped) == (False, True, [], True)


async def test_api_keys_and_devices_are_stored_in_a_cluster(cluster):
    """They are added once, found, listed and ended."""
    async with linked(cluster.url) as client:
        keys, devices = RedisApiKeyStore(client), RedisDeviceStore(client, 60)
        record = ApiKeyRecord("prefix", "digest", "CI", "ann")
        assert await keys.add(record)
        assert not await keys.add(record)
        listed = await keys.listed("ann")
        is_ended, is_removed = await keys.end("prefix", 4e9), await keys.remove("prefix")
        await devices.put("ann", Device("d", "phone", "Phone", 0.0, 0.0))
        device = await devices.find("ann", "d")

    assert [one.prefix for one in listed] == ["prefix"]
    assert (is_ended, is_removed) == (True, True)
    assert device is not None


async def test_a_purge_reaches_all_processes_of_a_cluster(cluster):
    """No other process serves a purged entry, not even from its memory."""
    async with (
        shared(cluster.url, levels=True) as one,
        shared(cluster.url, levels=True) as other,
    ):
        assert await put(one, "key", tags=("product:7",))
        found = await body_of(other, "key")
        await one.purge(["product:7"])
        await until(lambda: other.peek("key") is None)
        after = await body_of(other, "key")

    assert (found, after) == (b"{}", None)


async def test_purges_arrive_after_a_slot_has_moved(cluster):
    """An operator moves the cache's slot to another node, and no purged entry is served."""
    async with (
        shared(cluster.url, levels=True) as one,
        shared(cluster.url, levels=True) as other,
    ):
        assert await put(one, "stays", tags=("a",))
        assert await put(one, "goes", tags=("b",))
        await body_of(other, "goes")
        await move_slot(cluster, PURGES)
        await one.purge(["b"])
        await until(lambda: other.peek("goes") is None)
        gone, there = await body_of(other, "goes"), await body_of(other, "stays")
        await put(one, "new", tags=("c",))
        await until(lambda: other._subscription.received_until > monotonic() - 0.3)
        await body_of(other, "new")
        await one.purge(["c"])
        await until(lambda: other.peek("new") is None)

    assert (gone, there) == (None, b"{}")


async def test_a_subscription_follows_the_slot_of_its_channel(cluster):
    """The old node would pass on messages of others only later."""
    channel, gaps = "bff:{followed}:channel", []
    async with linked(cluster.url) as client:
        subscription = client.subscribe(
            channel, gap=lambda: gaps.append(subscription.received_until)
        )
        listening = asyncio.get_running_loop().create_task(subscription.run(lambda _: None))
        await until(lambda: len(gaps) == 1)
        await move_slot(cluster, channel)
        await until(lambda: len(gaps) == 3)  # lost, and made anew
        listening.cancel()
        await asyncio.wait([listening])


@pytest.mark.steady
async def test_a_silent_node_is_a_temporary_outage(cluster):
    """No command takes longer than its timeout, and the client recovers by itself."""
    silent = cluster.servers[1]
    async with linked(cluster.url, within=0.25) as client:
        for number in range(30):
            await client.run("SET", f"key:{number}", number, within=5)
        silent.freeze()
        loop, durations = asyncio.get_running_loop(), []
        for number in range(30):
            began = loop.time()
            try:
                await client.run("GET", f"key:{number}")
            except StoreUnavailable:
                durations.append(loop.time() - began)
        is_down = client.is_down
        silent.thaw()
        async with asyncio.timeout(20):
            while not all([await answered(client, f"key:{number}") for number in range(30)]):
                pass
        values = [await client.run("GET", f"key:{number}", within=5) for number in range(30)]

    assert durations
    assert max(durations) < 1.0
    assert is_down
    assert values == [b"%d" % number for number in range(30)]


async def test_the_rights_that_the_documentation_names_are_enough(cluster):
    """A user with these rights can do everything that a gateway does."""
    page = (Path(__file__).parents[1] / "docs" / "how-to/deployment.md").read_text()
    (rights,) = re.findall(r"ACL SETUSER gateway on >PASSWORD (.+)", page)
    (more,) = re.findall(r"ACL SETUSER gateway (\+cluster.+)", page)
    cluster.order("ACL", "SETUSER", "gateway", "on", ">pw", *rights.split(), *more.split())
    heard = []
    url = cluster.url.replace("//", "//gateway:pw@")

    async with shared(url, heard.append, levels=True) as store:
        assert await put(store, "allowed", tags=("allowed",))
        assert await body_of(store, "allowed") == b"{}"
        await store.purge(["allowed"])
        assert await body_of(store, "allowed") is None

    assert heard == []


async def test_a_single_server_is_no_cluster(cluster, redis_server):
    """A URL that says so by mistake is an outage, and the log says why."""
    del cluster
    heard = []
    async with linked(f"{redis_server.url}?cluster=true", heard.append) as client:
        with pytest.raises(StoreUnavailable, match=r"[Cc]luster"):
            await client.run("GET", "key")


@pytest.mark.parametrize("ending", ["/0?cluster=yes", "/3?cluster=true"])
def test_an_invalid_cluster_url_is_refused(ending):
    """The parameter is true or absent; a cluster has no numbered databases."""
    with pytest.raises(ConfigurationError, match="redis://cache:1"):
        RedisClient(
            f"redis://user:secret@cache:1{ending}", clock=monotonic, chance=chance, events=Events()
        )


async def answered(client: RedisClient, key: str) -> bool:
    """Whether a key is read."""
    try:
        return await client.run("GET", key) is not None
    except StoreUnavailable:
        return False


async def move_slot(cluster: RedisClusterServers, key: str) -> None:
    """Move the slot of a key to another node, as `redis-cli --cluster reshard` does."""
    slot = cluster.servers[0].order("CLUSTER", "KEYSLOT", key)[1:].decode()
    # The node that answers without a redirection has it.
    old, new, third = sorted(
        cluster.servers, key=lambda one: one.order("EXISTS", key).startswith(b"-")
    )
    names = {}
    for server in cluster.servers:
        async with linked(server.url) as node:
            names[server] = (await node.run("CLUSTER", "MYID")).decode()
    new.order("CLUSTER", "SETSLOT", slot, "IMPORTING", names[old])
    old.order("CLUSTER", "SETSLOT", slot, "MIGRATING", names[new])
    async with linked(old.url) as node:
        keys = await node.run("CLUSTER", "GETKEYSINSLOT", slot, 1000)
        if keys:
            await node.run("MIGRATE", "127.0.0.1", new.port, "", 0, 5000, "KEYS", *keys)
    for server in (new, old, third):
        server.order("CLUSTER", "SETSLOT", slot, "NODE", names[new])
