"""Messages through the proxy: what arrives, pings, limits, and slow readers on either side."""

import asyncio
import gc
import itertools

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from bff_core.policy.upstream.bulkhead import Bulkhead
from bff_core.policy.upstream.policy import Policy
from bff_core.proxy.sockets import Socket
from tests.proxy.sockets.proxying import proxying
from tests.proxy.sockets.wire import (
    BINARY,
    CLOSE,
    CONT,
    PING,
    PONG,
    TEXT,
    Peer,
    closing,
    echo,
    frame,
    serving,
)
from tests.server.talking import until

MIB = 1024 * 1024


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, MIB])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
async def test_a_message_arrives_in_both_directions(opcode, size):
    """Text as text, binary as binary, of any size up to the limit."""
    async with serving(echo) as service, proxying(service.url) as proxy, await proxy.open() as one:
        one.send(frame(opcode, b"x" * size))
        answer = await one.message()

    assert answer is not None
    assert (answer.opcode, answer.payload) == (opcode, b"x" * size)


async def test_fragments_are_one_message():
    """However it was cut, also within a character, and with pings in between."""
    text = "grüße an alle ☾".encode()
    async with serving(echo) as service, proxying(service.url) as proxy, await proxy.open() as one:
        one.send(frame(TEXT, text[:1], fin=False))
        for at in range(1, len(text)):
            one.send(frame(CONT, text[at : at + 1], fin=False) + frame(PING, b"%d" % at))
        one.send(frame(CONT))
        answer = await one.message()

    assert answer is not None
    assert answer.payload == text


async def test_messages_stay_in_order_without_a_pause():
    """A thousand at once, each way."""
    sent = [b"%d" % number for number in range(1000)]
    async with serving(echo) as service, proxying(service.url) as proxy, await proxy.open() as one:
        one.send(b"".join(frame(BINARY, message) for message in sent))
        got = [await one.message() for _ in sent]

    assert [answer.payload for answer in got if answer] == sent


async def test_pings_are_answered_here():
    """Those of the client, and those of the service: neither reaches the other side."""
    pongs = []

    async def ping(peer: Peer) -> None:
        peer.send(frame(PING, b"service", masked=False))
        pongs.append(await peer.frame())
        peer.send(frame(TEXT, b"ready", masked=False))
        await echo(peer)

    async with serving(ping) as service, proxying(service.url) as proxy, await proxy.open() as one:
        ready = await one.frame()
        one.send(frame(PING, b"client") + frame(PONG, b"nothing") + frame(TEXT, b"then"))
        answers = [await one.frame() for _ in range(2)]

    assert [(pong.opcode, pong.payload) for pong in pongs if pong] == [(PONG, b"service")]
    assert ready is not None
    assert ready.payload == b"ready"
    assert [(answer.opcode, answer.payload) for answer in answers if answer] == [
        (PONG, b"client"),
        (TEXT, b"then"),
    ]


async def test_silent_sides_are_pinged():
    """Each side, as often as the route says, as long as it answers."""
    pinged = []

    async def answer(peer: Peer) -> None:
        while (one := await peer.frame()) is not None and one.opcode != CLOSE:
            if one.opcode == PING:
                pinged.append(one)
                peer.send(frame(PONG, one.payload, masked=False))

    often = Socket(ping=0.1)
    async with (
        serving(answer) as service,
        proxying(service.url, socket=often) as proxy,
        await proxy.open() as client,
    ):
        for _ in range(3):
            one = await client.frame()
            assert one is not None
            assert one.opcode == PING
            client.send(frame(PONG, one.payload))
        assert len(pinged) >= 2


async def test_messages_hold_off_the_idle_limit():
    """Of one direction alone is enough."""
    idle = Socket(idle=0.4)

    async def speak(peer: Peer) -> None:
        for number in range(6):
            peer.send(frame(TEXT, b"%d" % number, masked=False))
            await asyncio.sleep(0.15)
        await peer.close()

    async with (
        serving(speak) as service,
        proxying(service.url, socket=idle) as proxy,
        await proxy.open() as client,
    ):
        got = [await client.message() for _ in range(7)]

    assert [one.payload for one in got[:6] if one] == [b"%d" % number for number in range(6)]
    assert got[6] is not None
    assert got[6].code == 1001


async def flood(peer: Peer) -> None:
    """Send without end, and note how much was taken."""
    message = frame(BINARY, b"x" * 65536, masked=False)
    while not peer.writer.is_closing():
        peer.send(message)
        await peer.writer.drain()
        peer.sent += len(message)


async def settled(count, seconds=10.0):
    """Wait until a number does not grow any more; return it."""
    last, limit = -1, asyncio.get_running_loop().time() + seconds
    while (now := count()) != last or now == 0:
        last = now
        assert asyncio.get_running_loop().time() < limit, "it grows on"
        await asyncio.sleep(0.15)
    return last


async def test_a_slow_client_stops_the_service():
    """What the proxy holds for a client that does not read is bounded; then all arrives."""
    async with serving(flood) as service, proxying(service.url) as proxy:
        async with await proxy.open(buffer=8192) as client:
            await until(lambda: bool(service.peers), 5)
            peer = service.peers[0]
            taken = await settled(lambda: peer.sent)
            (socket,) = proxy.server.serving.state.connections
            held = socket.unsent()

            got = [await client.message() for _ in range(200)]

        await proxy.rest()
    assert held <= 64 * 1024 + 65536 + 100
    assert taken < 16 * MIB  # mostly the kernel's
    assert all(one and one.payload == b"x" * 65536 for one in got)


async def test_a_slow_service_stops_the_client():
    """The other way round: the client's writes wait."""
    reads = asyncio.Event()

    async def slow(peer: Peer) -> None:
        await reads.wait()
        await echo(peer)

    async with serving(slow) as service, proxying(service.url) as proxy:
        async with await proxy.open() as client:
            message, sent = frame(BINARY, b"y" * 65536), itertools.count()
            total = 0

            async def write() -> None:
                nonlocal total
                for _ in sent:
                    client.send(message)
                    await client.writer.drain()
                    total += len(message)

            writing = asyncio.create_task(write())
            taken = await settled(lambda: total)
            writing.cancel()
            reads.set()
            first = await client.message()

        await proxy.rest()
    assert taken < 16 * MIB
    assert first is not None
    assert first.payload == b"y" * 65536


async def test_a_slow_client_is_not_lost():
    """Its pong may queue behind what it has not read; reading on counts as an answer."""
    often = Socket(ping=0.3)

    async def speak(peer: Peer) -> None:
        for _ in range(25):
            peer.send(frame(BINARY, b"x" * 65536, masked=False))
        while (one := await peer.frame()) is not None and one.opcode != CLOSE:
            if one.opcode == PING:
                peer.send(frame(PONG, one.payload, masked=False))

    async with serving(speak) as service, proxying(service.url, socket=often) as proxy:
        async with await proxy.open(buffer=8192) as client:
            got = 0
            while got < 25:
                one = await client.frame()
                assert one is not None, f"closed after {got} messages"
                assert one.opcode in {BINARY, PING}, (one.code, one.reason)
                if one.opcode == PING:
                    client.send(frame(PONG, one.payload))
                else:
                    got += 1
                    await asyncio.sleep(0.03)
        await proxy.rest()


async def test_a_client_that_stops_reading_is_dropped():
    """It leaves the ping behind unread: its service gets 1001, and nothing is held."""
    often = Socket(ping=0.2)
    async with serving(flood) as service, proxying(service.url, socket=often) as proxy:
        async with await proxy.open(buffer=8192):
            await proxy.rest()
        await until(lambda: not service.open, 5)


async def test_many_small_fragments_are_bounded_by_their_bytes():
    """A message in fragments of one byte, or of none, is no way round the limit."""
    small = Socket(max_message=100)
    empty = frame(BINARY, b"", fin=False) + frame(CONT, b"", fin=False) * 5000
    async with serving(echo) as service, proxying(service.url, socket=small) as proxy:
        async with await proxy.open() as client:
            client.send(empty + frame(CONT, b"x" * 100))
            whole = await client.message()
        async with await proxy.open() as client:
            client.send(frame(BINARY, b"x", fin=False) + frame(CONT, b"x", fin=False) * 100)
            close = await client.close()

    assert whole is not None
    assert len(whole.payload) == 100
    assert close is not None
    assert close.code == 1009


async def test_a_declared_length_takes_no_memory():
    """A frame that declares more than the limit is refused before its data."""
    async with serving(echo) as service, proxying(service.url) as proxy:
        async with await proxy.open() as client:
            client.send(frame(BINARY, b"", size=2**40))
            close = await client.close()
        await proxy.rest()

    assert close is not None
    assert close.code == 1009


async def test_nothing_is_left_of_sockets_that_ended():
    """Tasks, permits, connections and sockets are back where they were."""
    before = len(asyncio.all_tasks())
    async with serving(echo) as service, proxying(service.url) as proxy:
        for way in range(12):
            client = await proxy.open()
            client.send(frame(TEXT, b"hi"))
            await client.message()
            if way % 3 == 0:
                client.send(closing(1000))
                await client.close()
            elif way % 3 == 1:
                client.send(b"\xff\xff")
                await client.close()
            client.drop()
        await proxy.rest()
        await until(lambda: not service.open, 5)
    gc.collect()
    await until(lambda: len(asyncio.all_tasks()) <= before, 5)


OURS = {
    *("Handshake", "PendingHandshake", "WebSocketConnection", "ServerFraming", "CheckedServer"),
    *("UpstreamSocket", "SocketExchange", "WireConnection", "ClientFraming", "CheckedClient"),
    *("Heartbeat", "ClientSide", "_Forwarding"),
}
"""The objects of a proxied web socket."""


def ours() -> list[str]:
    """Return the names of those that are alive."""
    names = (type(one).__name__ for one in gc.get_objects())
    return sorted(name for name in names if name in OURS)


@pytest.mark.parametrize("way", ["closed by the client", "dropped", "broken", "refused"])
async def test_a_socket_that_ended_needs_no_garbage_collector(way):
    """It forms no reference cycle: thousands that come and go take no memory."""
    limit = Policy(bulkhead=Bulkhead(concurrent=1, queue=0))
    async with serving(echo) as service, proxying(service.url, policy=limit) as proxy:
        gc.collect()
        gc.disable()
        try:
            before = ours()
            async with await proxy.open() as client:
                client.send(frame(TEXT, b"hi"))
                await client.message()
                if way == "closed by the client":
                    client.send(closing(1000))
                    await client.close()
                elif way == "broken":
                    client.send(b"\xff\xff")
                    await client.close()
                elif way == "refused":
                    async with await proxy.open() as second:
                        assert second.status == 503
            await proxy.rest()
            proxy.app.failures.clear()
            await until(lambda: ours() == before, 5)
        finally:
            gc.enable()


async def test_pings_of_a_client_that_does_not_read_are_not_all_answered():
    """Their pongs would fill the memory."""
    async with serving(echo) as service, proxying(service.url) as proxy:
        async with await proxy.open(buffer=8192) as client:
            (socket,) = proxy.server.serving.state.connections
            many = frame(PING, b"x" * 125) * 1000
            for _ in range(100):
                client.send(many)
                await client.writer.drain()
            await until(lambda: socket.unsent() > 0, 5)
            held = await settled(socket.unsent)
        await proxy.rest()

    assert held <= MIB // 2  # 64 KiB, and the answers to one read


async def test_pings_of_a_service_that_does_not_read_are_not_all_answered():
    """The same on the other side."""
    is_sent = asyncio.Event()

    async def flood_pings(peer: Peer) -> None:
        peer.writer.get_extra_info("socket").setsockopt(1, 8, 8192)  # SO_RCVBUF
        many = frame(PING, b"x" * 125, masked=False) * 1000
        for _ in range(40):
            peer.send(many)
            await peer.writer.drain()
        is_sent.set()
        await asyncio.Event().wait()

    async with serving(flood_pings) as service, proxying(service.url) as proxy:
        async with await proxy.open():
            await asyncio.wait_for(is_sent.wait(), 10)
            pool = proxy.stack.balancer.endpoints.members[0].target
            held = await settled(lambda: 1 + sum(one.unsent for one in pool._held))
        await proxy.rest()

    assert held <= MIB // 2  # 64 KiB, and the answers to one read


async def test_compression_ends_at_the_proxy():
    """A client that compresses talks to a service that does not; a bomb is too large: 1009."""
    async with serving(echo) as service, proxying(service.url) as proxy:
        url = f"ws://127.0.0.1:{proxy.server.port}/"
        async with connect(url, compression="deflate", max_size=None) as client:
            assert "permessage-deflate" in client.response.headers["sec-websocket-extensions"]
            await client.send("hello " * 1000)
            assert await client.recv() == "hello " * 1000
            await client.send(b"\0" * (MIB + 1))
            with pytest.raises(ConnectionClosed) as closed:
                await client.recv()
        await proxy.rest()

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009
    assert b"sec-websocket-extensions" not in service.peers[0].fields


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore:The `websockets` implementation is deprecated")
async def test_another_implementation_of_the_server_passes_messages_on():
    """Code and reason as well."""
    async with serving(echo) as service, proxying(service.url, ws="websockets") as proxy:
        async with connect(f"ws://127.0.0.1:{proxy.server.port}/") as client:
            await client.send("hello")
            assert await client.recv() == "hello"
            await client.close(4001, "enough")
        await proxy.rest()

    assert client.protocol.close_sent is not None
    assert client.protocol.close_sent.code == 4001
