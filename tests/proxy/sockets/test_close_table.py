"""The close table of proxied web sockets, row by row and code by code."""

import asyncio

import pytest

from bff_core.events import StreamEnded
from bff_core.proxy.sockets import Socket
from tests.proxy.sockets.proxying import proxying
from tests.proxy.sockets.wire import (
    BINARY,
    CONT,
    PING,
    TEXT,
    Got,
    Peer,
    closing,
    frame,
    serving,
)

pytestmark = pytest.mark.uvloop

SENT = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014)
APPLICATIONS = (3000, 3999, 4000, 4999)
NEVER_SENT = (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)


class Notes:
    """What a service got: its close frame, and whether its connection ended."""

    def __init__(self) -> None:
        self.close: Got | None = None
        self.is_over = asyncio.Event()

    async def __call__(self, peer: Peer) -> None:
        """Read up to the close frame, and answer it."""
        self.close = await peer.close()
        if self.close is not None:
            peer.send(frame(8, self.close.payload, masked=False))
        self.is_over.set()

    async def got(self) -> Got | None:
        """Return the close frame, once the web socket has ended."""
        await asyncio.wait_for(self.is_over.wait(), 10)
        return self.close


class Answering(Notes):
    """A service that answers pings."""

    async def __call__(self, peer: Peer) -> None:
        """Read up to the close frame."""
        while (one := await peer.frame()) is not None and one.opcode != 8:
            if one.opcode == PING:
                peer.send(frame(10, one.payload, masked=False))
        self.close = one
        self.is_over.set()


def said(close: Got | None) -> tuple[int | None, str] | None:
    """Return code and reason of a close frame; None without a frame."""
    return None if close is None else (close.code, close.reason)


@pytest.mark.parametrize("code", SENT + APPLICATIONS)
async def test_the_service_gets_the_client_s_code(code):
    """A client closes: the service gets the same code and reason, and the client its echo."""
    notes = Notes()
    async with serving(notes) as service, proxying(service.url) as proxy:
        async with await proxy.open() as client:
            client.send(closing(code, "until tomorrow ☾"))
            echoed = await client.close()

            assert said(await notes.got()) == (code, "until tomorrow ☾")
        assert said(echoed) == (code, "until tomorrow ☾")
        await proxy.rest()


@pytest.mark.parametrize("code", SENT + APPLICATIONS)
async def test_the_client_gets_the_service_s_code(code):
    """A service closes: the client gets the same code and reason, and the service its echo."""
    echoes: list[Got | None] = []

    async def close(peer: Peer) -> None:
        peer.send(closing(code, "closed for lunch", masked=False))
        echoes.append(await peer.close())

    async with serving(close) as service, proxying(service.url) as proxy:
        async with await proxy.open() as client:
            assert said(await client.close()) == (code, "closed for lunch")
            client.send(closing(code))
            assert await client.is_closed()
        await proxy.rest()
    assert [said(one) for one in echoes] == [(code, "closed for lunch")]


@pytest.mark.parametrize("way", ["closed", "dropped"])
async def test_the_end_of_a_socket_is_reported(way):
    """As that of a stream: whole, unless the service broke it off; the circuit stays closed."""
    async with serving(Notes()) as service, proxying(service.url) as proxy:
        async with await proxy.open() as client:
            if way == "closed":
                client.send(closing(1000))
                await client.close()
        await proxy.rest()
        ended = [event for event in proxy.events if isinstance(event, StreamEnded)]
        circuit = proxy.stack.state().breaker

    assert [event.outcome for event in ended] == ["whole"]
    assert circuit is not None
    assert circuit.failed == 0


async def test_a_client_that_closes_without_code():
    """The service gets a close frame without a code."""
    notes = Notes()
    async with serving(notes) as service, proxying(service.url) as proxy:
        async with await proxy.open() as client:
            client.send(closing())

            assert said(await notes.got()) == (None, "")
        await proxy.rest()


async def test_a_service_that_closes_without_code():
    """The client gets a close frame without a code."""

    async def close(peer: Peer) -> None:
        peer.send(closing(masked=False))
        await peer.close()

    async with serving(close) as service, proxying(service.url) as proxy:
        async with await proxy.open() as client:
            assert said(await client.close()) == (None, "")
        await proxy.rest()


async def test_a_client_that_vanishes():
    """The service gets 1001."""
    notes = Notes()
    async with serving(notes) as service, proxying(service.url) as proxy:
        client = await proxy.open()
        client.drop()

        assert said(await notes.got()) == (1001, "")
        await proxy.rest()


@pytest.mark.parametrize("way", ["reset", "end"])
async def test_a_service_that_vanishes(way):
    """The client gets 1014, by a reset of the connection or its plain end."""

    async def vanish(peer: Peer) -> None:
        await peer.frame()
        if way == "reset":
            peer.drop()

    async with serving(vanish) as service, proxying(service.url) as proxy:
        async with await proxy.open() as client:
            client.send(frame(TEXT, b"go"))

            assert said(await client.close()) == (1014, "the service is gone")
        await proxy.rest()


async def test_both_are_idle():
    """Both sides get 1001, and the reason says why; pings are no messages."""
    notes = Answering()
    idle = Socket(idle=0.3, ping=0.1)
    async with serving(notes) as service, proxying(service.url, socket=idle) as proxy:
        async with await proxy.open() as client:
            pings = []
            while (one := await client.frame()) is not None and one.opcode == PING:
                pings.append(one)
                client.send(frame(10, one.payload))

            assert said(one) == (1001, "no message for 0.3 s")
            assert pings
        assert said(await notes.got()) == (1001, "no message for 0.3 s")
        await proxy.rest()


async def test_a_client_that_leaves_a_ping_unanswered():
    """It gets no close frame, since it does not listen; the service gets 1001."""
    notes = Answering()
    async with (
        serving(notes) as service,
        proxying(service.url, socket=Socket(ping=0.1)) as proxy,
    ):
        async with await proxy.open() as client:
            first = await client.frame()
            rest = await client.close()

        assert (first.opcode if first else None, rest) == (PING, None)
        assert said(await notes.got()) == (1001, "")
        await proxy.rest()


async def test_a_service_that_leaves_a_ping_unanswered():
    """The client gets 1014 as from one that vanished; the service is sent 1001."""
    notes = Notes()  # drops pings
    async with (
        serving(notes) as service,
        proxying(service.url, socket=Socket(ping=0.1)) as proxy,
    ):
        async with await proxy.open() as client:
            close = None
            while close is None and (one := await client.frame()) is not None:
                if one.opcode == PING:
                    client.send(frame(10, one.payload))
                elif one.opcode == 8:
                    close = one

            assert said(close) == (1014, "the service is gone")
        assert said(await notes.got()) == (1001, "a ping was not answered")
        await proxy.rest()


async def test_the_process_shuts_down():
    """The client gets 1012 and reconnects elsewhere; the service gets 1001."""
    notes = Notes()
    async with serving(notes) as service, proxying(service.url) as proxy:
        async with await proxy.open() as client:
            for one in tuple(proxy.server.serving.state.connections):
                one.shutdown()

            assert said(await client.close()) == (1012, "the server restarts")
            client.send(closing(1012))
            assert await client.is_closed()
        assert said(await notes.got()) == (1001, "")
        await proxy.rest()


async def test_a_request_that_is_cancelled():
    """As at a shutdown: 1012 and 1001."""
    notes = Notes()
    async with serving(notes) as service, proxying(service.url) as proxy:
        async with await proxy.open() as client:
            for task in tuple(proxy.server.serving.state.tasks):
                task.cancel()

            assert said(await client.close()) == (1012, "the gateway restarts")
            assert said(await notes.got()) == (1001, "")
        await proxy.rest()


CLIENT_FAULTS = {
    "a message too large": (1009, frame(BINARY, b"x" * 1001)),
    "fragments too large": (1009, frame(TEXT, b"x" * 600, fin=False) + frame(CONT, b"x" * 600)),
    "a reserved bit": (1002, frame(TEXT, b"x", rsv=4)),
    "an unknown opcode": (1002, frame(3, b"x")),
    "a frame without a mask": (1002, frame(TEXT, b"x", masked=False)),
    "a continuation of nothing": (1002, frame(CONT, b"x")),
    "text that is not UTF-8": (1007, frame(TEXT, b"\xff\xfe")),
    "a reason that is not UTF-8": (1007, frame(8, b"\x03\xe8\xff")),
    "a close frame of one byte": (1002, frame(8, b"\x03")),
    **{f"the code {code}": (1002, closing(code)) for code in NEVER_SENT},
}


@pytest.mark.parametrize("fault", CLIENT_FAULTS)
async def test_a_client_that_breaks_the_protocol(fault):
    """It gets the code of its fault (1002, 1007, 1009); the service gets 1001."""
    notes, (code, sent) = Notes(), CLIENT_FAULTS[fault]
    small = Socket(max_message=1000)
    async with serving(notes) as service, proxying(service.url, socket=small) as proxy:
        async with await proxy.open() as client:
            client.send(sent)
            close = await client.close()
            assert await client.is_closed()

        assert close is not None
        assert close.code == code
        assert said(await notes.got()) == (1001, "")
        await proxy.rest()


SERVICE_FAULTS = {
    "a message too large": (1009, frame(BINARY, b"x" * 1001, masked=False)),
    "a reserved bit": (1002, frame(TEXT, b"x", rsv=1, masked=False)),
    "an unknown opcode": (1002, frame(11, b"x", masked=False)),
    "a frame with a mask": (1002, frame(TEXT, b"x")),
    "text that is not UTF-8": (1007, frame(TEXT, b"\xc3", masked=False)),
    **{f"the code {code}": (1002, closing(code, masked=False)) for code in NEVER_SENT},
}


@pytest.mark.parametrize("fault", SERVICE_FAULTS)
async def test_a_service_that_breaks_the_protocol(fault):
    """Both sides get the code of its fault; it counts as failed."""
    code, sent = SERVICE_FAULTS[fault]
    closes: list[Got | None] = []

    async def break_it(peer: Peer) -> None:
        peer.send(sent)
        closes.append(await peer.close())

    small = Socket(max_message=1000)
    async with serving(break_it) as service, proxying(service.url, socket=small) as proxy:
        async with await proxy.open() as client:
            close = await client.close()

        assert close is not None
        assert close.code == code
        await proxy.rest()
        circuit = proxy.stack.state().breaker
        assert circuit is not None
        assert circuit.failed == 1
    assert [one.code if one else None for one in closes] == [code]


async def test_messages_before_a_close_arrive():
    """What was sent before the close frame is passed on before it."""

    async def speak(peer: Peer) -> None:
        peer.send(frame(TEXT, b"one", masked=False) + frame(TEXT, b"two", masked=False))
        peer.send(closing(4001, "done", masked=False))
        await peer.close()

    async with (
        serving(speak) as service,
        proxying(service.url) as proxy,
        await proxy.open() as client,
    ):
        heard = [await client.message() for _ in range(3)]

    assert [one.payload for one in heard if one][:2] == [b"one", b"two"]
    assert said(heard[2]) == (4001, "done")


async def test_a_service_that_never_answers_the_close_frame_holds_nothing_for_long():
    """Its connection is closed after a while, and the permit is free again."""

    async def ignore(peer: Peer) -> None:
        await peer.close()
        await peer.is_closed()

    async with serving(ignore) as service, proxying(service.url) as proxy:
        async with await proxy.open() as client:
            client.send(closing(1000))
            assert said(await client.close()) == (1000, "")
        await proxy.rest()
