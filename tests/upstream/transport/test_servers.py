"""Against the servers that people run, with and without TLS: one shop, five ways to serve it."""

import asyncio
import contextlib
import os
from dataclasses import replace

import pytest
from served.shop_asgi import LARGE, PAGE
from serving import SERVERS, build_site, serves

from bff_core.upstream.transport.interface import Load
from tests.streamed import opened


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Write what all servers serve, and what they need for TLS."""
    return build_site(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def start(site):
    """Start each server once for all tests, when a test first needs it."""
    with contextlib.ExitStack() as stack:
        endpoints = {}

        def start(server):
            if server not in endpoints:
                name, is_secure = server
                own = replace(site, is_secure=is_secure)
                endpoints[server] = own.endpoint(stack.enter_context(SERVERS[name](own)))
            return endpoints[server]

        yield start


@pytest.fixture
def connect(kit, start, site):
    """Connect to a server by the wire."""

    def connect(server, **options):
        endpoint = start(server)
        trusted = {"ca_file": site.ca} if endpoint.is_secure else {}
        return kit.wired(endpoint, **trusted, **options)

    return connect


def each_that_serves(path):
    """Run a test against each server that serves a path."""
    return pytest.mark.parametrize("server", serves(path))


async def get(kit, pool, target, method="GET"):
    """Make a call that has time."""
    return await pool.send(kit.calling(method, target, within=10))


@each_that_serves("/length")
@pytest.mark.parametrize("loop", ["asyncio", pytest.param("uvloop", marks=pytest.mark.uvloop)])
async def test_all_framings_share_one_connection(kit, connect, server, loop):
    """With a length, in chunks, without a body: each ends where it ends, and the next begins."""
    async with connect(server) as pool:
        first = (await get(kit, pool, "/peer")).body
        pages = [(await get(kit, pool, target)).body for target in ("/length", "/chunks") * 3]
        head = await get(kit, pool, "/length", "HEAD")
        empty = [await get(kit, pool, target) for target in ("/204", "/304")]
        last, load = (await get(kit, pool, "/peer")).body, pool.load

    assert pages == [PAGE] * 6
    assert (head.status, head.body, head.header("content-length")) == (200, b"", str(len(PAGE)))
    assert [(reply.status, reply.body) for reply in empty] == [(204, b""), (304, b"")]
    assert (last, load) == (first, Load(1, 0, 0))


@each_that_serves("/gzip")
async def test_coded_bodies_arrive_decoded(kit, connect, server):
    """From every server, in one piece or in chunks."""
    async with connect(server, accept_encoding=("gzip",)) as pool:
        replies = [await get(kit, pool, "/gzip") for _ in range(3)]

    assert [reply.body for reply in replies] == [PAGE] * 3
    assert replies[0].header("content-encoding") is None


@each_that_serves("/br")
async def test_brotli_arrives_decoded(kit, connect, server):
    """As gzip does."""
    async with connect(server, accept_encoding=("br",)) as pool:
        assert (await get(kit, pool, "/br")).body == PAGE


@each_that_serves("/early")
async def test_early_hints_are_passed_over(kit, connect, server):
    """A 103 comes first, in a segment of its own or not, and is not the answer."""
    async with connect(server) as pool:
        replies = [await get(kit, pool, "/early") for _ in range(3)]
        load = pool.load

    assert [(reply.status, reply.body) for reply in replies] == [(200, PAGE)] * 3
    assert load == Load(1, 0, 0)


@each_that_serves("/ends")
async def test_a_body_may_end_with_its_connection(kit, connect, server):
    """The end of the connection ends the body; under TLS, close_notify announces it."""
    async with connect(server) as pool:
        replies = [await get(kit, pool, "/ends") for _ in range(3)]
        load = pool.load

    assert [reply.body for reply in replies] == [PAGE] * 3
    assert load == Load(0, 0, 0)


@each_that_serves("/close")
async def test_a_service_that_closes_gets_another_connection(kit, connect, server):
    """`Connection: close` is obeyed, and the next call doesn't notice."""
    async with connect(server) as pool:
        first = (await get(kit, pool, "/peer")).body
        page = (await get(kit, pool, "/close")).body
        load = pool.load
        last = (await get(kit, pool, "/peer")).body

    assert (page, load) == (PAGE, Load(0, 0, 0))
    assert first != last


@each_that_serves("/echo")
async def test_bodies_arrive(kit, connect, server):
    """What is posted is what arrives, from nothing to megabytes."""
    async with connect(server) as pool:
        for size in (0, 1, 70_000, 3_000_000):
            body = os.urandom(size)
            reply = await pool.send(kit.calling("POST", "/echo", body=body, within=10))

            assert reply.body == body


@each_that_serves("/large")
async def test_large_bodies_are_read_whole_and_as_they_come(kit, connect, server):
    """Six megabytes, the same either way, and the connection serves on."""
    async with connect(server) as pool:
        whole = (await get(kit, pool, "/large")).body
        async with opened(pool.send, kit.calling(target="/large", within=10)) as reply:
            pieces = [piece async for piece in reply]
        following, load = (await get(kit, pool, "/say/next")).body, pool.load

    assert whole == b"".join(pieces) == LARGE
    assert len(pieces) > 10
    assert (following, load) == (b"next", Load(1, 0, 0))


@each_that_serves("/large")
async def test_leaving_a_large_body_costs_its_connection_only(kit, connect, server):
    """Who leaves in the middle leaves no bytes for the next."""
    async with connect(server, max_connections=1) as pool:
        async with opened(pool.send, kit.calling(target="/large", within=10)) as reply:
            first = await anext(aiter(reply))
        following = await get(kit, pool, "/say/next")

    assert LARGE.startswith(first)
    assert following.body == b"next"


@each_that_serves("/say/…")
async def test_many_calls_at_once_each_get_their_own_answer(kit, connect, server):
    """A hundred calls over six connections."""
    words = [f"word-{number}" for number in range(100)]

    async with connect(server, max_connections=6) as pool:
        replies = await asyncio.gather(*(get(kit, pool, f"/say/{word}") for word in words))
        load = pool.load

    assert [reply.body.decode() for reply in replies] == words
    assert load == Load(6, 0, 0)


# granian does not close idle connections.
@pytest.mark.parametrize("server", serves("/peer", ("nginx", "uvicorn", "node", "http.server")))
async def test_connections_that_the_service_closes_are_not_used(kit, connect, server):
    """A keep-alive that the service gave up is noticed while it idles; a POST is no risk."""
    async with connect(server, idle_expiry=60) as pool:
        first = await get(kit, pool, "/peer")
        async with asyncio.timeout(10):
            while pool.load.idle:  # noqa: ASYNC110 - it watches another process
                await asyncio.sleep(0.01)
        second = await pool.send(kit.calling("POST", "/204", within=10))
        third = await get(kit, pool, "/peer")

    assert second.status in {204, 405}
    assert first.body != third.body
