"""Names with several addresses: one that refuses costs a moment, and no call."""

import asyncio
import contextlib
import socket
import ssl
import subprocess
import time
from dataclasses import replace

import httpx
import httpx2
import pytest

from bff_core import HttpxTransport, Policy, Settings, TransportFailed, Upstream, gateway
from bff_core.events import Attempted
from bff_core.policy.upstream.balance import Balance
from bff_core.testing.layer_runtime import LayerRuntime
from bff_core.testing.scripted import Scripted, ScriptedTransport, fail, reply
from bff_core.upstream.dns import AddressLookup
from bff_core.upstream.layers.balance import Balancer
from bff_core.upstream.loopback import is_localhost
from bff_core.upstream.transport.interface import Endpoint

CLIENTS = {"httpx": httpx.AsyncClient, "httpx2": httpx2.AsyncClient}
TRANSPORTS = ["wire", pytest.param("wire-uvloop", marks=pytest.mark.uvloop), *CLIENTS]

NODE = """
const server = require("node:http").createServer((request, response) => {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ host: request.headers.host, from: request.socket.localAddress }));
});
server.listen(0, "::1", () => console.log(server.address().port));
"""


class Dev(Upstream):
    """A dev server of one's own machine."""

    policy = Policy(retry=None, coalesce=False)

    async def look(self):
        return await self.get("/", dict[str, str])


@contextlib.asynccontextmanager
async def calling(kind, address):
    """Run a gateway that calls an address by one of the transports."""
    options = {}
    async with contextlib.AsyncExitStack() as closing:
        if kind in CLIENTS:
            client = await closing.enter_async_context(
                CLIENTS[kind](trust_env=False, verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
            )
            options["transport"] = lambda policy, _: HttpxTransport(client, policy.connection)
        settings = Settings(env="development", upstreams={"dev": (address,)})
        app = gateway("mobile", services=[Dev], settings=settings, **options)
        await closing.enter_async_context(app.router.lifespan_context(app))
        yield app.services[Dev]


@pytest.fixture(scope="module")
def node():
    """Run a server of Node as its dev servers do: on ::1 alone."""
    with subprocess.Popen(["node", "-e", NODE], stdout=subprocess.PIPE, text=True) as process:
        yield int(process.stdout.readline())
        process.kill()


@pytest.mark.needs("node")
@pytest.mark.parametrize("kind", TRANSPORTS)
@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "localhost."])
async def test_dev_server_of_node_is_found_at_localhost(node, kind, host):
    """It listens on ::1 alone; calls reach it by name, and none of them fails."""
    async with calling(kind, f"http://{host}:{node}") as dev:
        answers = [await dev.look() for _ in range(5)]

    assert {answer["from"] for answer in answers} == {"::1"}
    assert answers[0]["host"].lower() == f"{host.lower()}:{node}"


@pytest.mark.parametrize("kind", TRANSPORTS)
async def test_server_on_ipv4_is_found_at_localhost(kit, kind):
    """The other half of the same promise."""
    answer = kit.http(b'{"from": "127.0.0.1"}')
    async with (
        kit.Service(kit.answering(answer)) as service,
        calling(kind, f"http://localhost:{service.port}") as dev,
    ):
        assert await dev.look() == {"from": "127.0.0.1"}


@pytest.mark.parametrize("kind", TRANSPORTS)
async def test_localhost_without_a_server_is_a_call_that_was_not_sent(kind):
    """Where all addresses refuse the error comes at once, and says that nothing was sent."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    async with calling(kind, f"http://localhost:{port}") as dev:
        with pytest.raises(TransportFailed) as caught:
            await dev.look()

    assert not caught.value.is_sent


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("Localhost.", True),
        ("shop.localhost", False),
        ("localhost.example", False),
        ("mylocalhost", False),
        ("127.0.0.1", False),
        ("", False),
    ],
)
def test_names_of_this_machine(host, expected):
    """`localhost` in any case; what is below it may be a container's alias."""
    assert is_localhost(host) is expected


@contextlib.contextmanager
def resolved(*addresses):
    """Let each name stand for these addresses."""

    async def resolve(_name):
        return list(addresses)

    asyncio.get_running_loop().resolver = resolve
    yield


def endpoint(port, *fallbacks, address="127.0.0.2"):
    """Return the endpoint of a name whose first address refuses."""
    return Endpoint("http", "shop.internal", port, address, fallbacks=fallbacks)


async def test_next_address_is_tried_where_one_refuses(kit):
    """Each connection that is opened finds the address that answers."""
    closing = kit.http(b"ok", "Connection: close")
    async with kit.Service(kit.answering(closing)) as service:
        where = endpoint(service.port, "127.0.0.3", "127.0.0.1")
        async with kit.wired(where) as pool:
            replies = [(await pool.send(kit.calling())).body for _ in range(3)]

    assert replies == [b"ok"] * 3
    assert service.accepted == 3


async def test_all_addresses_that_refuse_are_named(kit):
    """The error shows what was tried."""
    async with kit.Service(kit.answering(kit.http())) as service:
        port = service.port
    async with kit.wired(endpoint(port, "127.0.0.3")) as pool:
        with pytest.raises(TransportFailed, match=r"127\.0\.0\.2.*; .*127\.0\.0\.3") as caught:
            await pool.send(kit.calling())

    assert not caught.value.is_sent


async def test_address_that_is_silent_costs_one_connect_timeout(kit):
    """The next connection is tried at another address of the name."""
    async with kit.Service(kit.answering(kit.http(b"ok"))) as service:
        with socket.socket() as silent:  # its queue is full: nothing answers a further SYN
            silent.bind(("127.0.0.2", service.port))
            silent.listen(0)
            with contextlib.ExitStack() as waiting:
                for _ in range(3):
                    one = waiting.enter_context(socket.socket())
                    one.setblocking(False)
                    one.connect_ex(("127.0.0.2", service.port))
                options = {"connect_timeout": 0.3}
                async with kit.wired(endpoint(service.port, "127.0.0.1"), **options) as pool:
                    began = time.monotonic()
                    with pytest.raises(TransportFailed, match=r"not connected within 0\.3 s"):
                        await pool.send(kit.calling())
                    took = time.monotonic() - began
                    reply = await pool.send(kit.calling())

    assert (reply.body, took < 2.0) == (b"ok", True)


class Till(Upstream):
    """A service at several addresses, to which nothing is sent twice."""

    policy = Policy(retry=None, coalesce=False)

    async def pay(self):
        await self.post("/payments", None, json={})

    async def journal(self):
        async with self.stream("/journal") as reply:
            return reply.status


async def test_refused_connection_costs_no_call_where_another_address_answers(kit):
    """Nothing was sent to the address that refused, so that even a POST goes on without a retry."""
    async with kit.Service(kit.answering(kit.http(status="204 No Content"))) as service:
        refusing = [f"http://{one}:{service.port}" for one in ("127.0.0.2", "127.0.0.3")]
        settings = Settings(
            env="development", upstreams={"till": (*refusing, service.endpoint.url)}
        )
        app = gateway("mobile", services=[Till], settings=settings)
        async with app.router.lifespan_context(app):
            for _ in range(10):
                await app.services[Till].pay()
                assert await app.services[Till].journal() == 204

    assert len(service.requests) == 20


async def test_addresses_that_all_refuse_are_tried_once_each():
    """The call ends as one that was not sent, after one attempt."""
    bench = LayerRuntime()
    transport = ScriptedTransport({})
    hosts = ("10.0.0.1", "10.0.0.2", "10.0.0.3")
    origins = [Endpoint("http", host, 80, host) for host in hosts]
    layer = Balancer(Balance(), bench.runtime, transport, origins)
    call = bench.call()

    with pytest.raises(TransportFailed) as caught:
        await layer(call)

    assert {one.endpoint for one in bench.events_of(Attempted)} == {f"{host}:80" for host in hosts}
    assert len(bench.events_of(Attempted)) == 3
    assert (caught.value.is_sent, len(call.trail)) == (False, 1)


@pytest.mark.virtual_time
@pytest.mark.parametrize(("after", "reached"), [(0.4, True), (0.6, False)])
async def test_refusals_take_no_longer_than_a_connect_timeout(after, reached):
    """What is slow to refuse leaves the next address to a further attempt."""
    bench = LayerRuntime()
    slow = Scripted(fail(is_sent=False, after=after))
    last = Scripted(reply())
    hosts = {"10.0.0.1": slow, "10.0.0.2": slow, "10.0.0.3": last}
    origins = [Endpoint("http", host, 80, host) for host in hosts]
    bench.runtime = replace(bench.runtime, chance=lambda: 0.0)
    layer = Balancer(
        Balance(), bench.runtime, ScriptedTransport(hosts), origins, connect_timeout=1.0
    )

    with contextlib.nullcontext() if reached else pytest.raises(TransportFailed):
        await layer(bench.call())

    assert (len(slow.calls), len(last.calls)) == (2, int(reached))


@pytest.mark.virtual_time
@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (["10.0.0.1", "10.0.0.2"], {"10.0.0.1": (), "10.0.0.2": ()}),
        (
            ["2001:db8::2", "10.0.0.1", "2001:db8::1"],
            {"10.0.0.1": ("2001:db8::1", "2001:db8::2")},
        ),
        (["2001:db8::2", "2001:db8::1"], {"2001:db8::2": (), "2001:db8::1": ()}),
    ],
)
async def test_ipv6_addresses_are_fallbacks_of_ipv4(found, expected):
    """Where a name has both, its IPv6 addresses are no endpoints of their own."""
    bench = LayerRuntime()
    with resolved(*found):
        origin = Endpoint("http", "shop.internal", 80, "shop.internal")
        lookup = AddressLookup(Balance(), bench.runtime, [origin], lambda _: None)
        lookup.start()
        await lookup.finish()

    assert {one.address: one.fallbacks for one in lookup.endpoints} == expected
