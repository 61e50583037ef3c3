"""Answers are compressed for clients that ask, where it is worth it."""

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
    """Weights decide; among equals we do."""
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
    """The client gets the same bytes after decoding, fewer of them on the way, and is told."""
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
    """A client that names no coding gets none."""
    answer, raw = await fetch(edged, sending(LARGE), "identity")

    assert "content-encoding" not in answer.headers
    assert raw == LARGE
