"""The lists towards services, member by member: fields, statuses and methods."""

import asyncio
import zlib

import brotli
import pytest
import zstandard

from bff_core.call import Call, Reply
from bff_core.errors import BadStatus
from bff_core.policy.edge.idempotency import is_final_answer
from bff_core.policy.upstream.cache import Cache
from bff_core.policy.upstream.connection import Connection
from bff_core.policy.upstream.retry import Retry
from bff_core.testing.layer_runtime import LayerRuntime
from bff_core.testing.scripted import Scripted, reply
from bff_core.upstream.decoding import decoding
from bff_core.upstream.layers.retry import RetryLayer
from bff_core.upstream.transport.content_coding import decoders
from bff_core.upstream.transport.failures import Undecodable
from bff_core.upstream.transport.hop_by_hop import end_to_end, without_coding
from bff_core.upstream.transport.interface import Endpoint
from bff_core.upstream.transport.request_writer import RequestWriter, UnsafeRequest
from tests.upstream.cached_upstream import CachedUpstream, product

HOP_BY_HOP = [
    "connection", "keep-alive", "proxy-authenticate", "proxy-authentication-info",
    "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
]  # fmt: skip
OURS = [
    "content-length", "expect", "host", "request-timeout", "traceparent",
]  # fmt: skip
STATUSES = range(200, 600)
ENDPOINT = Endpoint("http", "shop", 80, "10.0.0.1", "")


def calling(method: str = "GET", **changed) -> Call:
    """Return a call."""
    return Call("shop", method, "/things", f"{method} /things", 1.0, **changed)


def rendered(call: Call) -> bytes:
    """Return the bytes of a request."""
    return RequestWriter(ENDPOINT, Connection()).render(call, 1.0)


@pytest.mark.parametrize("name", HOP_BY_HOP)
def test_this_field_of_a_reply_is_not_passed_on(name):
    """It is about one connection (RFC 9110, section 7.6.1)."""
    fields = ((name.encode(), b"x"), (b"etag", b'"a"'), (b"x-private", b"1"))

    assert end_to_end(fields) == fields[1:]
    assert end_to_end(fields, named=(b"x-private",)) == ((b"etag", b'"a"'),)


@pytest.mark.parametrize("name", [*HOP_BY_HOP, *OURS])
def test_a_call_can_not_set_this_field(name):
    """It follows from the call itself, in any spelling."""
    for spelling in (name, name.upper(), name.title()):
        with pytest.raises(UnsafeRequest):
            rendered(calling(headers=((spelling.encode(), b"1"),)))


@pytest.mark.parametrize(
    "name",
    ["accept", "accept-encoding", "authorization", "cookie", "content-type", "user-agent", "x-a"],
)
def test_a_call_can_set_this_field(name):
    """It is the author's."""
    assert b"\r\n%b: 1\r\n" % name.encode() in rendered(calling(headers=((name.encode(), b"1"),)))


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_request_of_this_method_has_a_length_without_a_body(method):
    """Servers wait for one, or refuse (RFC 9110, section 8.6)."""
    assert b"\r\ncontent-length: 0\r\n" in rendered(calling(method))


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS", "TRACE"])
def test_a_request_of_this_method_has_a_length_with_a_body_only(method):
    """A length of nothing would say that there is something to read."""
    assert b"content-length" not in rendered(calling(method))
    assert b"\r\ncontent-length: 1\r\n" in rendered(calling(method, body=b"x"))


@pytest.mark.parametrize("name", ["content-encoding", "content-length"])
def test_a_decoded_body_does_not_have_this_field(name):
    """The field described the encoded body."""
    assert without_coding(((name.encode(), b"x"), (b"etag", b'"a"'))) == ((b"etag", b'"a"'),)


@pytest.mark.parametrize(
    ("coding", "encode"),
    [
        ("gzip", lambda data: zlib.compress(data, wbits=31)),
        ("x-gzip", lambda data: zlib.compress(data, wbits=31)),
        ("deflate", zlib.compress),
        ("br", brotli.compress),
        ("zstd", zstandard.compress),
    ],
)
def test_this_coding_is_decoded(coding, encode):
    """Whole, and to the end."""
    (one,) = decoders(coding.encode())

    assert b"".join(one.decode(encode(b"words " * 100))) == b"words " * 100
    assert one.is_complete


@pytest.mark.parametrize("coding", ["compress", "identity2", "", "gzip, rot13", "*"])
def test_this_coding_is_unknown(coding):
    """What can't be read is refused, not passed on as if it were plain."""
    with pytest.raises(Undecodable):
        decoders(coding.encode())


PASSED_THROUGH = {402, 404, 409, 410, 412, 422, 423}


@pytest.mark.parametrize("status", [one for one in STATUSES if one >= 300])
def test_a_failing_status_is_passed_through_or_translated(status):
    """The client's own faults, and whether to come again; all else is a 502."""
    answer = Reply(status, ((b"content-type", b"application/problem+json"),), b'{"detail": "why"}')

    with pytest.raises(BadStatus) as caught:
        decoding(int).value(answer, calling())

    wanted = {429: 503}.get(status, status if status in PASSED_THROUGH | {503, 504} else 502)
    assert caught.value.status == wanted
    assert caught.value.detail == ("why" if status in PASSED_THROUGH else "")


@pytest.mark.parametrize("status", STATUSES)
def test_a_status_settles_a_keyed_request_or_leaves_it_open(status):
    """An answer whose outcome may change is not stored under its key."""
    is_final = status < 400 or status in {402, 404, 409, 410, 422}

    assert is_final_answer(status) is is_final
    assert is_final_answer(status, has_retry_after=True) is (status < 400)


async def attempts(status: int, method: str = "GET", **headers: str) -> int:
    """Return how often a call is sent that is answered with a status."""
    bench, upstream = LayerRuntime(), Scripted(reply(status, headers=headers))
    await RetryLayer(Retry(attempts=2), bench.runtime, upstream)(bench.call(method=method))
    return len(upstream.calls)


@pytest.mark.virtual_time
@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_read_that_is_answered_so_is_sent_again(status):
    """The next instance may be well."""
    assert await attempts(status) == 2


@pytest.mark.virtual_time
async def test_a_429_is_sent_again_when_it_says_when():
    """And not otherwise: it would add to what is too much."""
    assert await attempts(429) == 1
    assert await attempts(429, **{"retry-after": "1"}) == 2


@pytest.mark.virtual_time
@pytest.mark.parametrize(
    "status", [200, 204, 301, 304, 400, 401, 403, 404, 408, 409, 425, 501, 505]
)
async def test_a_read_that_is_answered_otherwise_is_not_sent_again(status):
    """It would be answered the same."""
    assert await attempts(status) == 1


@pytest.mark.virtual_time
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"])
async def test_this_method_is_sent_again(method):
    """Twice is as good as once (RFC 9110, section 9.2.2)."""
    assert await attempts(503, method) == 2


@pytest.mark.virtual_time
@pytest.mark.parametrize("method", ["POST", "PATCH", "QUERY"])
async def test_this_method_is_not_sent_again(method):
    """The write may have been executed."""
    assert await attempts(503, method) == 1


WITH_STALE = Cache(ttl=10, error=3600)


@pytest.mark.virtual_time
@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_the_last_good_reply_is_served_for_this_status(status):
    """It is marked as stale (RFC 5861, section 4)."""
    cached = CachedUpstream(product(), reply(status), cache=WITH_STALE)
    first = await cached.get()
    await asyncio.sleep(11)

    second = await cached.get()

    assert (second.source, second.body) == ("stale", first.body)
    assert cached.calls_sent == 2


@pytest.mark.virtual_time
@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 410, 425, 429, 501, 505])
async def test_this_status_is_an_answer_and_is_not_replaced(status):
    """The service has answered the request."""
    cached = CachedUpstream(product(), reply(status), cache=WITH_STALE)
    await cached.get()
    await asyncio.sleep(11)

    assert (await cached.get()).status == status


@pytest.mark.virtual_time
@pytest.mark.parametrize(
    ("status", "is_there_still"),
    [(408, True), (425, True), (429, True), (500, True), (503, True), (400, False), (403, False)],
)
async def test_a_stored_entry_survives_temporary_failures_only(status, is_there_still):
    """A refusal is about the resource; a request to wait is not."""
    cached = CachedUpstream(
        product(etag='"1"', cache_control="max-age=10, stale-if-error=60"),
        reply(status),
        reply(304, headers={"cache-control": "max-age=10"}),
        product(8),
    )
    first = await cached.get()
    await asyncio.sleep(11)
    await cached.get()

    last = await cached.get()

    assert (last.body == first.body) is is_there_still
