"""What a Python client makes of servers, functions and values that misbehave."""

import asyncio
import json
from io import BytesIO

import httpx
import pytest

from bff_core.codegen.python_client.runtime import async_streams, encoding
from bff_core.codegen.python_client.runtime.answers import PartState, parts_of_header
from bff_core.codegen.python_client.runtime.encoding import PreparedRequest, UploadedFile
from bff_core.codegen.python_client.runtime.entity_tags import EntityTagStore
from bff_core.codegen.python_client.runtime.errors import (
    GatewayProblem,
    GatewayTimeout,
    GatewayUnreachable,
    StreamBroken,
    UnexpectedReply,
)
from bff_core.codegen.python_client.runtime.settings import DEFAULT, CallSettings, retry_after_of
from tests.codegen.python_client.scripted import (
    GET,
    KEYED,
    LINES,
    READ,
    WRITE,
    Gateway,
    busy,
    lines,
    ok,
)

EVENTS = PreparedRequest(method="GET", path="/a", accept="text/event-stream")
JSON = {"content-type": "application/json"}


def reply(content: bytes, status: int = 200, **headers: str) -> httpx.Response:
    """Return a reply with these bytes; JSON unless it says otherwise."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, content=content, headers=JSON | fields)


@pytest.mark.parametrize(
    "answer",
    [
        reply(b""),
        reply(b"<html>", content_type="text/html"),
        reply(b"1", content_type="text/html"),
        reply(b"NaN"),
        reply(b"Infinity"),
        reply(b'"\xff"'),
        reply(b"[" * 100_000),
        reply(b'"text"'),
        reply(b"null"),
        httpx.Response(204),
        httpx.Response(202, json=1),
        httpx.Response(304),
        httpx.Response(307, headers={"location": "http://elsewhere/"}),
    ],
    ids=lambda one: f"{one.status_code} {one.content[:10]!r}",
)
async def test_a_reply_of_another_form_is_unexpected(answer):
    """It is no answer, and none is repeated."""
    gateway = Gateway(answer)

    with pytest.raises(UnexpectedReply):
        await gateway.caller().call(GET, READ, DEFAULT)


async def test_an_unexpected_reply_can_be_reported():
    """With its status, what it was, and where the gateway logged it."""
    gateway = Gateway(reply(b"<html>", content_type="text/html", x_request_id="r1"))

    with pytest.raises(UnexpectedReply) as unexpected:
        await gateway.caller().call(GET, READ, DEFAULT)

    error = unexpected.value
    assert (error.status, error.request_id, error.body) == (200, "r1", b"<html>")


async def test_numbers_are_exact_and_a_byte_order_mark_is_no_value():
    """Python's integers have no bound."""
    gateway = Gateway(reply(b"\xef\xbb\xbf9007199254740993"))

    assert (await gateway.caller().call(GET, READ, DEFAULT)).value == 9007199254740993


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b"\xff", b"[1]", b"null", b'{"code":5,"errors":[1,{"in":2}]}']
)
async def test_a_malformed_problem_is_a_problem_of_its_status(body):
    """Whatever the body is."""
    gateway = Gateway(reply(body, 400, content_type="application/problem+json"))

    with pytest.raises(GatewayProblem) as raised:
        await gateway.caller().call(GET, READ, DEFAULT)

    assert (raised.value.code, raised.value.title) == ("http_400", "HTTP status 400")


async def test_a_body_that_can_not_be_decompressed_is_no_answer():
    """Reads are tried again, as after each cut-off body."""
    broken = lambda: httpx.Response(  # noqa: E731 # a new stream for each attempt
        200, headers=JSON | {"content-encoding": "gzip"}, stream=httpx.ByteStream(b"no gzip")
    )
    gateway = Gateway(broken(), ok(7))
    assert (await gateway.caller().call(GET, READ, DEFAULT)).value == 7

    once = Gateway(broken())
    with pytest.raises(GatewayUnreachable):
        await once.caller().call(WRITE, READ, DEFAULT)


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ('a=partial;reason="x,y;z"', {"a": PartState("partial", "x,y;z")}),
        (r'a=partial;reason="x\"y"', {"a": PartState("partial", 'x"y')}),
        ("a=stale;age=\xb2", {"a": PartState("stale")}),
        (f"a=stale;age={'9' * 5000}", {"a": PartState("stale")}),
        ("a=stale;age=-1", {"a": PartState("stale")}),
        ("a, =ok, b=, ;;;, A=ok, c=ok", {"c": PartState("ok")}),
        ('a="', {}),
        ("__proto__=ok", {}),
        ("," * 50_000, {}),
    ],
)
def test_the_header_of_parts_is_read_as_far_as_it_is_one(field, expected):
    """Texts in quotes may have the separators; what is no part is left out."""
    assert parts_of_header(field) == expected


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("\xb2", None),
        ("-5", None),
        ("1e3", None),
        ("apples 5", None),
        ("Mon, 30 Nov 2026 00:00:00 +99999999999999", None),
        ("2.5", 2.5),
    ],
)
def test_an_odd_retry_after_is_none(field, expected):
    """No error of ours."""
    assert retry_after_of(field) == expected


async def test_refused_for_ever_ends_after_the_attempts():
    """Also if the gateway says that no wait is needed."""
    gateway = Gateway(*(busy(429, **{"retry-after": "0"}) for _ in range(5)))

    with pytest.raises(GatewayProblem):
        await gateway.caller().call(GET, READ, DEFAULT)

    assert len(gateway.requests) == 3


@pytest.mark.parametrize("is_first", [True, False], ids=["first", "renewed"])
async def test_a_token_function_that_hangs_ends_with_the_call(is_first):
    """A call has one timeout, whatever it waits for."""
    calls = 0

    async def token() -> str:
        nonlocal calls
        calls += 1
        if is_first or calls > 1:
            await asyncio.Event().wait()
        return "old"

    gateway = Gateway(busy(401))
    with pytest.raises(GatewayTimeout, match="no token came in time"):
        await gateway.caller(token=token).call(GET, READ, CallSettings(timeout=0.05))


async def test_the_error_of_a_token_function_is_the_callers():
    """The client does not disguise it."""

    def token() -> str:
        raise TimeoutError("vault")

    with pytest.raises(TimeoutError, match="vault"):
        await Gateway().caller(token=token).call(GET, READ, DEFAULT)


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        ({"headers": {"x-a": "a\r\nb: c"}}, DEFAULT),
        ({"headers": {"x a": "b"}}, DEFAULT),
        ({}, CallSettings(headers={"x-a": "€"})),
        ({"token": "a\nb"}, DEFAULT),
        ({}, CallSettings(idempotency_key="ü")),
        ({}, CallSettings(idempotency_key="a" * 256)),
    ],
)
async def test_what_no_header_can_have_is_refused_before_a_request(options, settings):
    """No line feed gets into a request, and no token into an error."""
    gateway = Gateway()

    with pytest.raises(ValueError, match=r"can't be|can have|has 1 to 255") as raised:
        await gateway.caller(**options).call(KEYED, READ, settings)

    assert gateway.requests == []
    assert "a\\nb" not in str(raised.value)


async def test_keys_and_letters_of_latin_are_sent_as_headers_have_them():
    """As clients in TypeScript send them."""
    gateway = Gateway(ok())

    settings = CallSettings(idempotency_key='a"b\\c', headers={"x-name": "Zoë"})
    await gateway.caller().call(KEYED, READ, settings)

    [sent] = gateway.requests
    assert sent.headers["idempotency-key"] == r'"a\"b\\c"'
    assert (b"x-name", b"Zo\xeb") in sent.headers.raw


def test_a_cookie_can_not_add_another():
    """A value with a semicolon would."""
    assert encoding.cookie_texts({"a": "b c", "d": None}) == {"a": "b c"}
    with pytest.raises(ValueError, match="cookie 'a' can't be"):
        encoding.cookie_texts({"a": "b; session=c"})


@pytest.mark.parametrize("value", ["", "..", "a/../b", "."])
def test_a_path_of_several_segments_stays_below_its_template(value):
    """An empty one would be another path."""
    with pytest.raises(ValueError, match="part of a path"):
        encoding.path_segments(value)


@pytest.mark.parametrize("value", ["%2e%2e", "..%2f", "a/../b", "ü\u2028", "a?b#c"])
def test_a_value_of_a_path_is_one_segment(value):
    """Whatever it has, it is encoded once."""
    sent = httpx.URL("http://gateway/a/" + encoding.path_segment(value))

    assert sent.raw_path.count(b"/") == 2
    assert sent.path == f"/a/{value}"


def test_nothing_in_a_list_is_not_sent():
    """`None` is no text."""
    assert encoding.query_pairs("a", [1, None, 2]) == [("a", "1"), ("a", "2")]
    assert encoding.joined(["x", None]) == "x"


@pytest.mark.parametrize(
    "headers",
    [{"cache_control": "No-Store"}, {"vary": "*"}, {"vary": "Accept, *"}],
    ids=str,
)
async def test_what_no_cache_may_reuse_is_not_stored(headers):
    """In any case of letters."""
    gateway = Gateway(*(ok(1, etag='W/"1"', **headers) for _ in range(2)))
    caller = gateway.caller(entity_tags=EntityTagStore())

    await caller.call(GET, READ, DEFAULT)
    await caller.call(GET, READ, DEFAULT)

    assert gateway.tags == [None, None]


async def test_viewers_of_one_client_have_their_own_answers():
    """Also if the gateway gives all of them the same entity tag."""
    viewer = "anna"
    gateway = Gateway(ok(1, etag='"1"'), ok(2, etag='"1"'), httpx.Response(304))
    caller = gateway.caller(entity_tags=EntityTagStore(), token=lambda: viewer)

    await caller.call(GET, READ, DEFAULT)
    viewer = "ben"
    assert (await caller.call(GET, READ, DEFAULT)).value == 2
    viewer = "anna"
    assert (await caller.call(GET, READ, DEFAULT)).value == 1


class Pipe(BytesIO):
    """A file that can be read once."""

    def seekable(self) -> bool:
        return False


def test_a_file_that_can_be_read_once_is_whole_in_each_attempt():
    """A second attempt never uploads what is left of it."""
    upload = UploadedFile(Pipe(b"picture"), "a.png")

    assert encoding.form_parts({"file": upload}) == (
        {},
        [("file", ("a.png", b"picture", "application/octet-stream"))],
    )


@pytest.mark.parametrize("end", [b"12", b'{"a":'])
async def test_a_stream_that_ends_within_a_line_is_broken(end):
    """Half a number is a number, too."""
    gateway = Gateway(lines(b"1\n", end))
    rows = async_streams.rows(gateway.caller(), LINES, READ[200], DEFAULT)

    assert await anext(rows) == 1
    with pytest.raises(StreamBroken, match="within a line"):
        await anext(rows)


async def test_a_page_is_no_stream():
    """A proxy's sign-in page is an unexpected reply, and its connection is closed."""
    page = lines(b"<html>\n", kind="text/html")
    rows = async_streams.rows(Gateway(page).caller(), LINES, READ[200], DEFAULT)

    with pytest.raises(UnexpectedReply, match="is no stream"):
        await anext(rows)
    assert page.is_closed


async def test_a_long_line_takes_time_in_proportion():
    """Pieces are put together once: 20 MB in small ones take no minutes."""
    text = json.dumps("x" * 20_000_000).encode() + b"\n"
    pieces = [text[at : at + 4096] for at in range(0, len(text), 4096)]
    rows = async_streams.rows(
        Gateway(lines(*pieces)).caller(), LINES, encoding.json_reader(str), DEFAULT
    )

    async with asyncio.timeout(20):
        assert len(await anext(rows)) == 20_000_000


@pytest.mark.parametrize(
    "pieces",
    [
        (b"\xef\xbb\xbfdata: a\n\n", b"event:x\rdata:b\r\rdata: cut"),
        (b"data: a\r", b"\n\r", b"\nevent: x\r", b"\ndata: b\n\n"),
        (b": c\nid: 1\0\ndata: a\n\nretry: 5\nevent: x\ndata:b\n\n",),
    ],
)
async def test_events_are_read_as_browsers_read_them(pieces):
    """Lines end with CR, LF or both; a byte order mark, and an id with a null are ignored."""
    gateway = Gateway(lines(*pieces, kind="text/event-stream"))
    found = async_streams.events(gateway.caller(), EVENTS, encoding.read_text, DEFAULT)

    found_events = [(one.type, one.data, one.id) async for one in found]

    assert found_events == [("message", "a", ""), ("x", "b", "")]
