"""Whatever a service sends, cut and damaged at random: the right reply, or one of our errors."""

import asyncio
import contextlib
import itertools
import time

import httptools
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bff_core.call import Reply
from bff_core.errors import UpstreamError
from bff_core.policy.connection import Connection
from bff_core.upstream.transport.failures import Violation
from bff_core.upstream.transport.framing import Response
from bff_core.upstream.transport.wire import LlhttpParser

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
VALID = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\nX-One: 1\r\n\r\nhello world",
    CHUNKED + b"5\r\nhello\r\n6;a=b\r\n world\r\n0\r\n\r\n",
    CHUNKED + b"4\r\n\r\n\r\n\r\n0\r\nX-Last: 1\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 204 No Content\r\nServer: x\r\n\r\n",
    b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 4\r\n\r\n\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
)
WORDS = (
    b"\r\n",
    b"\n",
    b"\0",
    b"0",
    b"9",
    b"Content-Length: 3\r\n",
    b"HTTP/1.1 200 OK\r\n\r\n",
    b":",
)


def read(*parts):
    """Feed the parts of a response to a fresh reader; tell all that it found."""
    response = Response(LlhttpParser, Connection(), is_head=False)
    for part in parts:
        assert not response.is_complete
        response.feed(part)
    return (
        response.status,
        response.headers,
        response.coding,
        b"".join(response.pieces),
        response.is_complete,
        response.is_reusable,
    )


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(VALID), st.data())
def test_any_segmentation_reads_the_same(response, data):
    """However TCP cuts a response, the same reply comes out, and the same verdict on reuse."""
    inner = st.integers(1, len(response) - 1)
    cuts = sorted(data.draw(st.sets(inner, max_size=12)))
    edges = [0, *cuts, len(response)]

    assert read(*(response[a:b] for a, b in itertools.pairwise(edges))) == read(response)


@pytest.mark.parametrize("response", VALID)
def test_a_byte_at_a_time_reads_the_same(response):
    """The finest cut there is."""
    assert read(*(response[at : at + 1] for at in range(len(response)))) == read(response)


@st.composite
def damaged(draw):
    """Damage a valid response here and there: replace, drop, repeat, insert."""
    response = bytearray(draw(st.sampled_from(VALID)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(response) - 1)) if response else 0
        match draw(st.sampled_from(("replace", "drop", "repeat", "insert"))):
            case "replace":
                response[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
            case "drop":
                del response[at : at + draw(st.integers(1, 6))]
            case "repeat":
                response[at:at] = response[at : at + draw(st.integers(1, 12))]
            case _:
                response[at:at] = draw(st.sampled_from(WORDS))
    return bytes(response)


@settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(damaged(), st.booleans())
async def test_damage_ends_in_time_and_harms_nobody_else(kit, response, stays_open):
    """A damaged response is a reply or our error, by the deadline, and the next is untouched."""

    async def script(peer):
        request = b""
        while stays_open or b"/damaged" not in request:
            request = await peer.request()
            await peer.send(response if b"/damaged" in request else kit.http(b"next"))

    async with kit.Service(script) as service, kit.wired(service, max_connections=1) as pool:
        started = time.monotonic()
        call = kit.calling("POST", "/damaged", within=0.05)
        (outcome,) = await asyncio.gather(pool.send(call), return_exceptions=True)
        took = time.monotonic() - started
        following = await pool.send(kit.calling())
        active = pool.load.active

    assert isinstance(outcome, Reply | UpstreamError)
    assert took < 0.5
    assert (following.status, following.body, active) == (200, b"next", 0)


@settings(max_examples=150, deadline=None)
@given(damaged())
def test_no_damage_makes_a_short_body_whole(response):
    """A complete reply with a length has exactly that many bytes, whatever was damaged."""
    reader = Response(LlhttpParser, Connection(), is_head=False)
    with contextlib.suppress(Violation):
        reader.feed(response)
    lengths = [int(value) for name, value in reader.headers if name == b"content-length"]
    has_length = reader.is_complete and lengths and reader.status not in {204, 304}

    assert not has_length or sum(map(len, reader.pieces)) == lengths[0]


def test_the_parser_is_as_strict_as_it_was():
    """What is left to the parser is still refused by the version that is installed."""
    for head in (
        b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
        b"A: 1\nB: 2\n\n",
        b"A: 1\r\n folded\r\n\r\n",
    ):
        parser = httptools.HttpResponseParser(object())
        with pytest.raises(httptools.HttpParserError):
            parser.feed_data(b"HTTP/1.1 200 OK\r\n" + head)
