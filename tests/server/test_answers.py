"""Answers on the wire: one write, correctly framed, whatever the application sends."""

import pytest

from bff_core.server import response_head as heads
from bff_core.server.response import ResponseRenderer
from bff_core.server.response_head import HeadRenderer
from tests.server.talking import HELLO, Shop, echo, hello, served

pytestmark = pytest.mark.uvloop

START = "http.response.start"
BODY = "http.response.body"


def answering(*messages):
    """Make an application that sends these messages."""

    async def app(shop, scope, receive, send):
        for message in messages:
            await send(message)

    return Shop(routes={"/": app})


async def ask(server, line: bytes = b"GET / HTTP/1.1"):
    """Request the root."""
    return await server.say(line + b"\r\nHost: localhost\r\n\r\n")


async def test_requests_of_one_connection_are_answered_in_their_order():
    """Twenty at once, more than the pipeline's limit, with bodies between them."""
    shop = Shop(routes={"/": echo})
    posts = [b"%d" % n * (n + 1) for n in range(20)]

    async with served(shop) as server, server.client() as client:
        for body in posts:
            client.send(
                b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
            )
            client.send(HELLO)
        answers = [(await client.answer()).body for _ in range(40)]

    assert answers[::2] == posts
    assert answers[1::2] == [b"hello"] * 20


async def test_a_request_in_single_bytes_is_one_request():
    """However the network segments it."""
    shop = Shop(routes={"/": echo})
    data = b"POST /?q=%C3%A4 HTTP/1.1\r\nHost: a\r\nX: y  \r\nContent-Length: 3\r\n\r\nabc"

    async with served(shop) as server, server.client() as client:
        for byte in data:
            client.send(bytes((byte,)))
            await client.writer.drain()
        answer = await client.answer()

    (scope,) = shop.scopes
    assert answer.body == b"abc"
    assert scope["query_string"] == b"q=%C3%A4"
    assert scope["headers"] == [(b"host", b"a"), (b"x", b"y"), (b"content-length", b"3")]


async def test_the_path_is_decoded_and_passed_raw_as_well():
    """ASGI has a field for each."""
    shop = Shop()

    async with served(shop) as server:
        await ask(server, b"GET /caf%C3%A9/%2F?a=%2F HTTP/1.1")

    (scope,) = shop.scopes
    assert (scope["path"], scope["raw_path"]) == ("/café//", b"/caf%C3%A9/%2F")
    assert scope["client"][0] == "127.0.0.1"


async def test_a_100_is_sent_when_the_handler_reads_the_body():
    """And none if the handler answers without the body: then the connection ends."""
    head = b"POST %b HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"

    async with served(Shop(routes={"/": echo})) as server:
        async with server.client() as client:
            client.send(head % b"/")
            first = await client.answer()
            client.send(b"ok")
            second = await client.answer()
        async with server.client() as client:
            client.send(head % b"/hello")
            refused = await client.answer()
            assert await client.is_closed()

    assert (first.status, second.status, second.body) == (100, 200, b"ok")
    assert (refused.status, refused.fields["connection"]) == (200, "close")


async def test_an_answer_before_the_end_of_the_body_ends_the_connection():
    """The rest of the body is not parsed as a request."""
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
    shop = Shop()

    async with served(shop) as server, server.client() as client:
        client.send(b"POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\nabc")
        answer = await client.answer()
        client.send(smuggled)
        assert await client.is_closed()

    assert answer.fields["connection"] == "close"
    assert [scope["path"] for scope in shop.scopes] == ["/hello"]


async def test_an_answer_of_unknown_length_is_chunked():
    """It starts at once, and each piece is sent at once."""
    shop = answering(
        {"type": START, "status": 200, "headers": []},
        *({"type": BODY, "body": piece, "more_body": True} for piece in (b"one", b"", b"two")),
        {"type": BODY},
    )

    async with served(shop) as server, server.client() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" + HELLO)
        status, fields = await client.head()
        chunks = [chunk async for chunk in client.chunks()]
        following = await client.answer()

    assert (status, fields["transfer-encoding"]) == (200, "chunked")
    assert chunks == [b"one", b"two"]
    assert following.body == b"hello"


async def test_http_1_0_gets_no_chunks():
    """It has none: the end of the connection is the end of the answer."""
    shop = answering(
        {"type": START, "status": 200, "headers": []},
        {"type": BODY, "body": b"one", "more_body": True},
        {"type": BODY, "body": b"two"},
    )

    async with served(shop) as server:
        answer = await ask(server, b"GET / HTTP/1.0")

    assert answer.body == b"onetwo"
    assert "transfer-encoding" not in answer.fields


@pytest.mark.parametrize(
    ("line", "status"), [(b"HEAD /", 200), (b"GET /", 204), (b"GET /", 304), (b"HEAD /", 404)]
)
async def test_an_answer_without_content_has_no_body(line, status):
    """Whatever the application sends, the next answer follows the head."""
    shop = answering(
        {"type": START, "status": status, "headers": [(b"content-length", b"5")]},
        {"type": BODY, "body": b"hello"},
    )

    async with served(shop) as server, server.client() as client:
        client.send(line + b" HTTP/1.1\r\nHost: a\r\n\r\n" + HELLO)
        first = await client.answer(has_body=False)
        second = await client.answer()

    assert (first.status, first.fields["content-length"]) == (status, "5")
    assert second.body == b"hello"


async def test_an_application_may_close_the_connection():
    """With `Connection: close`."""

    async def closing(shop, scope, receive, send):
        await hello(shop, scope, receive, send, headers=[(b"connection", b"close")])

    async with served(Shop(routes={"/": closing})) as server, server.client() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" + HELLO)

        assert (await client.answer()).fields["connection"] == "close"
        assert await client.is_closed()


@pytest.mark.parametrize(
    "field",
    [(b"x", b"a\r\nset-cookie: b=c"), (b"x", b"a\nb"), (b"x y", b"a"), (b"x", b"\x00"), (b"", b"")],
)
async def test_a_field_can_not_split_an_answer(field):
    """Whatever a handler puts into a field, the client gets an error without it."""
    shop = answering({"type": START, "status": 200, "headers": [field]})

    async with served(shop) as server:
        answer = await ask(server)

    assert answer.status == 500
    assert "set-cookie" not in answer.fields


@pytest.mark.parametrize("status", [100, 101, 103, 199, 99, 600, 999])
async def test_a_status_that_no_final_answer_has_is_a_500(status):
    """After an interim status a client would take the next answer for the one to this request."""
    shop = answering({"type": START, "status": status, "headers": []}, {"type": BODY})

    async with served(shop) as server:
        answer = await ask(server)

    assert answer.status == 500


async def test_an_application_that_fails_is_a_500():
    """With problem details, and without the error's text."""

    async def broken(shop, scope, receive, send):
        raise ValueError("secret")

    async with served(Shop(routes={"/": broken})) as server:
        answer = await ask(server)

    assert answer.status == 500
    assert answer.problem["code"] == "internal_server_error"
    assert b"secret" not in answer.body


async def test_an_application_that_sends_nothing_is_a_500():
    """A client never waits for an answer that will not come."""
    async with served(answering()) as server:
        assert (await ask(server)).status == 500


@pytest.mark.parametrize("headers", [[], [(b"content-length", b"100")]])
async def test_a_truncated_answer_does_not_look_complete(headers):
    """An application that fails within its answer ends the connection."""

    async def torso(shop, scope, receive, send):
        await send({"type": START, "status": 200, "headers": headers})
        await send({"type": BODY, "body": b"half", "more_body": True})
        raise ValueError

    async with served(Shop(routes={"/": torso})) as server, server.client() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        with pytest.raises(EOFError):
            await client.answer()


async def test_a_truncated_answer_to_http_1_0_is_reset():
    """There a plain close would be the end of the answer."""

    async def torso(shop, scope, receive, send):
        await send({"type": START, "status": 200, "headers": []})
        await send({"type": BODY, "body": b"half", "more_body": True})
        raise ValueError

    async with served(Shop(routes={"/": torso})) as server, server.client() as client:
        client.send(b"GET / HTTP/1.0\r\nHost: a\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            await client.answer()


@pytest.mark.parametrize("lengths", [[b"5", b"6"], [b"-1"], [b"five"]])
async def test_an_answer_has_one_length(lengths):
    """A proxy must not have to choose between two."""
    headers = [(b"content-length", length) for length in lengths]

    async with served(answering({"type": START, "status": 200, "headers": headers})) as server:
        assert (await ask(server)).status == 500


@pytest.mark.parametrize("body", [b"four", b"sixsix"])
async def test_an_answer_has_its_declared_length(body):
    """Another length is an error of the application, and does not affect the next answer."""
    shop = answering(
        {"type": START, "status": 200, "headers": [(b"content-length", b"5")]},
        {"type": BODY, "body": body},
    )

    async with served(shop) as server, server.client() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")

        assert await client.reader.read() == b""


@pytest.mark.parametrize("count", [1, 1000])
async def test_an_upgrade_that_is_not_accepted_is_an_ordinary_request(count):
    """So are the requests after it on the connection, however they are segmented."""
    offer = b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"
    async with served(Shop()) as server, server.client() as client:
        client.send(offer * count + HELLO)

        answers = [(await client.answer()).body for _ in range(count + 1)]
    assert answers == [b"hello"] * (count + 1)


def test_a_whole_answer_is_one_write():
    """Head and body together; a large body is not copied."""
    answer = ResponseRenderer(has_body=True, is_old=False, is_last=False)
    large = ResponseRenderer(has_body=True, is_old=False, is_last=False)
    headers = [(b"Content-Length", b"2")]

    assert answer.start({"type": START, "status": 200, "headers": headers}, b"date: x\r\n") == b""
    assert answer.body({"type": BODY, "body": b"ok"}) == (
        b"HTTP/1.1 200 OK\r\ndate: x\r\ncontent-length: 2\r\n\r\nok",
    )
    large.start({"type": START, "status": 200, "headers": [(b"content-length", b"99999")]}, b"")
    head, body = large.body({"type": BODY, "body": (piece := b"x" * 99_999)})
    assert head.endswith(b"\r\n\r\n")
    assert body is piece


@pytest.mark.parametrize("kind", [BODY, "http.response.trailers"])
def test_messages_out_of_order_are_refused(kind):
    """The application gets an exception."""
    with pytest.raises(RuntimeError, match="out of order"):
        ResponseRenderer(has_body=True, is_old=False, is_last=False).start({"type": kind}, b"")


def test_lines_with_secrets_are_not_cached():
    """Frequent lines are cached, but not those of cookies, ids and dates."""
    HeadRenderer(200, [(b"set-cookie", b"session=1"), (b"x-repeated", b"1")], b"")

    assert (b"set-cookie", b"session=1") not in heads._lines
    assert (b"x-repeated", b"1") in heads._lines


def test_the_cache_of_lines_is_bounded():
    """After thousands of different ages the frequent lines are still cached."""
    for age in range(3000):
        HeadRenderer(200, [(b"age", b"%d" % age)], b"")
    HeadRenderer(200, [(b"x-new", b"1")], b"")

    assert (b"x-new", b"1") in heads._lines
    assert len(heads._lines) <= heads._MAX_ENTRIES


OWN_DATE = b"Tue, 03 Nov 2026 08:00:00 GMT"


@pytest.mark.parametrize("name", [b"date", b"Date", b"DATE"])
async def test_the_date_of_the_application_is_the_only_one(name):
    """Two dates contradict each other: a cache takes the answer's age from them."""
    headers = [
        (name, OWN_DATE),
        (b"content-length", b"0"),
        (name, b"Sun, 01 Nov 2026 08:00:00 GMT"),
    ]
    app = answering({"type": START, "status": 200, "headers": headers}, {"type": BODY})

    async with served(app) as server, server.client() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" + HELLO)
        own, ours = [await client.reader.readuntil(b"\r\n\r\n") for _ in range(2)]

    assert own.lower().count(b"\r\ndate:") == 1
    assert b"\r\ndate: %b\r\n" % OWN_DATE in own
    assert ours.count(b"\r\ndate: ") == 1
    assert OWN_DATE not in ours


def test_a_field_of_the_application_replaces_the_servers():
    """`uvicorn --header` may set Server, and its other fields stay."""
    defaults = b"date: today\r\nserver: uvicorn\r\nx-node: 1\r\n"

    head = HeadRenderer(200, [(b"Server", b"mine"), (b"x-a", b"1")], defaults)

    assert b"".join(head.lines).split(b"\r\n")[1:-1] == [
        b"date: today", b"x-node: 1", b"server: mine", b"x-a: 1",
    ]  # fmt: skip
