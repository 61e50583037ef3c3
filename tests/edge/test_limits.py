"""Limits: header fields, hosts and bodies."""

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse
from hypothesis import given
from hypothesis import strategies as st

from bff_core.edge.allowed_hosts import host_check
from bff_core.edge.error_responses import install_problem_handlers

HOST = (b"host", b"testserver")


async def test_too_many_header_fields_are_refused(edged, answering):
    """101 fields are one too many, 100 are not."""
    refused, accepted = edged(answering()), edged(answering())
    fields = [HOST, *((b"x-%d" % n, b"1") for n in range(99))]

    await accepted.speak(fields)
    await refused.speak([*fields, (b"x-99", b"1")])

    assert (accepted.status, refused.status) == (200, 431)
    assert refused.json["code"] == "request_header_fields_too_large"


async def test_too_large_header_fields_are_refused(edged, answering):
    """Names and values count, to the byte."""
    room = 1000 - len(b"host" + b"testserver" + b"x")
    accepted = edged(answering(), max_field_bytes=1000)
    refused = edged(answering(), max_field_bytes=1000)

    await accepted.speak([HOST, (b"x", b"v" * room)])
    await refused.speak([HOST, (b"x", b"v" * (room + 1))])

    assert (accepted.status, refused.status) == (200, 431)


@pytest.mark.parametrize("name", ["path", "query"])
async def test_a_long_url_is_refused(edged, answering, name):
    """Path and query together have the limit of the headers, behind every server."""
    accepted = edged(answering(), max_field_bytes=100)
    refused = edged(answering(), max_field_bytes=100)
    sent = {"path": lambda room: {"path": "/" + "p" * (room - 1)}}
    sent["query"] = lambda room: {"path": "/", "query_string": b"q" * (room - 1)}

    await accepted.speak([HOST], **sent[name](100))
    await refused.speak([HOST], **sent[name](101))

    assert (accepted.status, refused.status) == (200, 414)
    assert refused.json["code"] == "uri_too_long"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"host", b"testserver"),
        (b"content-length", b"0"),
        (b"authorization", b"Bearer demo-2"),
        (b"origin", b"https://a.example"),
        (b"request-timeout", b"1"),
    ],
)
async def test_a_field_that_may_stand_once_stands_once(edged, answering, name, value):
    """Otherwise a proxy and the gateway might read two different requests."""
    gateway = edged(answering())

    await gateway.speak([HOST, (name, value), (name, value)])

    assert gateway.status == 400
    assert name.decode() in gateway.json["detail"]


async def test_a_field_that_may_be_repeated_is_not_refused(edged, answering):
    """Cookies and forwarding headers come in several lines."""
    gateway = edged(answering())

    await gateway.speak([HOST, (b"cookie", b"a=1"), (b"cookie", b"b=2")])

    assert gateway.status == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([], 400),
        ([(b"host", b"")], 400),
        ([(b"host", b"evil.example")], 400),
        ([(b"host", b"shop.example")], 200),
        ([(b"host", b"SHOP.example:8443")], 200),
        ([(b"host", b"shop.example.")], 200),
        ([(b"host", b"de.shop.test")], 200),
        ([(b"host", b"shop.test")], 400),
        ([(b"host", b"evilshop.test")], 400),
        ([(b"host", b"shop.example:port")], 400),
        ([(b"host", b"shop.example@evil.example")], 400),
        ([(b"host", b"shop.example/..")], 400),
    ],
)
async def test_a_gateway_answers_only_under_its_names(edged, answering, headers, status):
    """A missing, malformed or unknown Host is a 400."""
    gateway = edged(answering(), allowed_hosts=("shop.example", "*.shop.test"))

    await gateway.speak(headers)

    assert gateway.status == status


@given(st.binary(max_size=60))
def test_no_host_is_let_in_by_accident(host):
    """For random hosts, only allowed names pass."""
    is_allowed = host_check(["shop.example"])

    name = host.decode("latin-1").lower().partition(":")[0].removesuffix(".")
    assert not is_allowed(host) or name == "shop.example"


def test_every_host_can_be_allowed():
    """With "*" all well-formed hosts are allowed."""
    is_allowed = host_check(["*"])

    assert is_allowed(b"anything.example:1")
    assert is_allowed(b"[::1]:8001")
    assert not is_allowed(b"any thing")


def reader():
    """Make a FastAPI application that reads its body whole and says its length."""
    app = FastAPI()
    install_problem_handlers(app)

    @app.post("/", response_class=PlainTextResponse)
    async def read(request: Request):
        return str(len(await request.body()))

    @app.post("/typed")
    async def typed(body: dict[str, str]):
        return body

    return app


async def test_a_body_of_the_limit_is_read(edged):
    """A body of exactly the limit is accepted."""
    answer = await edged(reader(), max_body=1000).ask("POST", "/", content=b"x" * 1000)

    assert (answer.status_code, answer.text) == (200, "1000")


@pytest.mark.parametrize("path", ["/", "/typed"])
async def test_a_body_that_says_to_be_too_large_is_refused_unread(edged, path):
    """The declared length is enough for a 413, and the connection is closed."""
    answer = await edged(reader(), max_body=1000).ask("POST", path, content=b"x" * 1001)

    assert (answer.status_code, answer.json()["code"]) == (413, "content_too_large")
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("path", ["/", "/typed"])
async def test_a_body_that_turns_out_too_large_is_refused(edged, path):
    """Chunks are counted, and reading stops at the first one over the limit."""
    taken = []

    async def chunks():
        for number in range(1000):
            taken.append(number)
            yield b"x" * 100

    answer = await edged(reader(), max_body=1000).ask(
        "POST", path, content=chunks(), headers={"content-type": "application/json"}
    )

    assert (answer.status_code, answer.json()["code"]) == (413, "content_too_large")
    assert len(taken) == 11


@pytest.mark.parametrize(("last", "status"), [(b"", 200), (b"x", 413)])
async def test_chunks_are_counted_to_the_byte(edged, last, status):
    """A body of the limit is read, one byte more is refused."""
    gateway = edged(reader(), max_body=1000)

    await gateway.speak(
        [HOST, (b"transfer-encoding", b"chunked")], [b"x" * 1000, last], method="POST"
    )

    assert gateway.status == status


async def test_a_length_that_lies_does_not_help(edged):
    """Bytes are counted even if Content-Length declares fewer."""
    gateway = edged(reader(), max_body=1000)

    await gateway.speak([HOST, (b"content-length", b"10")], [b"x" * 600, b"x" * 600], method="POST")

    assert gateway.status == 413


async def test_http2_needs_no_length_and_is_counted(edged):
    """An HTTP/2 body without Content-Length is counted, too."""
    gateway = edged(reader(), max_body=1000)

    await gateway.speak([HOST], [b"x" * 600, b"x" * 600], method="POST", http_version="2")

    assert gateway.status == 413
    assert b"connection" not in dict(gateway.sent[0]["headers"])


@pytest.mark.parametrize(
    ("length", "status"),
    [(b"-1", 400), (b"1e3", 400), (b"0x10", 400), (b"", 400), (b"9" * 5000, 413)],
)
async def test_a_length_that_is_no_number_is_refused(edged, answering, length, status):
    """A length that is not a number is a 400, a huge number is a 413."""
    gateway = edged(answering())

    await gateway.speak([HOST, (b"content-length", length)], method="POST")

    assert gateway.status == status
