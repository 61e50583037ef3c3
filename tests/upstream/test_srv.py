"""SRV records: priority, weight, port and TTL, from a real name server on UDP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from bff_core import Policy
from bff_core.errors import TransportFailed
from bff_core.events import Resolved
from bff_core.testing.layer_runtime import LayerRuntime
from bff_core.testing.scripted import Scripted, ScriptedTransport
from bff_core.upstream.discovery.srv import SrvDiscovery, scaled
from bff_core.upstream.stack import open_stack

NAME = "_http._tcp.carts.test."


class NameServer(asyncio.DatagramProtocol):
    """A name server for one name, over UDP and TCP, whose records a test changes.

    Without records the name does not exist. With `is_cut` answers over UDP say that there is more.
    """

    def __init__(self, *records: str, ttl: int = 60) -> None:
        self.records = list(records)
        self.ttl = ttl
        self.is_cut = False
        self.questions, self.name = 0, NAME

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self.answer(data)
        if self.is_cut:
            answer.answer.clear()
            answer.flags |= dns.flags.TC
        self._transport.sendto(answer.to_wire(), addr)

    async def serve_stream(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        size = int.from_bytes(await reader.readexactly(2))
        wire = self.answer(await reader.readexactly(size)).to_wire()
        writer.write(len(wire).to_bytes(2) + wire)
        await writer.drain()
        writer.close()

    def answer(self, data: bytes) -> dns.message.Message:
        self.questions += 1
        answer = dns.message.make_response(dns.message.from_wire(data))
        if not self.records or answer.question[0].name.to_text() != self.name:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        else:
            answer.answer.append(
                dns.rrset.from_text(self.name, self.ttl, "IN", "SRV", *self.records)
            )
        return answer


@asynccontextmanager
async def serving(server: NameServer) -> AsyncIterator[int]:
    """Serve on a free port of 127.0.0.1, the same for UDP and TCP."""
    loop = asyncio.get_running_loop()
    stream = await asyncio.start_server(server.serve_stream, "127.0.0.1", 0)
    port = stream.sockets[0].getsockname()[1]
    datagrams, _ = await loop.create_datagram_endpoint(lambda: server, ("127.0.0.1", port))
    try:
        yield port
    finally:
        datagrams.close()
        stream.close()


def looked_up(port: int, url: str = "srv://_http._tcp.carts.test") -> SrvDiscovery:
    return SrvDiscovery(url, servers=("127.0.0.1",), port=port)


async def first(discovery: SrvDiscovery) -> list[tuple[str, int, int]]:
    lists = discovery.watch()
    try:
        return [(one.url, one.weight, one.priority) for one in await anext(lists)]
    finally:
        await lists.aclose()


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        (["10 60 8000 a.test.", "10 40 8001 b.test."],
         [("http://b.test:8001", 40, 0), ("http://a.test:8000", 60, 0)]),
        (["10 0 80 a.test.", "20 0 80 b.test.", "65535 0 80 c.test."],
         [("http://a.test:80", 1, 0), ("http://b.test:80", 1, 1), ("http://c.test:80", 1, 2)]),
        (["0 65535 80 a.test.", "0 6553 80 b.test.", "0 0 80 c.test."],
         [("http://c.test:80", 1, 0), ("http://b.test:80", 100, 0), ("http://a.test:80", 1000, 0)]),
        (["0 0 0 ."], []),
    ],
    ids=["weights", "priorities", "large weights", "no service"],
)  # fmt: skip
async def test_records_become_endpoints(records, expected) -> None:
    """Their port, their weight, and the rank of their priority; the target "." is none."""
    async with serving(NameServer(*records)) as port:
        assert await first(looked_up(port)) == expected


async def test_an_answer_that_does_not_fit_is_read_over_tcp() -> None:
    """Many records are longer than a datagram."""
    server = NameServer(*(f"0 1 80 host-{number}.test." for number in range(100)))
    server.is_cut = True
    async with serving(server) as port:
        assert len(await first(looked_up(port))) == 100


async def test_https_and_a_path_are_part_of_the_address() -> None:
    """`_https` is called over TLS, by the name of the target."""
    server = NameServer("0 1 8443 a.test.")
    server.name = "_https._tcp.carts.test."
    async with serving(server) as port:
        assert await first(looked_up(port, "srv://_https._tcp.carts.test/v1")) == [
            ("https://a.test:8443/v1", 1, 0)
        ]


async def test_records_are_looked_up_again_when_their_ttl_has_passed() -> None:
    """A TTL of a second: the new record is used in the next second."""
    server = NameServer("0 1 80 10.0.0.1.", ttl=1)
    bench = LayerRuntime()
    transport = ScriptedTransport({"10.0.0.1": Scripted(), "10.0.0.2": Scripted()})
    async with serving(server) as port:
        stack = open_stack(Policy(), [looked_up(port)], bench.runtime, lambda *_: transport)
        try:
            assert (await stack.handler(bench.call())).status == 200
            assert stack.origins == ["http://10.0.0.1"]

            server.records, changed = ["0 1 80 10.0.0.2."], asyncio.Event()
            bench.runtime.events.listen(lambda _: changed.set())
            async with asyncio.timeout(5):
                await changed.wait()
            assert stack.origins == ["http://10.0.0.2"]
        finally:
            await stack.aclose()
    assert server.questions == 2


async def test_a_name_without_records_is_reported() -> None:
    """Calls fail with the reason, and the log has it."""
    bench = LayerRuntime()
    async with serving(NameServer()) as port:
        stack = open_stack(
            Policy(retry=None), [looked_up(port)], bench.runtime, lambda *_: ScriptedTransport({})
        )
        with pytest.raises(TransportFailed, match=r"srv://_http._tcp.carts.test: .*not exist"):
            await stack.handler(bench.call())
        await stack.aclose()

    assert "srv://_http._tcp.carts.test" in bench.events_of(Resolved)[0].error


@pytest.mark.parametrize(
    ("weight", "most", "expected"),
    [(0, 0, 1), (0, 100, 1), (7, 100, 7), (1000, 1000, 1000), (1, 65535, 1), (65535, 65535, 1000)],
)
def test_weights_of_records_are_scaled_to_ours(weight, most, expected) -> None:
    """From 0 to 65,535 to 1 to 1,000; none becomes 0, which would drain it."""
    assert scaled(weight, most) == expected
