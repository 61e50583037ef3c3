"""What Python clients share: when calls are sent again, what is stored, how values are written."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from io import BytesIO

import httpx
import pytest

from bff_core.codegen.python_client.runtime import async_streams, encoding
from bff_core.codegen.python_client.runtime.answers import PartState, parts_of_header
from bff_core.codegen.python_client.runtime.encoding import PreparedRequest, UploadedFile
from bff_core.codegen.python_client.runtime.entity_tags import EntityTagStore, TaggedAnswer
from bff_core.codegen.python_client.runtime.errors import (
    GatewayProblem,
    GatewayUnreachable,
    StreamBroken,
    UnexpectedReply,
)
from bff_core.codegen.python_client.runtime.settings import (
    DEFAULT,
    Attempts,
    CallSettings,
    RetrySettings,
    retry_after_of,
)
from tests.codegen.python_client.scripted import (
    AT_ONCE,
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


@pytest.mark.parametrize("request_", [GET, KEYED], ids=["read", "keyed write"])
@pytest.mark.parametrize(
    "failure",
    [
        busy(429),
        busy(502),
        busy(503),
        busy(504),
        busy(409, **{"retry-after": "0"}),
        httpx.ConnectError("refused"),
        httpx.ReadError("reset"),
        httpx.RemoteProtocolError("closed"),
    ],
    ids=str,
)
async def test_a_passing_failure_is_sent_again(request_, failure):
    """Reads, and writes with a key."""
    gateway = Gateway(failure, ok())

    assert (await gateway.caller().call(request_, READ, DEFAULT)).value == 1

    keys = {one.headers.get("idempotency-key") for one in gateway.requests}
    assert len(keys) == 1
    assert (keys == {None}) == (request_ is GET)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 500, 501])
async def test_a_lasting_failure_is_not_sent_again(status):
    """The gateway would answer the same."""
    gateway = Gateway(busy(status))

    with pytest.raises(GatewayProblem) as raised:
        await gateway.caller().call(GET, READ, DEFAULT)

    assert raised.value.status == status


async def test_a_write_without_a_key_is_sent_once():
    """It could be done twice."""
    gateway = Gateway(busy())

    with pytest.raises(GatewayProblem):
        await gateway.caller().call(WRITE, READ, DEFAULT)

    broken = Gateway(httpx.ReadError("reset"))
    with pytest.raises(GatewayUnreachable):
        await broken.caller().call(WRITE, READ, DEFAULT)


async def test_a_wait_beyond_the_timeout_is_not_begun():
    """The problem comes at once, with the time to wait."""
    gateway = Gateway(busy(**{"retry-after": "60"}))

    with pytest.raises(GatewayProblem) as raised:
        await gateway.caller(timeout=5).call(GET, READ, DEFAULT)

    assert raised.value.retry_after == 60


async def test_an_error_does_not_have_the_query():
    """Errors are logged, and queries have what no log should have."""
    gateway = Gateway(httpx.ConnectError("refused"))
    request = PreparedRequest(method="POST", path="/a", query=[("email", "ada@shop.example")])

    with pytest.raises(GatewayUnreachable, match=r"^POST http://gateway/a can't be") as raised:
        await gateway.caller().call(request, READ, DEFAULT)

    assert "ada" not in str(raised.value)


async def test_a_redirect_is_not_followed():
    """The token would go where it leads."""
    gateway = Gateway(httpx.Response(302, headers={"location": "http://elsewhere/"}))

    with pytest.raises(UnexpectedReply, match="302"):
        await gateway.caller(token="secret").call(GET, READ, DEFAULT)


async def test_a_form_has_the_same_bytes_in_each_attempt_and_with_each_use_of_a_key():
    """The gateway recognises a repeated upload by them."""
    form = {"file": UploadedFile(BytesIO(b"\x00\xff"), 'a"b.png'), "note": "ü", "tags": ["a", "b"]}
    request = PreparedRequest(
        method="POST", path="/a", form=form, is_multipart=True, takes_key=True
    )
    gateway = Gateway(busy(), ok(), ok())
    caller = gateway.caller()

    settings = CallSettings(idempotency_key="0123456789")
    await caller.call(request, READ, settings)
    await caller.call(request, READ, settings)

    assert len(set(gateway.bodies)) == 1
    assert len({one.headers["content-type"] for one in gateway.requests}) == 1
    assert gateway.bodies[0].count(b'name="tags"') == 2


async def test_headers_of_a_call_come_last():
    """Those of the client are its defaults."""
    gateway = Gateway(ok())
    settings = CallSettings(headers={"accept-language": "de"})

    await gateway.caller(headers={"Accept-Language": "en", "X-App": "1"}).call(GET, READ, settings)

    [sent] = gateway.requests
    assert sent.headers.get_list("accept-language") == ["de"]
    assert sent.headers["x-app"] == "1"


async def test_an_api_key_has_its_header():
    """As the security scheme of the gateway says."""
    gateway = Gateway(ok())

    caller = gateway.caller(token="key", token_header="X-API-Key", token_prefix="")
    await caller.call(GET, READ, DEFAULT)

    assert gateway.requests[0].headers["x-api-key"] == "key"


async def test_other_headers_have_other_stored_answers():
    """An answer in German is none for a caller who wants English."""
    gateway = Gateway(ok(1, etag='"1"'), ok(2, etag='"2"'), httpx.Response(304))
    caller = gateway.caller(entity_tags=EntityTagStore())
    german = CallSettings(headers={"Accept-Language": "de"})

    await caller.call(GET, READ, german)
    await caller.call(GET, READ, DEFAULT)
    again = await caller.call(GET, READ, german)

    assert [one.headers.get("if-none-match") for one in gateway.requests] == [None, None, '"1"']
    assert (again.value, again.is_unchanged) == (1, True)


async def test_an_answer_that_no_cache_may_store_is_not_stored():
    """Even with an entity tag."""
    gateway = Gateway(*(ok(1, etag='"1"', cache_control="private, no-store") for _ in range(2)))
    caller = gateway.caller(entity_tags=EntityTagStore())

    await caller.call(GET, READ, DEFAULT)
    await caller.call(GET, READ, DEFAULT)

    assert "if-none-match" not in gateway.requests[1].headers


async def test_a_confirmed_answer_has_the_headers_of_both():
    """Those of the 304 are newer."""
    first = ok(1, etag='"1"', part_status="a=ok", x_old="1")
    gateway = Gateway(first, httpx.Response(304, headers={"part-status": "a=stale;age=9"}))
    caller = gateway.caller(entity_tags=EntityTagStore())

    await caller.call(GET, READ, DEFAULT)
    again = await caller.call(GET, READ, DEFAULT)

    assert again.parts == {"a": PartState("stale", age=9)}
    assert (again.headers["x-old"], again.headers["etag"]) == ("1", '"1"')


async def test_a_renewed_token_does_not_confirm_what_another_got():
    """The second attempt requests the whole answer, since its token has none."""
    tokens = iter(["old", "old", "new", "new"])
    gateway = Gateway(ok(1, etag='"1"'), busy(401), ok(2))
    caller = gateway.caller(entity_tags=EntityTagStore(), token=lambda: next(tokens))

    await caller.call(GET, READ, DEFAULT)
    second = await caller.call(GET, READ, DEFAULT)

    assert gateway.tags == [None, '"1"', None]
    assert (second.value, second.is_unchanged) == (2, False)


async def test_a_token_that_is_the_same_is_not_sent_again():
    """It would be refused again."""
    gateway = Gateway(busy(401))

    with pytest.raises(GatewayProblem):
        await gateway.caller(token=lambda: "same").call(GET, READ, DEFAULT)

    assert len(gateway.requests) == 1


def test_a_synchronous_call_ends_within_its_timeout(kiosk):
    """However slowly the body comes."""
    transport = httpx.MockTransport(lambda _request: httpx.Response(200, text="late"))
    with httpx.Client(transport=transport) as http:
        client = kiosk.KioskClient("http://gateway", http=http)

        with pytest.raises(kiosk.GatewayTimeout):
            client.get_text(settings=kiosk.CallSettings(timeout=0))


def test_values_of_a_path_stay_segments():
    """Only where the gateway declares it may a value have several."""
    assert encoding.path_segment("a/b c") == "a%2Fb%20c"
    assert encoding.path_segments("a/b c") == "a/b%20c"
    with pytest.raises(ValueError, match="segment"):
        encoding.path_segments("a/../b")


async def test_lines_are_split_at_line_feeds_only():
    """A piece may end in the middle of a letter, and a text may have other line separators."""
    text = json.dumps("ü\u2028\x85", ensure_ascii=False).encode()
    gateway = Gateway(lines(text[:2], text[2:] + b"\n\n", b'"b"\n'))

    read = encoding.json_reader(str)
    found = [one async for one in async_streams.rows(gateway.caller(), LINES, read, DEFAULT)]

    assert found == ["ü\u2028\x85", "b"]


async def test_a_progressive_answer_without_its_last_line_is_broken():
    """Some connection between cut it off."""
    gateway = Gateway(lines(b'{"part":"a","status":"ok"}\n'))
    progress = async_streams.progress(gateway.caller(), LINES, READ[200], DEFAULT)

    assert (await anext(progress)).part == "a"
    with pytest.raises(StreamBroken):
        await anext(progress)


async def test_the_problem_of_a_progressive_answer_is_raised():
    """With its status and code."""
    line = b'{"problem":{"status":504,"code":"timeout","title":"T"},"parts":{}}\n'
    gateway = Gateway(lines(line))

    with pytest.raises(GatewayProblem) as raised:
        await anext(async_streams.progress(gateway.caller(), LINES, READ[200], DEFAULT))

    assert (raised.value.status, raised.value.code) == (504, "timeout")


async def test_a_gateway_that_sends_json_instead_of_lines_is_understood():
    """A proxy may have dropped the header `Accept`."""
    gateway = Gateway(ok(7, part_status="a=stale;age=3"))

    progress = async_streams.progress(gateway.caller(), LINES, READ[200], DEFAULT)
    [line] = [one async for one in progress]

    assert line.answer.value == 7
    assert line.answer.parts == {"a": PartState("stale", age=3)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("120", 120),
        ("0", 0),
        ("Sun, 06 Nov 1994 08:49:47 GMT", 10),
        ("Sun, 06 Nov 1994 08:00:00 GMT", 0),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text, expected):
    """Of the past it is no wait (RFC 9110, section 10.2.3)."""
    moment = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)

    assert retry_after_of(text, lambda: moment) == expected


def test_waits_grow_and_are_random():
    """So that many clients do not come back at once."""
    retries = RetrySettings(first_delay=1, max_delay=3, random=lambda: 0.5)

    assert [retries.wait(number, None) for number in (1, 2, 3)] == [0.5, 1.0, 1.5]
    assert retries.wait(1, 10) == 10.5


def test_attempts_are_counted():
    """The last one is final."""
    attempts = Attempts(AT_ONCE, deadline=float("inf"), may_repeat=True)

    assert [attempts.wait_after(503, None) for _ in range(3)] == [0, 0, None]
    assert [attempts.renew_token(), attempts.renew_token()] == [True, False]


def test_the_store_drops_what_was_not_used_for_longest():
    """By number and by bytes."""
    store = EntityTagStore(max_answers=2, max_bytes=10)
    small = TaggedAnswer("1", {}, b"1234")
    store.put("a", small)
    store.put("b", small)
    store.get("a")
    store.put("c", small)

    assert [key for key in "abc" if store.get(key)] == ["a", "c"]
    store.put("d", TaggedAnswer("1", {}, b"1234567890"))
    assert [key for key in "acd" if store.get(key)] == ["d"]
    store.put("e", TaggedAnswer("1", {}, b"12345678901"))
    assert [key for key in "de" if store.get(key)] == ["d"]
    store.clear()
    assert store.get("d") is None


class Color(Enum):
    """A value of an enum."""

    RED = "red"


@pytest.mark.parametrize(
    ("value", "style", "explode", "expected"),
    [
        (None, "form", True, []),
        (True, "form", True, [("a", "true")]),
        (Color.RED, "form", True, [("a", "red")]),
        (Decimal("1.50"), "form", True, [("a", "1.50")]),
        (date(2026, 1, 2), "form", True, [("a", "2026-01-02")]),
        (datetime(2026, 1, 2, tzinfo=UTC), "form", True, [("a", "2026-01-02T00:00:00Z")]),
        (["x", 1], "form", True, [("a", "x"), ("a", "1")]),
        (["x", 1], "form", False, [("a", "x,1")]),
        ([], "form", False, []),
        (["x", 1], "spaceDelimited", False, [("a", "x 1")]),
        (["x", 1], "pipeDelimited", False, [("a", "x|1")]),
        ({"x": 1, "y": None}, "deepObject", True, [("a[x]", "1")]),
        ({"x": 1, "y": "b"}, "form", True, [("x", "1"), ("y", "b")]),
        ({"x": 1, "y": "b"}, "form", False, [("a", "x,1,y,b")]),
    ],
)
def test_query_parameters_have_their_style(value, style, explode, expected):
    """OpenAPI, style values."""
    assert encoding.query_pairs("a", value, style, explode=explode) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("a=ok", {"a": PartState("ok")}),
        (
            "a=ok, b-c=fallback;reason=timeout,d=stale; age=12",
            {
                "a": PartState("ok"),
                "b-c": PartState("fallback", "timeout"),
                "d": PartState("stale", age=12),
            },
        ),
        ("a=missing;reason=not_found;age=x", {"a": PartState("missing", "not_found")}),
    ],
)
def test_part_status_is_a_dictionary(text, expected):
    """RFC 9651."""
    assert parts_of_header(text) == expected
