"""A Redis that answers with an error is an outage: rights, replicas, memory, disks, clusters."""

import asyncio
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bff_core.auth.api_keys.record import ApiKeyRecord
from bff_core.auth.api_keys.redis import RedisApiKeyStore
from bff_core.auth.devices import Device, RedisDeviceStore
from bff_core.auth.session.interface import Lifetimes
from bff_core.auth.session.redis import RedisSessionStore
from bff_core.auth.session.sealing import Sealing
from bff_core.auth.session.session import Session
from bff_core.cache.entry import CacheEntry
from bff_core.cache.stores.redis import RedisCacheStore
from bff_core.cache.stores.scripts import PURGES
from bff_core.clock import chance, monotonic
from bff_core.errors import StoreUnavailable
from bff_core.events import Events, StoreRefused
from bff_core.idempotency.interface import Claim
from bff_core.idempotency.redis import RedisIdempotencyStore
from bff_core.limits.interface import LimitQuery
from bff_core.limits.memory import MemoryLimitStore
from bff_core.limits.redis import RedisLimitStore
from bff_core.policy.edge.idempotency import IdempotencyOptions
from bff_core.policy.edge.rate_limits import Limit
from bff_core.redis.client import RedisClient
from bff_core.saga.journal.redis import RedisJournal
from tests.redis_server import RedisServer

pytestmark = pytest.mark.needs("redis-server")

SECRET = "a secret of a test that is long enough"
HOUR = Limit(quota=5, per=3600)


def linked(url: str, *sinks) -> RedisClient:
    """Return a link that waits for a busy machine."""
    return RedisClient(url, clock=monotonic, chance=chance, events=Events(*sinks), timeout=5)


def started(work) -> asyncio.Task:
    """Run what a store does behind a request."""
    return asyncio.get_running_loop().create_task(work)


async def written(link: RedisClient) -> dict[str, str]:
    """Write to every store of a gateway; return what came of each."""
    behind: list[asyncio.Task] = []

    def spawn(work) -> asyncio.Task:
        behind.append(started(work))
        return behind[-1]

    session = RedisSessionStore(link, Sealing([SECRET]), gateway="shop")
    answers = RedisIdempotencyStore(
        link, IdempotencyOptions(lease=1), spawn=spawn, chance=chance, events=Events()
    )
    limits = RedisLimitStore(link, MemoryLimitStore(monotonic), gateway="shop", clock=monotonic)
    cache = RedisCacheStore(link, gateway="shop", spawn=spawn, clock=monotonic, chance=chance)
    entry = CacheEntry(200, (), b"{}", monotonic(), 60.0)
    device = Device("d", "phone", "Phone", 0.0, 0.0)
    works = {
        "sessions": session.add("s", Session("s", "ann"), Lifetimes(60, 60)),
        "logouts": session.add_note("jti", 60),
        "devices": RedisDeviceStore(link, 60).put("ann", device),
        "api keys": RedisApiKeyStore(link).add(ApiKeyRecord("p", "d", "CI", "ann")),
        "sagas": RedisJournal(link).begin("e", "Checkout", b"{}", "me", 5),
        "keyed requests": answers.claim("k", b"print"),
        "limits": limits.admit([LimitQuery(HOUR, "ann")]),
        "cache": cache.offer("a", entry, store_for=60, mark=cache.mark()),
    }
    results = await asyncio.gather(*works.values(), return_exceptions=True)
    for claim in results:
        if isinstance(claim, Claim):
            answers.release(claim)
    await cache.aclose()
    await asyncio.gather(*behind)
    return dict(zip(works, map(outcome, results), strict=True))


def outcome(result: object) -> str:
    """Return a word for what came of a write."""
    if isinstance(result, StoreUnavailable):
        return "503"
    return repr(result) if isinstance(result, BaseException) else "answered"


UNAVAILABLE = {
    "sessions": "503",
    "logouts": "503",
    "devices": "503",
    "api keys": "503",
    "sagas": "503",
    "keyed requests": "503",
    "limits": "answered",  # counted in this process
    "cache": "answered",  # not stored
}


def user(*rights: str) -> Callable[[RedisServer, Path], str]:
    """Return what makes a user with these rights, and returns the URL of that user."""

    def begin(server: RedisServer, _: Path) -> str:
        assert server.order("ACL", "SETUSER", "gateway", "on", ">pw", *rights) == b"+OK"
        return server.url.replace("//", "//gateway:pw@")

    return begin


def ordered(*words: str) -> Callable[[RedisServer, Path], str]:
    """Return what sends Redis a command of its operator, and returns the usual URL."""

    def begin(server: RedisServer, _: Path) -> str:
        assert server.order(*words) == b"+OK"
        return server.url

    return begin


def with_a_full_disk(server: RedisServer, folder: Path) -> str:
    """Let a snapshot fail: Redis then refuses writes."""
    assert server.order("CONFIG", "SET", "save", "3600 1") == b"+OK"
    shutil.rmtree(folder)  # Redis stays in the folder that was
    folder.mkdir()
    server.order("BGSAVE")
    deadline = time.monotonic() + 20
    while not server.order("SET", "any", "text").startswith(b"-MISCONF"):
        assert time.monotonic() < deadline, "the snapshot did not fail"
    return server.url


TROUBLES: dict[str, tuple[Callable[[RedisServer, Path], str], str]] = {
    "no right to write": (user("~*", "&*", "+@all", "-@write"), "NOPERM"),
    "no right to run scripts": (user("~*", "&*", "+@all", "-@scripting", "-set"), "NOPERM"),
    "no right to the keys": (user("~other:*", "&*", "+@all"), "NOPERM"),
    "no right to anything": (user("~*", "&*"), "NOPERM"),
    "no such user": (lambda server, _: server.url.replace("//", "//stranger:pw@"), "WRONGPASS"),
    "password missing": (ordered("CONFIG", "SET", "requirepass", "pw"), "NOAUTH"),
    "read-only replica": (ordered("REPLICAOF", "127.0.0.1", "1"), "READONLY"),
    "stale replica": (
        lambda server, _: (
            server.order("CONFIG", "SET", "replica-serve-stale-data", "no")
            and server.order("REPLICAOF", "127.0.0.1", "1")
            and server.url
        ),
        "MASTERDOWN",
    ),
    "too few replicas": (ordered("CONFIG", "SET", "min-replicas-to-write", "1"), "NOREPLICAS"),
    "out of memory": (ordered("CONFIG", "SET", "maxmemory", "1"), "OOM"),
    "full disk": (with_a_full_disk, "MISCONF"),
    "no such database": (lambda server, _: server.url.replace("/0", "/99"), "ERR"),
}


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_a_refusal_by_redis_is_an_outage_and_logged(redis_server, tmp_path, trouble):
    """It is not mistaken for a bug; the log says what to change."""
    begin, code = TROUBLES[trouble]
    heard: list[object] = []
    link = linked(begin(redis_server, tmp_path), heard.append)

    outcomes = await written(link)
    await link.aclose()

    assert outcomes == UNAVAILABLE
    reasons = {event.reason for event in heard if isinstance(event, StoreRefused)}
    assert code in {reason.partition(" ")[0] for reason in reasons}
    assert not any(SECRET in reason or ":pw@" in reason for reason in reasons)


@pytest.mark.slow
async def test_the_rights_that_the_documentation_names_are_enough(redis_server):
    """A user with these rights can do everything that a gateway does."""
    page = (Path(__file__).parents[1] / "docs" / "how-to/deployment.md").read_text()
    (rights,) = re.findall(r"ACL SETUSER gateway on >PASSWORD (.+)", page)
    heard: list[object] = []
    link = linked(user(*rights.split())(redis_server, Path()), heard.append)
    gaps: list[int] = []
    listening = started(link.subscribe(PURGES, gap=lambda: gaps.append(1)).run(lambda _: None))

    outcomes = await written(link)
    async with asyncio.timeout(10):
        while not gaps:  # noqa: ASYNC110 # it is on another connection
            await asyncio.sleep(0)
    listening.cancel()
    await asyncio.wait([listening])
    await link.aclose()

    assert set(outcomes.values()) == {"answered"}
    assert heard == []


@pytest.fixture(params=[("--cluster-enabled", "yes"), ("--rename-command", "EVALSHA", "")])
def crippled(request, tmp_path) -> Iterator[RedisServer]:
    """Run a Redis whose configuration serves none of a gateway's scripts."""
    server = RedisServer(tmp_path, options=request.param)
    server.start()
    yield server
    server.kill()


async def test_a_redis_that_can_not_run_our_scripts_is_an_outage(crippled):
    """A node of a cluster without slots, or a service without scripts."""
    heard: list[object] = []
    link = linked(crippled.url, heard.append)

    outcomes = await written(link)
    await link.aclose()

    del outcomes["logouts"]  # a plain SET
    assert outcomes.items() <= UNAVAILABLE.items()
    assert [event for event in heard if isinstance(event, StoreRefused)]


@pytest.mark.slow
async def test_keys_of_another_type_are_an_outage_for_their_users(redis_server):
    """Another program uses the same names; other keys are served as before."""
    link = linked(redis_server.url)
    await written(link)
    for name in await link.run("KEYS", "*"):
        await link.run("DEL", name)
        await link.run("RPUSH", name, "not ours")

    outcomes = await written(link)
    await link.run("SET", "other", "served")
    with pytest.raises(StoreUnavailable):
        await RedisApiKeyStore(link).find("p")
    await link.aclose()

    del outcomes["logouts"], outcomes["api keys"]  # refused as known already
    assert outcomes.items() <= UNAVAILABLE.items()


async def test_a_refused_write_does_not_stop_reads(redis_server):
    """On a read-only replica people stay signed in; refused commands open no circuit."""
    heard: list[object] = []
    link = linked(redis_server.url, heard.append)
    sessions = RedisSessionStore(link, Sealing([SECRET]), gateway="shop")
    await sessions.add("s", Session("s", "ann"), Lifetimes(60, 60))
    redis_server.order("REPLICAOF", "127.0.0.1", "1")

    for _ in range(20):
        with pytest.raises(StoreUnavailable):
            await sessions.touch("s", 30)
    found = await sessions.get("s")
    redis_server.order("REPLICAOF", "NO", "ONE")
    await sessions.touch("s", 30)
    await link.aclose()

    assert found is not None
    assert found.session.subject == "ann"
    assert [type(event) for event in heard] == [StoreRefused]  # once, not twenty times


async def test_a_refused_subscription_is_logged(redis_server):
    """Without the right to a channel a process receives no purges, which is logged."""
    url = user("~*", "+@all", "resetchannels")(redis_server, Path())
    heard = asyncio.Event()
    link = linked(url, lambda event: heard.set() if isinstance(event, StoreRefused) else None)
    listening = started(link.subscribe("purges", gap=lambda: None).run(lambda _: None))

    async with asyncio.timeout(10):
        await heard.wait()
    listening.cancel()
    await asyncio.wait([listening])
    await link.aclose()


async def test_the_arguments_of_a_refused_command_are_not_logged(tmp_path):
    """Redis repeats the arguments of unknown commands."""
    server = RedisServer(tmp_path, options=("--rename-command", "SET", ""))
    server.start()
    heard: list[object] = []
    link = linked(server.url, heard.append)

    with pytest.raises(StoreUnavailable) as refused:
        await link.run("SET", "session", "top secret")
    await link.aclose()
    server.kill()

    (event,) = heard
    assert isinstance(event, StoreRefused)
    assert event.reason.startswith("ERR unknown command")
    assert "secret" not in f"{event.reason} {refused.value}"


@pytest.mark.parametrize("value", ["no JSON", "{}", "[]"])
async def test_a_malformed_record_is_an_outage(redis_server, value):
    """A device that was ended is not admitted because its record is malformed."""
    link = linked(redis_server.url)
    await link.run("HSET", "bff:devices:ann", "d", value)
    await link.run(
        *("HSET", "bff:api-key:p", "body", value, "expires_at", "0", "last_used_at", "0")
    )

    for read in (
        RedisDeviceStore(link, 60).find("ann", "d"),
        RedisDeviceStore(link, 60).listed("ann"),
        RedisApiKeyStore(link).find("p"),
    ):
        with pytest.raises(StoreUnavailable):
            await read
    await link.aclose()
