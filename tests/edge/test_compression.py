"""Compression: answers are compressed for clients that accept it, if that pays."""

import zlib

import brotli
import httpx
import pytest
import zstandard

from bff_core.edge.compression import choose

LARGE = b'{"text": "' + b"word " * 1000 + b'"}'


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        (b"gzip", b"gzip"),
        (b"gzip, br", b"br"),
        (b"gzip, deflate, br, zstd", b"zstd"),
        (b"br;q=0.5, gzip;q=0.8", b"gzip"),
        (b"*", b"zstd"),
        (b"*, zstd;q=0", b"br"),
        (b"identity", None),
        (b"identity;q=1, gzip;q=0.5", None),
        (b"gzip;q=0", None),
        (b"deflate", None),
        (b"gzip;q=much", None),
        (b"", None),
    ],
)
def test_coding_is_what_the_client_likes_best(accepted, coding):
    """Weights decide; among equal weights the gateway's order does."""
    assert choose(accepted) == coding


def sending(body, *, content_type=b"application/json", extra=(), more=()):
    async def app(_scope, _receive, send):
        headers = [(b"content-type", content_type), (b"content-length", b"%d" % len(body)), *extra]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": bool(more)})
        for piece in more:
            await send({"type": "http.response.body", "body": piece})

    return app


async def fetch(edged, app, accepted):
    transport = httpx.ASGITransport(edged(app).app)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        headers = {"accept-encoding": accepted}
        async with client.stream("GET", "/", headers=headers) as answer:
            raw = b"".join([piece async for piece in answer.aiter_raw()])
    return answer, raw


@pytest.mark.parametrize(
    ("coding", "decode"),
    [
        ("gzip", lambda data: zlib.decompress(data, wbits=31)),
        ("br", brotli.decompress),
        ("zstd", zstandard.decompress),
    ],
)
async def test_large_answer_is_compressed(edged, coding, decode):
    """The client gets the same bytes after decoding, and fewer of them on the way."""
    answer, raw = await fetch(edged, sending(LARGE), coding)

    assert answer.headers["content-encoding"] == coding
    assert answer.headers["content-length"] == str(len(raw))
    assert "accept-encoding" in answer.headers["vary"].lower()
    assert len(raw) < len(LARGE) / 10
    assert decode(raw) == LARGE


@pytest.mark.parametrize(
    "app",
    [
        sending(b'{"small": true}'),
        sending(LARGE, content_type=b"image/png"),
        sending(LARGE, extra=[(b"content-encoding", b"br")]),
        sending(LARGE, extra=[(b"cache-control", b"no-transform")]),
        sending(b"a" * 2000, content_type=b"application/x-ndjson", more=[]),
    ],
    ids=["small", "image", "coded", "no-transform", "stream"],
)
async def test_answer_that_does_not_gain_is_left_alone(edged, app):
    """Small, packed and streamed answers pass as they are."""
    answer, raw = await fetch(edged, app, "gzip")

    assert answer.headers.get("content-encoding") in {None, "br"}
    assert answer.headers["content-length"] == str(len(raw))


async def test_answer_without_wish_is_left_alone(edged):
    """A client without Accept-Encoding gets the plain answer."""
    answer, raw = await fetch(edged, sending(LARGE), "identity")

    assert "content-encoding" not in answer.headers
    assert raw == LARGE


TAGGED = [(b"etag", b'"abc"')]


async def ask(edged, app, method="GET", **headers):
    transport = httpx.ASGITransport(edged(app).app)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        headers_sent = {"accept-encoding": "identity"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        return await client.request(method, "/", headers=headers_sent)


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
async def test_compressed_bytes_have_a_tag_of_their_own(edged, coding):
    """A strong tag belongs to one sequence of bytes; each can be revalidated."""
    app = sending(LARGE, extra=TAGGED)
    plain = await ask(edged, app)
    packed = await ask(edged, app, accept_encoding=coding)
    known = await ask(edged, app, accept_encoding=coding, if_none_match=packed.headers["etag"])
    other = await ask(edged, app, accept_encoding=coding, if_none_match=plain.headers["etag"])

    assert plain.headers["etag"] == '"abc"'
    assert packed.headers["etag"] == f'"abc-{coding}"'
    assert (known.status_code, known.content) == (304, b"")
    assert known.headers["etag"] == packed.headers["etag"]
    assert known.headers["vary"] == packed.headers["vary"]
    assert "content-encoding" not in known.headers
    assert other.status_code == 200


async def test_weak_tag_stands_for_all_codings(edged):
    """A weak tag only promises equivalent content."""
    app = sending(LARGE, extra=[(b"etag", b'W/"abc"')])
    packed = await ask(edged, app, accept_encoding="gzip")
    known = await ask(edged, app, accept_encoding="br", if_none_match='W/"abc"')

    assert packed.headers["etag"] == 'W/"abc"'
    assert known.status_code == 304


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ('"abc"', 304),
        ('W/"abc"', 304),
        ('"x", W/"abc" , "y"', 304),
        ("*", 304),
        ('"ab"', 200),
        ("abc", 200),
        ('"x,abc"', 200),
        ("", 200),
    ],
)
async def test_condition_is_compared_weakly(edged, wanted, status):
    """For GET and HEAD, as in RFC 9110, section 13.1.2."""
    for method in ("GET", "HEAD"):
        answer = await ask(edged, sending(b"{}", extra=TAGGED), method, if_none_match=wanted)

        assert answer.status_code == status


async def test_condition_of_a_write_is_not_ours(edged):
    """Only GET and HEAD get a 304."""
    answer = await ask(edged, sending(b"{}", extra=TAGGED), "POST", if_none_match="*")

    assert answer.status_code == 200


async def test_answer_in_pieces_is_left_out_as_well(edged):
    """An answer that middleware sends in chunks can still be a 304."""
    app = sending(b'{"a":', extra=TAGGED, more=[b"1", b"}"])
    answer = await ask(edged, app, accept_encoding="gzip", if_none_match='"abc"')

    assert (answer.status_code, answer.content) == (304, b"")


async def test_head_has_the_tag_of_the_bytes_that_get_would_send(edged):
    """It has the coding, but no length, which is unknown."""

    async def app(_scope, _receive, send):
        headers = [(b"content-type", b"application/json"), (b"content-length", b"5000"), *TAGGED]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    head = await ask(edged, app, "HEAD", accept_encoding="gzip")
    known = await ask(edged, app, "HEAD", accept_encoding="gzip", if_none_match='"abc-gzip"')

    assert head.headers["etag"] == '"abc-gzip"'
    assert head.headers["content-encoding"] == "gzip"
    assert "content-length" not in head.headers
    assert known.status_code == 304
