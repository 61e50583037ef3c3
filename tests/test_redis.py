"""The Redis client: every command ends in time, and the client recovers by itself."""

import asyncio
import time

import pytest
import trustme

from bff_core.clock import chance, monotonic
from bff_core.errors import ConfigurationError, StoreUnavailable
from bff_core.events import Events, StoreChanged
from bff_core.redis.client import RedisClient, name_of
from bff_core.redis.clients_by_url import RedisClients
from tests.redis_server import RedisServer

pytestmark = pytest.mark.needs("redis-server")

BUSY = 0.25
"""Seconds that a busy machine may add to a timeout."""


def opened(server: RedisServer, *sinks) -> RedisClient:
    """Return a link to a server."""
    return RedisClient(server.url, clock=monotonic, chance=chance, events=Events(*sinks))


async def until_back(link: RedisClient) -> None:
    """Return when the link serves again."""
    async with asyncio.timeout(10):
        while True:
            try:
                await link.run("PING")
            except StoreUnavailable:
                await asyncio.sleep(0.02)
            else:
                return


async def test_a_command_is_answered(redis_server):
    """A key that was set is read."""
    link = opened(redis_server)

    assert await link.run("SET", "key", b"\x00value", "PX", 10_000, within=5) == b"OK"
    assert await link.run("GET", "key", within=5) == b"\x00value"
    await link.aclose()


async def test_a_link_may_be_encrypted(tmp_path):
    """With rediss:// Redis has to show a certificate of a trusted authority."""
    authority, stranger = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    stranger.cert_pem.write_to_path(tmp_path / "stranger.pem")
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(
        tmp_path / "redis.pem"
    )
    server = RedisServer(tmp_path, certificate=tmp_path / "redis.pem")
    server.start()
    url = f"rediss://localhost:{server.tls_port}/0?ssl_ca_certs={tmp_path}"
    try:
        links = RedisClients(clock=monotonic, chance=chance, events=Events())
        answer = await links.to(f"{url}/ca.pem").run("PING", within=10)
        with pytest.raises(StoreUnavailable):
            await links.to(f"{url}/stranger.pem").run("PING", within=10)
        await links.aclose()
    finally:
        server.kill()

    assert answer == b"PONG"


async def test_a_script_is_sent_once_and_then_by_its_digest(redis_server):
    """It runs also after Redis has dropped it."""
    link = opened(redis_server)
    source = "return redis.call('INCRBY', KEYS[1], ARGV[1])"

    assert await link.script(source, ["n"], [2], within=5) == 2
    await link.run("SCRIPT", "FLUSH", within=5)
    assert await link.script(source, ["n"], [3], within=5) == 5
    await link.aclose()


@pytest.mark.slow
async def test_a_blocked_loop_reads_the_answer_before_it_times_out(redis_server):
    """Redis answered in time, and only the process was late."""
    link = opened(redis_server)

    async def be_busy() -> None:
        for _ in range(15):
            time.sleep(0.06)  # noqa: ASYNC251 # that is what the test is about
            await asyncio.sleep(0)

    busy = asyncio.create_task(be_busy())
    answers = await asyncio.gather(*(link.run("PING") for _ in range(4)))
    await busy
    await link.aclose()

    assert answers == [b"PONG"] * 4


@pytest.mark.alone
async def test_a_paused_redis_costs_a_timeout_and_then_nothing(redis_server):
    """A frozen Redis delays no command by more than the timeout, and later ones not at all."""
    link = opened(redis_server)
    for _ in range(200):
        await link.run("PING", within=5)
    redis_server.freeze()

    for _ in range(5):
        started = time.monotonic()
        with pytest.raises(StoreUnavailable):
            await link.run("GET", "key")
        assert time.monotonic() - started < link.timeout + BUSY
    assert link.is_down
    redis_server.thaw()
    await link.aclose()


@pytest.mark.slow
async def test_a_client_recovers_by_itself(redis_server):
    """After a restart of Redis commands are answered again; both changes are reported once."""
    heard = []
    link = opened(redis_server, heard.append)
    await link.run("PING", within=5)
    redis_server.kill()
    for _ in range(6):
        with pytest.raises(StoreUnavailable) as refused:
            await link.run("PING")
    await asyncio.sleep(refused.value.retry_after)
    with pytest.raises(StoreUnavailable):  # the probe
        await link.run("PING")
    redis_server.start()
    await until_back(link)

    states = [event.state for event in heard if isinstance(event, StoreChanged)]
    assert states == ["open", "closed"]
    await link.aclose()


async def test_a_cancelled_command_leaves_no_answer_behind(redis_server):
    """The next command never gets the answer of a cancelled one."""
    link = opened(redis_server)
    for number in range(100):
        await link.run("SET", f"key:{number}", number, within=5)

    async def read(number: int) -> None:
        assert await link.run("GET", f"key:{number}", within=5) == b"%d" % number

    for round_ in range(20):
        tasks = [asyncio.ensure_future(read(number)) for number in range(40)]
        for step in range(round_):
            await asyncio.sleep(0)
            tasks[step].cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(result) for result in results} <= {type(None), asyncio.CancelledError}

    await asyncio.gather(*(read(number) for number in range(100)))
    await link.aclose()


async def test_a_short_stall_is_no_outage(redis_server):
    """A hundred concurrent timeouts count as one failure; the next commands are sent."""
    link = opened(redis_server)
    await link.run("PING", within=5)
    redis_server.freeze()

    results = await asyncio.gather(*(link.run("PING") for _ in range(100)), return_exceptions=True)
    redis_server.thaw()

    assert {type(result) for result in results} == {StoreUnavailable}
    assert not link.is_down
    assert await link.run("PING", within=5) == b"PONG"
    await link.aclose()


@pytest.mark.slow
async def test_an_outage_and_its_end_are_detected_under_load(redis_server):
    """The circuit opens soon, and closes soon."""
    link = opened(redis_server)
    refused = asyncio.Event()
    served = asyncio.Event()

    async def caller():
        while not served.is_set():
            try:
                await link.run("PING")
            except StoreUnavailable:
                refused.set() if link.is_down else None
            else:
                served.set() if refused.is_set() else None
            await asyncio.sleep(0.02)

    redis_server.freeze()
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        for _ in range(30):
            group.create_task(caller())
        await refused.wait()
        redis_server.thaw()

    await until_back(link)
    assert await link.run("PING", within=5) == b"PONG"
    await link.aclose()


async def test_a_refused_command_opens_no_circuit(redis_server):
    """A command that Redis understands and refuses does not stop the others."""
    link = opened(redis_server)
    await link.run("SET", "text", "x", within=5)

    for _ in range(10):
        with pytest.raises(StoreUnavailable, match="not an integer"):
            await link.run("INCR", "text", within=5)
    assert not link.is_down
    await link.aclose()


async def test_a_full_redis_is_an_outage(redis_server):
    """A Redis without memory for a write is unavailable, not a bug."""
    link = opened(redis_server)
    await link.run("CONFIG", "SET", "maxmemory", 1, within=5)

    with pytest.raises(StoreUnavailable):
        await link.run("SET", "key", "value", within=5)
    await link.aclose()


async def test_a_gateway_has_one_client_per_url(redis_server):
    """Two callers of one Redis get the same client."""
    links = RedisClients(clock=monotonic, chance=chance, events=Events())

    assert links.to(redis_server.url) is links.to(redis_server.url)
    await links.aclose()


async def test_a_url_that_names_no_redis_is_refused():
    """The error has the URL without its password."""
    links = RedisClients(clock=monotonic, chance=chance, events=Events())

    with pytest.raises(ConfigurationError, match="http://cache:1"):
        links.to("http://user:secret@cache:1")


def test_a_password_stays_out_of_names():
    """Logs and errors have the address of Redis, not the credentials."""
    assert name_of("rediss://user:secret@cache:6380/2?ssl_ca_certs=x") == "rediss://cache:6380/2"
