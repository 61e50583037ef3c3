"""Short ways to make calls and replies, and to store them."""

from collections.abc import Mapping

from bff_core.cache.entry import CacheEntry
from bff_core.cache.storing import NotStorable, admit
from bff_core.call import Call, Headers, Reply
from bff_core.policy.upstream.cache import Cache

NOW = 1000.0
"""The instant of requests and replies."""

WALL = 784111777.0
"""The time of day at that instant: Sun, 06 Nov 1994 08:49:37 GMT, as in RFC 9110."""

DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
MINUTE_LATER = "Sun, 06 Nov 1994 08:50:37 GMT"
HOUR_EARLIER = "Sun, 06 Nov 1994 07:49:37 GMT"

VIEWER = "4:acme:u-1"
TENANT = "tenant:acme"


def fields(headers: Mapping[str, str | list[str]] | None) -> Headers:
    """Return header fields; a list is that many lines."""
    return tuple(
        (name.lower().encode(), line.encode("latin-1"))
        for name, value in (headers or {}).items()
        for line in (value if isinstance(value, list) else [value])
    )


def call(
    target: str = "/products/7",
    *,
    method: str = "GET",
    audience: str | None = None,
    headers: Mapping[str, str | list[str]] | None = None,
    upstream: str = "catalog",
    tags: tuple[str, ...] = (),
    purges: tuple[str, ...] = (),
    body: bytes = b"",
) -> Call:
    """Return a call for everybody, or for an audience."""
    return Call(
        upstream,
        method,
        target,
        f"{method} /products/{{id}}",
        NOW + 10,
        audience,
        ((b"accept", b"application/json"), *fields(headers)),
        body,
        tags=tags,
        purges=purges,
    )


def reply(
    headers: Mapping[str, str | list[str]] | str | None = None,
    status: int = 200,
    body: bytes = b'{"id": 7}',
) -> Reply:
    """Return a reply; text alone is its Cache-Control."""
    given = {"cache-control": headers} if isinstance(headers, str) else headers
    return Reply(status, ((b"content-type", b"application/json"), *fields(given)), body)


def admitted(
    answer: Reply, asker: Call | None = None, options: Cache | None = None, delay: float = 0.0
) -> CacheEntry | NotStorable:
    """Decide about a reply that came now, `delay` seconds after its request."""
    return admit(
        asker or call(), answer, options or Cache(), sent_at=NOW - delay, now=NOW, wall=WALL
    )


def entry_of(answer: Reply, asker: Call | None = None, options: Cache | None = None) -> CacheEntry:
    """Return the entry of a reply that is to be stored."""
    entry = admitted(answer, asker, options)
    assert isinstance(entry, CacheEntry), entry
    return entry
