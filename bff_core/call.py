"""`Call` and `Reply`, the immutable values that all layers pass on, and the `Handler` type.

A layer that changes one makes a copy: `msgspec.structs.replace(call, method="GET")`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Final, Literal, NamedTuple, Protocol

import msgspec
from msgspec.structs import replace

from bff_core.events.sinks import Span
from bff_core.reply_stream import ReplyStream
from bff_core.streamed_body import StreamedBody

Headers = tuple[tuple[bytes, bytes], ...]
"""Header fields in wire order; names in lower case, values without surrounding white space."""

Source = Literal["upstream", "cache", "stale"]


class Attempt(NamedTuple):
    """One attempt of a call: its endpoint, and the instant at which it began.

    `is_sent` is False if it ended before a byte of the request left this process. `is_excluded` is
    True if the endpoint would fail again.
    """

    endpoint: object
    instant: float
    is_sent: bool = True
    is_excluded: bool = False


Trail = list[Attempt]
"""The attempts of a call, in their order."""


class ServiceTraffic:
    """Counts what one request costs its services, in development.

    `calls` are its calls, also those that a cache answers. `fetched` are the bytes of all bodies
    that services sent for it: of each attempt, without content coding.
    """

    __slots__ = ("calls", "fetched")

    def __init__(self) -> None:
        self.calls = 0
        self.fetched = 0

    def add_body(self, body: "bytes | ReplyStream") -> None:
        """Count the body of a reply; that of a stream once it has ended."""
        if isinstance(body, bytes):
            self.fetched += len(body)
        else:
            body.on_end(lambda _: self._add(body.size))

    def _add(self, size: int) -> None:
        self.fetched += size


class ClientEndpoint:
    """The endpoint that a client belongs to, for its request's calls to one upstream.

    It is named by a hash: `wanted` is empty before a first call was answered. `added` are headers
    of the answer to the client. It `is_due` if the client's value is to be set anew, and settled
    once that was done.
    """

    __slots__ = ("added", "is_due", "is_settled", "wanted")

    def __init__(self, wanted: bytes, added: list[tuple[bytes, bytes]]) -> None:
        self.wanted = wanted
        self.added = added
        self.is_due = self.is_settled = False


class EndpointChoice:
    """What says which endpoint a call goes to; copies of the call share it.

    Calls with the same `key` go to the same endpoint, if it is not empty. `client` is None without
    affinity. `answered` is the hash of the endpoint that answered last, or empty.
    """

    __slots__ = ("answered", "client", "key")

    def __init__(self, key: bytes, client: ClientEndpoint | None) -> None:
        self.key = key
        self.client = client
        self.answered = b""


MAX_ERROR_BODY_BYTES: Final = 64 * 1024
"""The longest body of a streamed failure that is read for its problem details."""

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
IDEMPOTENT = SAFE | {"PUT", "DELETE"}


def find_header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    """Return the first value of the lower-case `name`, or None."""
    for key, value in headers:
        if key == name:
            return value
    return None


class SocketOffer(msgspec.Struct, frozen=True):
    """A web socket that a call opens: what it offers, and its limits.

    `max_message` is in bytes. A silent service is pinged every `ping` seconds, and counts as lost
    if it does not answer within as many.
    """

    subprotocols: tuple[str, ...] = ()
    max_message: int = 1024 * 1024
    ping: float | None = 20.0


class Call(msgspec.Struct, frozen=True):
    """A request to one upstream; the balancer chooses its endpoint.

    `target` is the encoded origin-form ("/users/7?fields=name"); `operation` is its template
    ("GET /users/{id}") and names the call in events and errors, so that ids stay out of them.
    `deadline` is an instant of the monotonic clock. `audience` names who may share the reply:
    None is everybody, any other value is one viewer (or tenant).
    `trail` lists the attempts so far. Copies of a call share it: a further attempt avoids the
    endpoints that were tried, and an error counts the attempts.
    `is_hedge` marks the copy of a call that is still under way: it is neither queued nor retried.
    `span` is that of the call, or of the attempt that sends it, if a sink traces. `tracestate` is
    sent with `traceparent`.
    `token` is the viewer's access token, for services that are called in the viewer's name.
    The reply to a call that `is_streamed` comes as soon as its head has arrived. `deadline` limits
    the wait for the head. A call that `is_forwarded` has the headers of a client; if its reply is
    streamed, the body has its content coding still. A call that `is_read` only reads, although its
    method is POST, as a GraphQL query does; no cache stores its reply.
    Four are for the cache: `cache` overrides the policy's for this call (True: no override, False:
    no caching, or a `Cache`). `tags` are those of the stored reply, `purges` those that a
    success of the call purges. `decode` decodes a reply for the caller: a reply that can't be
    decoded is not stored.
    `traffic` counts the bodies of its replies, in development. With `is_unconditional` the service
    sends a whole reply: no stored one is validated.
    Three are for forwarding: `host` is the Host that is sent, empty for that of the endpoint;
    `idle_timeout` is the longest silence of a streamed reply, None for the policy's; with a
    `head_timeout` the deadline of the head starts anew when the body was sent (seconds).
    `choice` is None unless the policy has affinity or balances by hash.
    With `web_socket` it opens a web socket: the body of a 101 is an `UpstreamSocket`, and any other
    reply refuses it. Such a call is streamed; it is neither redirected nor retried.
    """

    upstream: str
    method: str
    target: str
    operation: str
    deadline: float
    audience: str | None = None
    headers: Headers = ()
    body: bytes | StreamedBody = b""
    traceparent: str = ""
    trail: Trail = msgspec.field(default_factory=list)
    is_hedge: bool = False
    token: "ViewerToken | None" = None
    cache: object = True
    tags: tuple[str, ...] = ()
    purges: tuple[str, ...] = ()
    decode: "Decode | None" = None
    is_streamed: bool = False
    is_forwarded: bool = False
    span: Span | None = None
    is_read: bool = False
    tracestate: str = ""
    traffic: ServiceTraffic | None = None
    is_unconditional: bool = False
    host: str = ""
    idle_timeout: float | None = None
    head_timeout: float = 0.0
    choice: EndpointChoice | None = None
    web_socket: SocketOffer | None = None

    def __repr__(self) -> str:
        hidden = {"trail", "tracestate", "token", "cache", "decode", "span", "traffic", "choice"}
        return _shown(self, hidden=hidden)

    @property
    def awaits_body(self) -> bool:
        """Whether the next piece of a streamed request body has not arrived yet."""
        return isinstance(self.body, StreamedBody) and self.body.is_awaited

    @property
    def is_safe(self) -> bool:
        """Whether it only reads (RFC 9110, section 9.2.1)."""
        return self.method in SAFE or self.is_read

    @property
    def is_idempotent(self) -> bool:
        """Whether it may be sent again: by its method, or because it carries an Idempotency-Key."""
        return (
            self.method in IDEMPOTENT
            or self.is_read
            or find_header(self.headers, b"idempotency-key") is not None
        )

    @property
    def can_be_sent_again(self) -> bool:
        """Whether its body can be read for another attempt."""
        return isinstance(self.body, bytes) or self.body.can_be_opened

    def with_headers(self, fields: Headers) -> "Call":
        """Return a copy with additional header fields."""
        return replace(self, headers=self.headers + fields)

    def without_headers(self, names: AbstractSet[bytes]) -> "Call":
        """Return the call without these header fields; names are in lower case."""
        others = tuple(field for field in self.headers if field[0] not in names)
        return self if len(others) == len(self.headers) else replace(self, headers=others)

    def mark_unsent(self) -> None:
        """Note that the latest attempt ended before anything of the request was sent."""
        if self.trail:
            self.trail[-1] = self.trail[-1]._replace(is_sent=False)

    def exclude_endpoint(self) -> set[object]:
        """Note that the latest endpoint would fail again; return all excluded endpoints."""
        if self.trail:
            self.trail[-1] = self.trail[-1]._replace(is_excluded=True)
        return {attempt.endpoint for attempt in self.trail if attempt.is_excluded}

    @property
    def was_sent(self) -> bool:
        """Whether the service may have received it, by any of its attempts."""
        return any(attempt.is_sent for attempt in self.trail)

    def sent_since(self, instant: float) -> float:
        """Return when it was last sent, or `instant` if it was not sent since then."""
        return max(instant, self.trail[-1].instant) if self.trail else instant


NOT_DECODED: Final = object()
"""Placeholder for a value that is not decoded yet; None would be the JSON value null."""


class Reuse(msgspec.Struct, frozen=True):
    """How long a stored reply may be reused; instants of the monotonic clock.

    It is fresh until `fresh_until`. It may be served until `stale_until` while it is refreshed, and
    until `error_until` while its upstream fails. `tags` are those that purge it. `headers` replace
    the reply's own if it has fields that only the call which caused it may get.
    """

    fresh_until: float
    stale_until: float
    error_until: float
    tags: tuple[str, ...] = ()
    headers: Headers | None = None


class Reply(msgspec.Struct, frozen=True):
    """An answer of any status; a buffered one is complete, so waiters and a cache may share it.

    `body` has no content coding: bytes, or a stream that one reader reads and closes. `source` is
    the upstream, a cache, or a cache that served it stale; `age` is in seconds. `reuse` is None if
    no cache stores the reply. `decoded` holds values that the cache decoded before, by `Decode`:
    callers that share a reply may decode it as different types.
    """

    status: int
    headers: Headers = ()
    body: bytes | ReplyStream = b""
    source: Source = "upstream"
    age: float = 0.0
    reuse: Reuse | None = None
    decoded: Mapping[object, object] | None = None

    def __repr__(self) -> str:
        return _shown(self, hidden={"decoded"})

    @property
    def is_buffered(self) -> bool:
        """Whether the body is complete."""
        return isinstance(self.body, bytes)

    @property
    def content(self) -> bytes:
        """The body of a buffered reply; raise `TypeError` for a streamed one."""
        if isinstance(self.body, bytes):
            return self.body
        raise TypeError("the reply is streamed: iterate over it, or await `buffered(...)`")

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Iterate over the body: in one piece, or as it arrives (see `ReplyStream`)."""
        return _in_one_piece(self.body) if isinstance(self.body, bytes) else self.body

    async def buffered(self, most: int) -> "Reply":
        """Return the reply with its whole body, and close it; without one over `most` bytes."""
        if isinstance(self.body, bytes):
            return self
        body = bytearray()
        try:
            async for chunk in self.body:
                body += chunk
                if len(body) > most:
                    return replace(self, body=b"")
        finally:
            await self.body.aclose()
        return replace(self, body=bytes(body))

    async def aclose(self) -> None:
        """Close the body of a streamed reply; a buffered one needs no closing."""
        if not isinstance(self.body, bytes):
            await self.body.aclose()

    @property
    def shared(self) -> "Reply":
        """The reply without the header fields that only the call which caused it may get.

        These are cookies, and fields that the reply's Cache-Control names.
        """
        again = self.headers if self.reuse is None else self.reuse.headers or self.headers
        headers = tuple(field for field in again if field[0] != b"set-cookie")
        return self if len(headers) == len(self.headers) else replace(self, headers=headers)

    def header(self, name: str) -> str | None:
        """Return the first value of a header, or None; `name` is in lower case."""
        value = find_header(self.headers, name.encode())
        return None if value is None else value.decode("latin-1")


async def _in_one_piece(body: bytes) -> AsyncIterator[bytes]:
    if body:
        yield body


def _shown(value: msgspec.Struct, *, hidden: AbstractSet[str]) -> str:
    """Return the repr of a Struct without the fields that only layers read."""
    names = [name for name in value.__struct_fields__ if name not in hidden]
    fields = ", ".join([f"{name}={getattr(value, name)!r}" for name in names])
    return f"{type(value).__name__}({fields})"


class Decode(Protocol):
    """Decodes a reply into its caller's type; compared and hashed by identity."""

    @property
    def is_shareable(self) -> bool:
        """Whether values are immutable, so that requests may share one."""
        ...

    def value(self, reply: Reply, call: Call, /) -> object:
        """Return the value; raise `BadStatus` for a failure, `BadPayload` for what does not fit."""
        ...


class ViewerToken(Protocol):
    """The access token of one viewer, for services that are called in the viewer's name.

    Both methods raise `NotAuthenticated` if the viewer's session has ended, and another `BFFError`
    while tokens are unavailable.
    """

    async def current(self) -> str:
        """Return a token that has not expired."""
        ...

    async def renewed(self, refused: str, /) -> str | None:
        """Return another token in place of the refused one; None if there is no other."""
        ...


Handler = Callable[[Call], Awaitable[Reply]]
"""One upstream call: returns a reply of any status, or raises an `UpstreamError`."""

Layer = Callable[[Handler], Handler]
"""Wraps a handler: one step of what happens around a call."""
