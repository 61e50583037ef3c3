"""One call to a service and its reply: the two values that every layer passes on.

Layers change a copy: `msgspec.structs.replace(call, method="GET")`.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Final, Literal, NamedTuple, Protocol

import msgspec
from msgspec.structs import replace

from bff_core.streamed_body import StreamedBody

Headers = tuple[tuple[bytes, bytes], ...]
"""Header fields in wire order; names in lower case, values without surrounding white space."""

Source = Literal["upstream", "cache", "stale"]


class Attempt(NamedTuple):
    """One attempt of a call: the key of its endpoint, and the instant at which it began.

    `is_sent` is False where it ended before a byte of the request left this process, `is_barred`
    is True where the endpoint would fail again.
    """

    endpoint: object
    instant: float
    is_sent: bool = True
    is_barred: bool = False


Trail = list[Attempt]
"""The attempts of a call, in their order."""

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
IDEMPOTENT = SAFE | {"PUT", "DELETE"}


def find_header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    """Return the first value of the lower-case `name`, or None."""
    for key, value in headers:
        if key == name:
            return value
    return None


class Call(msgspec.Struct, frozen=True):
    """A request to one upstream, complete but for the endpoint that will take it.

    `target` is the encoded origin-form ("/users/7?fields=name"); `operation` is its template
    ("GET /users/{id}") and names the call in events and errors, so that ids stay out of them.
    `deadline` is an instant of the monotonic clock. `audience` names who may share the reply:
    None is everybody, any other value is one viewer (or tenant).
    `trail` is written where attempts are sent. Copies that a layer makes share it, so that a
    further attempt goes elsewhere and an error knows how many there were.
    A call that `is_hedge` repeats one that is under way: it is neither queued nor retried.
    `token` is the access token of the viewer, for services that are called with it.
    The last four are for the cache alone: `cache` overrides the policy's for this call (True: no
    override, False: no caching, or a `Cache`), `tags` are those of the stored reply, `purges` those
    that a success of the call purges, `decode` makes the caller's value of a reply, since a reply
    that does not decode is not stored.
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

    def __repr__(self) -> str:
        return _shown(self, hidden={"trail", "token", "cache", "decode"})

    @property
    def is_safe(self) -> bool:
        """Whether it only reads (RFC 9110, section 9.2.1)."""
        return self.method in SAFE

    @property
    def is_idempotent(self) -> bool:
        """Whether it may be sent again: by its method, or because it carries an Idempotency-Key."""
        return (
            self.method in IDEMPOTENT or find_header(self.headers, b"idempotency-key") is not None
        )

    @property
    def can_be_sent_again(self) -> bool:
        """Whether its body can be read for another attempt."""
        return isinstance(self.body, bytes) or self.body.can_be_opened

    def with_headers(self, fields: Headers) -> "Call":
        """Return a copy with further header fields."""
        return replace(self, headers=self.headers + fields)

    def mark_unsent(self) -> None:
        """Note that the latest attempt ended before anything of the request was sent."""
        if self.trail:
            self.trail[-1] = self.trail[-1]._replace(is_sent=False)

    def bar(self) -> set[object]:
        """Note that the latest endpoint would fail again; return all endpoints noted so."""
        if self.trail:
            self.trail[-1] = self.trail[-1]._replace(is_barred=True)
        return {attempt.endpoint for attempt in self.trail if attempt.is_barred}

    @property
    def was_sent(self) -> bool:
        """Whether the service may have received it, by any of its attempts."""
        return any(attempt.is_sent for attempt in self.trail)

    def sent_since(self, instant: float) -> float:
        """Return when it was last sent, or `instant` if it was not sent since then."""
        return max(instant, self.trail[-1].instant) if self.trail else instant


NOT_DECODED: Final = object()
"""Stands for a value that each caller decodes by itself; None would be the JSON value null."""


class Reuse(msgspec.Struct, frozen=True):
    """How long a stored reply may be used again; instants of the monotonic clock.

    It is fresh until the first, may be served while it is refreshed until the second, and while
    its upstream fails until the third. `tags` are those that purge it. `headers` are those of
    further answers, where the first one has fields that must not be used again.
    """

    fresh_until: float
    stale_until: float
    error_until: float
    tags: tuple[str, ...] = ()
    headers: Headers | None = None


class Reply(msgspec.Struct, frozen=True):
    """A complete answer of any status; immutable, so that waiters and a cache may share it.

    `body` is decoded of its content coding. `source` says whether it came from the upstream just
    now, from a cache, or from a cache past its freshness; `age` is in seconds. `reuse` is None
    where no cache stores it. `decoded` are the values that the cache has of it, by their `Decode`:
    callers that share a reply may read it as different types.
    """

    status: int
    headers: Headers = ()
    body: bytes = b""
    source: Source = "upstream"
    age: float = 0.0
    reuse: Reuse | None = None
    decoded: Mapping[object, object] | None = None

    def __repr__(self) -> str:
        return _shown(self, hidden={"decoded"})

    @property
    def shared(self) -> "Reply":
        """The reply without fields that are for the call alone that caused it."""
        again = None if self.reuse is None else self.reuse.headers
        return self if again is None else replace(self, headers=again)

    def header(self, name: str) -> str | None:
        """Return the first value of a header, or None; `name` is in lower case."""
        value = find_header(self.headers, name.encode())
        return None if value is None else value.decode("latin-1")


def _shown(value: msgspec.Struct, *, hidden: AbstractSet[str]) -> str:
    """Return the repr of a Struct without the fields that are for layers alone."""
    names = [name for name in value.__struct_fields__ if name not in hidden]
    fields = ", ".join([f"{name}={getattr(value, name)!r}" for name in names])
    return f"{type(value).__name__}({fields})"


class Decode(Protocol):
    """Decodes a reply into its caller's type; compared and hashed by identity."""

    @property
    def is_shareable(self) -> bool:
        """Whether requests may share one value, since it is immutable."""
        ...

    def value(self, reply: Reply, call: Call, /) -> object:
        """Return the value; raise `BadStatus` for a failure, `BadPayload` for what does not fit."""
        ...


class ViewerToken(Protocol):
    """The access token of one viewer, for services that are called in the viewer's name.

    Both raise `NotAuthenticated` where the viewer's session has ended, and another `BFFError` where
    tokens are unavailable just now.
    """

    async def current(self) -> str:
        """Return a token that has not expired."""
        ...

    async def renewed(self, refused: str, /) -> str | None:
        """Return one in place of a refused one; None where there is no other."""
        ...


Handler = Callable[[Call], Awaitable[Reply]]
"""One upstream call: returns a reply of any status, or raises an `UpstreamError`."""

Layer = Callable[[Handler], Handler]
"""Anything that happens around it."""
