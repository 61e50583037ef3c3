"""Early load shedding: requests are refused before ASGI, with the edge's answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from bff_core import Gateway, Settings, gateway
from bff_core.edge.options import CorsOptions, EdgeOptions
from bff_core.events import AnyEvent, Events, LoadShed, RequestAnswered
from tests.server.talking import Client, Served, connect, served, until

pytestmark = pytest.mark.uvloop

SHOP = "https://shop.example"
HOST = b"Host: localhost\r\n"
GET = b"GET /wait HTTP/1.1\r\n" + HOST + b"\r\n"


def get(path: bytes = b"/wait", *fields: bytes, method: bytes = b"GET") -> bytes:
    """Return the bytes of a request without a body."""
    lines = b"".join(field + b"\r\n" for field in fields)
    return method + b" " + path + b" HTTP/1.1\r\n" + HOST + lines + b"\r\n"


@dataclass
class Busy:
    """A gateway whose requests wait until the gate opens; its events, and what it admitted."""

    app: Gateway
    gate: asyncio.Event
    heard: list[AnyEvent] = field(default_factory=list)
    let_in: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def full(self, count: int) -> AsyncIterator[Served]:
        """Serve it with so many requests in flight; let them go in the end."""
        async with served(self.app) as server:
            clients = [await asking(server) for _ in range(count)]
            await until(lambda: self.app.shedding.pressure.in_flight == count)
            yield server
            self.gate.set()
            for client in clients:
                assert (await client.answer()).status == 200


async def asking(server: Served) -> Client:
    """Return a client whose request is under way."""
    client = await connect(server.port)
    client.send(GET)
    return client


@pytest.fixture
def busy() -> Busy:
    """Return a gateway that takes two requests at once."""
    gate, heard = asyncio.Event(), []
    app = gateway(
        "busy",
        settings=Settings(env="development"),
        options=EdgeOptions(
            max_concurrent=2, max_lag=0, cors=CorsOptions(origins=(SHOP,)), timeout=30.0
        ),
        events=Events(heard.append),
    )
    made = Busy(app, gate, heard)

    @app.get("/wait")
    async def wait() -> str:
        made.let_in.append("wait")
        await gate.wait()
        return "done"

    @app.post("/write")
    async def write(value: dict[str, int]) -> dict[str, int]:
        return value

    return made


async def test_an_early_refusal_equals_the_edges(busy):
    """The same status, fields and problem; the edge refuses requests that end their connection."""
    fields = b"Origin: " + SHOP.encode(), b"X-Request-ID: mine"
    async with busy.full(2) as server:
        early = await server.say(get(b"/wait", *fields))
        late = await server.say(get(b"/wait", *fields, b"Connection: close"))

    assert (early.status, early.problem["code"], early.problem["request_id"]) == (
        503,
        "overloaded",
        "mine",
    )
    assert early.problem | {"trace_id": ""} == late.problem | {"trace_id": ""}
    for one in (early, late):
        assert 1 <= int(one.fields.pop("retry-after")) <= 4
        one.fields.pop("date")
    assert late.fields.pop("connection") == "close"
    assert early.fields == late.fields
    assert early.fields["access-control-allow-origin"] == SHOP
    assert len(busy.let_in) == 2


async def test_early_refusals_are_reported_like_others(busy):
    """Once a second and not one by one, although the edge is not reached."""
    async with busy.full(2) as server:
        for _ in range(3):
            await server.say(get())
        await until(lambda: any(isinstance(event, LoadShed) for event in busy.heard))

    [pressed] = [event for event in busy.heard if isinstance(event, LoadShed)]
    assert pressed.refused == {"critical": 3}
    await until(lambda: sum(isinstance(event, RequestAnswered) for event in busy.heard) == 2)


async def test_a_connection_is_used_after_a_refusal(busy):
    """It is answered as soon as there is room; a body is read and dropped."""
    body = b'{"a": 1}'
    post = b"POST /write HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
    post += b"Content-Length: %d\r\n\r\n" % len(body)
    async with busy.full(2) as server, server.client() as client:
        statuses = []
        for request in (get(), post + body, get(method=b"HEAD"), get(b"/healthz")):
            client.send(request)
            answer = await client.answer(has_body=not request.startswith(b"HEAD"))
            statuses.append(answer.status)
        client.send(post + body[:3])
        statuses.append((await client.answer()).status)
        busy.gate.set()
        await until(lambda: busy.app.shedding.pressure.in_flight == 0)
        client.send(body[3:] + post + body)
        last = await client.answer()

    assert statuses == [503, 503, 503, 200, 503]
    assert (last.status, last.problem) == (200, {"a": 1})


async def test_a_request_that_expects_a_100_is_refused_by_the_edge(busy):
    """Its body is not sent then: the connection ends with the answer."""
    fields = b"Content-Type: application/json", b"Content-Length: 8", b"Expect: 100-continue"
    async with busy.full(2) as server, server.client() as client:
        client.send(get(b"/write", *fields, method=b"POST"))
        refused = await client.answer()

        assert (refused.status, refused.fields["connection"]) == (503, "close")
        assert await client.is_closed()


async def test_a_malformed_body_after_a_refusal_gets_no_second_answer(busy):
    """It could be taken for the answer to the next request."""
    head = b"POST /write HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
    async with busy.full(2) as server, server.client() as client:
        client.send(head)
        refused = await client.answer()
        client.send(b"no chunk\r\n")

        assert refused.status == 503
        assert await client.is_closed()


async def test_the_body_of_a_refused_upgrade_is_dropped(busy):
    """A refused request is one request, whatever it offers and carries."""
    body = get(b"/healthz")
    head = b"POST /write HTTP/1.1\r\n" + HOST + b"Connection: upgrade\r\nUpgrade: h2c\r\n"
    sized = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    chunked = head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    async with busy.full(2) as server, server.client() as client:
        statuses = []
        for request in (sized, chunked, sized + chunked):
            client.send(request[:-20])
            statuses.append((await client.answer()).status)
            client.send(request[-20:])
        statuses.append((await client.answer()).status)
        client.send(get(b"/healthz"))
        last = await client.answer()

    assert (statuses, last.status) == ([503] * 4, 200)


async def test_unread_refusals_do_not_accumulate(busy):
    """A client that does not read gets no further answer, refused or not."""
    padded = get(b"/wait", b"X: " + b"x" * 1000)
    async with busy.full(2) as server:
        client = await connect(server.port, buffer=4096)
        client.send(padded * 20_000)
        await until(lambda: any(one.writer.is_blocked for one in server.serving.connections))
        for _ in range(50):  # turns of the loop in which all of it could be read
            await server.say(get())

        assert client.writer.transport.get_write_buffer_size() > 0
        await client.close()


async def test_requests_that_arrive_together_are_not_all_admitted(busy):
    """Fifty requests in one iteration of the loop find room for one."""
    async with busy.full(1) as server:
        clients = [await asking(server) for _ in range(50)]
        answers = asyncio.gather(*(client.answer() for client in clients))
        await until(lambda: busy.app.shedding.pressure.refused["critical"] >= 49)
        busy.gate.set()
        statuses = [answer.status for answer in await answers]

    assert sorted(statuses) == [200] + [503] * 49
    assert len(busy.let_in) == 2
    assert busy.app.shedding.pressure.arriving == 0


async def test_middleware_around_a_gateway_answers_first(busy):
    """Early shedding is only for a gateway that is served itself."""

    async def wrapper(scope, receive, send):
        if scope["type"] == "http" and scope["path"] == "/own":
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})
        else:
            await busy.app(scope, receive, send)

    async with served(wrapper) as server:
        clients = [await asking(server) for _ in range(2)]
        await until(lambda: busy.app.shedding.pressure.in_flight == 2)
        own, refused = await server.say(get(b"/own")), await server.say(get())
        busy.gate.set()
        finished = [(await client.answer()).status for client in clients]

    assert (own.status, refused.status, finished) == (204, 503, [200, 200])
