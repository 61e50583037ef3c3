"""A proxied route with a mirror: from the client's request to the event, also over sockets."""

import asyncio
import gzip
import json
from contextlib import asynccontextmanager, suppress

import pytest

from bff_core import ANYONE, Settings, Upstream, gateway
from bff_core.events import Events, MirrorCompared
from bff_core.proxy import Headers, Match, Mirror, Proxy, Route, Split, Transform
from bff_core.testing import running
from bff_core.testing.scripted import Scripted, ScriptedTransport, fail, hang, reply, stream

STOCK = {"left": 3, "price": 9.5}
PLAIN = json.dumps({"price": 9.50, "left": 3.0}).encode()
JSON = {"content-type": "application/json"}


class Stock(Upstream):
    """The route's own upstream."""


class StockNext(Upstream):
    """The upstream of its canary, and the mirror."""


class Shop:
    """A gateway with one mirrored route, and what it reported."""

    def __init__(self, own, mirrors, **options):
        self.own, self.mirrors, self.heard = Scripted(own), Scripted(mirrors), []
        scripts = {"10.0.0.1": self.own, "10.0.0.2": self.mirrors}
        addresses = {"stock": ("http://10.0.0.1",), "stock_next": ("http://10.0.0.2",)}
        self.app = shop(addresses, self.heard, lambda *_: ScriptedTransport(scripts), **options)

    @property
    def compared(self):
        return [one for one in self.heard if isinstance(one, MirrorCompared)]


def shop(addresses, heard, transport=None, **options):
    """Return a gateway whose route is mirrored."""
    route = Route(
        "stock",
        Match("/stock/{id}"),
        to=Stock,
        access=ANYONE,
        mirror=Mirror(to=StockNext),
        **options,
    )
    return gateway(
        "shop",
        faces=[Proxy(routes=[route])],
        settings=Settings(env="development", upstreams=addresses),
        events=Events(heard.append),
        **({} if transport is None else {"transport": transport}),
    )


@pytest.mark.virtual_time
@pytest.mark.parametrize(
    ("own", "outcome", "reason"),
    [
        (reply(200, STOCK), "same", ""),
        (stream(b'{"left": 3,', 0.1, b'"price": 9.5}', headers=JSON), "same", ""),
        (stream(b'{"left": 4,', b'"price": 9.5}', headers=JSON), "body_differs", ""),
        (reply(404, {}), "status_differs", ""),
        (fail(), "failed", "no_reply"),
        (stream(b'{"left": 3,', breaks=True, headers=JSON), "failed", "unfinished"),
    ],
)
async def test_reply_of_a_route_is_compared_as_its_service_sent_it(own, outcome, reason):
    """Before the transforms of the route, whatever the client gets of it."""
    transform = Transform(response_headers=Headers(allow=("etag",)))
    tested = Shop(own, reply(200, json.loads(PLAIN)), transform=transform)
    async with running(tested.app) as client:
        with suppress(Exception):  # one of them breaks off
            await client.get("/stock/7")
        await asyncio.sleep(1.0)

    (event,) = tested.compared
    assert (event.route, event.upstream) == ("stock", "stock_next")
    assert (event.outcome, event.reason) == (outcome, reason)


@pytest.mark.virtual_time
async def test_shutdown_does_not_wait_for_copies():
    """A copy that is under way ends with the gateway."""
    tested = Shop(reply(200, STOCK), hang())
    async with running(tested.app) as client:
        await client.get("/stock/7")
        await asyncio.sleep(0.001)

    assert (tested.mirrors.cancelled, tested.mirrors.in_flight) == (1, 0)


@pytest.mark.virtual_time
async def test_a_canary_may_have_the_mirror_as_well():
    """Both sides are compared: the answer of the canary with that of the mirror, too."""
    tested = Shop(reply(200, STOCK), reply(200, STOCK), split=Split(to=StockNext, percent=100))
    async with running(tested.app) as client:
        await client.get("/stock/7")
        await asyncio.sleep(1.0)

    assert (len(tested.own.calls), len(tested.mirrors.calls)) == (0, 2)
    assert tested.compared[0].outcome == "same"


@asynccontextmanager
async def served(body, fields, received):
    """Serve one answer on a socket, to each connection; yield its address."""

    async def answer(reader, writer):
        received.append((await reader.readuntil(b"\r\n\r\n")).lower())
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n%b"
            b"content-length: %d\r\n\r\n%b" % (fields, len(body), body)
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_compressed_bodies_are_compared_over_sockets():
    """The client gets the coding of the service; the mirror sends none."""
    own, mirrors, heard, compared = [], [], [], asyncio.Event()
    coded = gzip.compress(json.dumps(STOCK).encode())

    class Heard:
        def append(self, event):
            if isinstance(event, MirrorCompared):
                heard.append(event)
                compared.set()

    async with (
        served(coded, b"content-encoding: gzip\r\n", own) as first,
        served(PLAIN, b"", mirrors) as second,
    ):
        app = shop({"stock": (first,), "stock_next": (second,)}, Heard())
        async with running(app) as client:
            answer = await client.get("/stock/7?x=1", headers={"cookie": "a=secret"})
            await asyncio.wait_for(compared.wait(), 5)

    assert answer.json() == STOCK
    assert (heard[0].outcome, heard[0].is_body_compared) == ("same", True)
    assert mirrors[0].startswith(b"get /stock/7?x=1 ")
    assert b"mirrored-request: ?1" in mirrors[0]
    assert b"mirrored-request" not in own[0]
    assert b"secret" not in mirrors[0]
