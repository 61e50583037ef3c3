"""One call to a service and its reply: the two values that every layer passes on."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

Headers = tuple[tuple[bytes, bytes], ...]
"""Header fields in wire order; names in lower case, values without surrounding white space."""

Source = Literal["upstream", "cache", "stale"]

Trail = list[tuple[object, float]]
"""Where a call was sent, and when: the key of an endpoint and an instant, for each attempt."""

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
IDEMPOTENT = SAFE | {"PUT", "DELETE"}


def find_header(headers: Headers, name: bytes) -> bytes | None:
    """Return the first value of the lower-case `name`, or None."""
    for key, value in headers:
        if key == name:
            return value
    return None


@dataclass(frozen=True, slots=True)
class Call:
    """A request to one upstream, complete but for the endpoint that will take it.

    `target` is the encoded origin-form ("/users/7?fields=name"); `operation` is its template
    ("GET /users/{id}") and names the call in events and errors, so that ids stay out of them.
    `deadline` is an instant of the monotonic clock. `audience` names who may share the reply:
    None is everybody, any other value is one viewer (or tenant).
    `trail` is written where attempts are sent. Copies that a layer makes (`dataclasses.replace`)
    share it, so that a further attempt goes elsewhere and an error tells how many there were.
    A call that `is_hedge` repeats one that is under way: it is neither queued nor retried.
    """

    upstream: str
    method: str
    target: str
    operation: str
    deadline: float
    audience: str | None = None
    headers: Headers = ()
    body: bytes = b""
    traceparent: str = ""
    trail: Trail = field(default_factory=list, compare=False, repr=False)
    is_hedge: bool = False

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

    def sent_since(self, instant: float) -> float:
        """Return when it was last sent, or `instant` if it was not sent since then."""
        return max(instant, self.trail[-1][1]) if self.trail else instant


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete answer of any status; immutable, so that waiters and a cache may share it.

    `body` is decoded of its content coding. `source` says whether it came from the upstream just
    now, from a cache, or from a cache past its freshness; `age` is in seconds.
    """

    status: int
    headers: Headers = ()
    body: bytes = b""
    source: Source = "upstream"
    age: float = 0.0

    def header(self, name: str) -> str | None:
        """Return the first value of a header, or None; `name` is in lower case."""
        value = find_header(self.headers, name.encode())
        return None if value is None else value.decode("latin-1")


Handler = Callable[[Call], Awaitable[Reply]]
"""One upstream call: returns a reply of any status, or raises an `UpstreamError`."""

Layer = Callable[[Handler], Handler]
"""Anything that happens around it."""
