"""A reply that does not fit is described: what it is, and where it came from."""

import gzip
import json
import logging
import zlib

import pytest

from bff_core import BadPayload, BadStatus, Upstream, Views, gateway
from bff_core.call import Call, Reply
from bff_core.testing import running
from bff_core.testing.scripted import Scripted, reply
from bff_core.upstream.decoding import decoding
from tests.observe.failing_gateway import logged, settings
from tests.shop_with_view_cache import by_script

CALL = Call("shop", "GET", "/x?token=s3cr3t", "GET /x", 0.0)
MISFIT = "the reply does not fit dict[str, int]"
HTML = b"<!DOCTYPE html><html><body>Sign in</body></html>"


def message(body, media="application/json", status=200, model=dict[str, int], **headers):
    """Return what the error of a reply says."""
    fields = {"content-type": media, **headers} if media else headers
    pairs = tuple((k.encode(), v.encode()) for k, v in fields.items())
    with pytest.raises((BadPayload, BadStatus)) as raised:
        decoding(model).value(Reply(status, pairs, body), CALL)
    return str(raised.value).removeprefix("shop: GET /x: ")


@pytest.mark.parametrize(
    ("body", "media", "expected"),
    [
        (HTML, "text/html; charset=utf-8", "the reply is HTML (text/html), not JSON"),
        (b"  <html><p>x", "application/json", "the reply is HTML (application/json), not JSON"),
        (b"<div>x</div>", "", "the reply is HTML, not JSON"),
        (b"<?xml version='1.0'?><a/>", "text/xml", "the reply is XML (text/xml), not JSON"),
        (
            gzip.compress(b'{"a": 1}', mtime=0),
            "application/json",
            "the reply is gzip, which Content-Encoding does not declare, not JSON",
        ),
        (
            zlib.compress(b'{"a": 1}'),
            "application/json",
            "the reply is deflate, which Content-Encoding does not declare, not JSON",
        ),
        (b"\xff\xfe{\x00", "application/json", "the reply is UTF-16, or begins with"),
        (b"{\x00", "application/json", "the reply is UTF-16 or UTF-32, not JSON"),
        (b"\x89PNG\r\n", "image/png", "the reply is a PNG image, not JSON"),
        (b"upstream connect error", "text/plain", "the reply is text/plain, not JSON"),
        (b"oops", "", "the reply does not fit dict[str, int]: JSON is malformed"),
        (
            b'{"a": }',
            "application/json",
            "the reply does not fit dict[str, int]: JSON is malformed",
        ),
        (
            b'{"a": "x"}',
            "text/plain",
            "the reply does not fit dict[str, int]: Expected `int`, got `str`",
        ),
        (b"\xef\xbb\xbfoops", "application/json", "the reply begins with a byte order mark"),
    ],
)
def test_a_reply_that_is_not_json_is_described(body, media, expected):
    """With its status, its media type and its size, and nothing of its content."""
    shown = message(body, media)

    assert shown.startswith(expected)
    assert f"status 200, Content-Type {media.partition(';')[0] or 'missing'}, " in shown
    assert shown.endswith(f"{len(body)} bytes)")


@pytest.mark.parametrize("status", [200, 204])
def test_an_empty_reply_says_that_it_is_empty(status):
    """Not that input was truncated."""
    shown = message(b"", status=status)

    assert shown == f"the reply is empty (status {status}), and dict[str, int] is expected"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_says_where_it_leads(status):
    """Without the query and the user name, which may be secrets."""
    shown = message(b"", status=status, location="https://me:pw@id.example/login?token=s3cr3t#x")

    assert shown.startswith(f"answered {status}, a redirect to 'https://id.example/login'; Policy(")


def test_a_status_without_a_redirect_is_said_as_ever():
    """A Location elsewhere is no redirect."""
    assert message(b"", status=500, location="/x") == "answered 500"
    assert message(b"", status=304) == "answered 304"


def test_a_media_type_can_not_forge_a_line():
    """What is no media type is not quoted."""
    assert "Content-Type missing" in message(b"oops", "text/\x1b[31m evil")


class Shop(Upstream):
    """A service behind something that answers in its place."""

    async def item(self) -> dict[str, int]:
        """Read something."""
        return await self.get("/item", dict[str, int])


async def line_of(level, *steps):
    """Send a request whose service answers so; return the line of the request."""
    views = Views()
    held = {}

    @views.get("/item")
    async def item() -> dict[str, int]:
        return await held["app"].services[Shop].item()

    with logged(level) as (log, events):
        app = held["app"] = gateway(
            "shop",
            services=[Shop],
            faces=[views],
            settings=settings(upstreams={"shop": "http://127.0.0.1:1"}),
            events=events,
            transport=by_script({"shop": Scripted(*steps)}),
        )
        async with running(app) as client:
            await client.get("/item")
    (line,) = log.of("request.answered")
    return line


PAYLOAD = json.dumps({"password": "hunter2", "name": "x" * 300}).encode()


async def test_a_refused_payload_is_shown_at_debug_and_redacted():
    """Its first 200 bytes, with the values of what is named like a secret masked."""
    line = await line_of(logging.DEBUG, reply(200, PAYLOAD))

    assert line["sample"].startswith('{"password": ***, "name": "xxx')
    assert len(line["sample"]) < 200
    assert "hunter2" not in json.dumps(line)


async def test_a_refused_payload_is_not_shown_at_info():
    """What a service said of people is no business of the log."""
    line = await line_of(logging.INFO, reply(200, json.loads(PAYLOAD)))

    assert "sample" not in line
    assert "Content-Type application/json" in line["error"]


async def test_a_login_page_in_place_of_json_is_logged_in_one_line():
    """The most common of them: the session at a proxy has ended."""
    line = await line_of(logging.INFO, reply(200, HTML, headers={"content-type": "text/html"}))

    assert line["status"] == 502
    assert line["upstream"] == "shop"
    assert line["error"].startswith(
        "BadPayload: shop: GET /item: the reply is HTML (text/html), not JSON (status 200"
    )
