"""`Scope`: the viewer, deadline and trace of one request, for all layers below the edge."""

import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol, Self, runtime_checkable

from bff_core.answer_cacheability import AnswerCacheability
from bff_core.call import Call, Headers, Reply, ServiceTraffic, ViewerToken, find_header
from bff_core.events.sinks import Span
from bff_core.reply_stream import ReplyStream

EndedCall = tuple[str, str, str | int, str, float, str]
"""Upstream, operation, outcome (a status or an error code), source, seconds, name of the part."""

NO_CACHE: Headers = ((b"cache-control", b"no-cache"),)
"""Of reads that bypass caches and are not coalesced: a call that began earlier is too old."""

MAX_AGE_0: Headers = ((b"cache-control", b"max-age=0"),)
"""Of reads that bypass caches; equal ones are still one call."""

WEBSOCKET: Final = "WEBSOCKET"
"""The `method` of the handshake of a web socket."""

Outcome = Literal["", "final", "unknown", "read"]
"""The outcome of a request as a handler declares it; empty leaves it to the status."""


@dataclass(slots=True, eq=False)
class StepTry:
    """One try of a saga's step, compensation or check.

    `unsafe_calls` collects the calls that may change something. `needs_keys` is the name of a step
    without a check: its POST and PATCH must have a key. A try that `is_check` reads strictly, and
    its scope bypasses caches (`Scope.cache_control`).
    """

    unsafe_calls: list[Call] = field(default_factory=list)
    needs_keys: str = ""
    is_check: bool = False


@dataclass(slots=True, eq=False)
class Scope:
    """One request, as the layers below the edge know it.

    `deadline` is an instant of the monotonic clock. `method` is "WEBSOCKET" for the handshake of a
    WebSocket. `audience` identifies the viewer in cache keys; all anonymous viewers have the same
    one. `tenant` is the viewer's tenant, or empty. `viewer` is the authenticator's result, which
    only `auth` and compositions read. `token` is the viewer's access token, if there is one. `vary`
    collects the request headers that the answer depends on.

    `tracestate` is the client's, if its trace continues.

    `idempotency_key` is the client's key, bound to gateway, viewer and route, or empty; the keys
    for services derive from it. `outcome` overrides the status of the answer if a handler knows
    better whether a repeated request gets the same answer: "final" (done or failed for good),
    "unknown" (something may have happened) or "read" (nothing was changed). `writes` counts the
    calls that got a key, by what the key derives from; `calls` counts all calls to services.
    `step` is the try of a saga's step that makes the calls. `query_cost` is the cost of the GraphQL
    query.

    `dependencies` records what the answer depends on, if the view cache may store it. `added` are
    headers for any answer to the request, such as a cookie; they are never cached. `is_guarded` is
    whether callers can sign in: routes then require a signed-in viewer unless they say otherwise.
    `login` is the address where a viewer with a session signs in again; `wall` is the clock for the
    time of the sign-in. `locations` are this gateway's paths for what a write made, by header;
    empty if several writes differ. `fields` maps header names to values once the edge has read
    them; use `field` to read one. `streams` are the bodies of streamed replies: those that are
    still open are closed when the request ends. `span` is the request's, if a sink traces.
    `forwarded_failure` is for the log: a failure of a service whose reply is forwarded.
    `credential_fields` are the headers from which the authenticator read: they are not forwarded.
    `propagated` are the names of the headers that calls to services get from the request.
    `root_fields` are the labels of the root fields of a GraphQL operation ("query home") by their
    response keys, if a sink counts or traces; `failed_fields` are the labels of those that failed.
    `shown_fields` are their names with those of their arguments ("product(id)").
    `observed` is what a sink that counts has noted about the request; `ended_calls` are the calls
    of a request that is counted, until it ends. `client` is the address of its client, once it is
    answered.

    `cache_control` is added to each read of a service, so that it bypasses caches and gets a whole
    reply; the view cache is then only written. `traffic` counts the calls and what services sent,
    in development.

    `recheck` checks the credentials of a web socket again, which may outlive them: it raises
    `NotAuthenticated` once they are not valid any more. None if the authenticator can't tell.
    """

    deadline: float
    method: str = "GET"
    path: str = "/"
    headers: Headers = ()
    query: bytes = b""
    audience: str = "anonymous"
    viewer: object = None
    request_id: str = ""
    traceparent: str = ""
    tracestate: str = ""
    tenant: str = ""
    vary: list[str] = field(default_factory=list)
    idempotency_key: str = ""
    outcome: Outcome = ""
    writes: dict[tuple[str, ...], int] | None = None
    calls: int = 0
    step: StepTry | None = None
    query_cost: int = 0
    dependencies: AnswerCacheability | None = None
    token: ViewerToken | None = None
    added: list[tuple[bytes, bytes]] = field(default_factory=list)
    is_guarded: bool = False
    login: str = ""
    locations: dict[bytes, bytes] | None = None
    wall: Callable[[], float] = time.time
    fields: Mapping[bytes, bytes] | None = None
    streams: list[ReplyStream] | None = None
    span: Span | None = None
    forwarded_failure: Exception | None = None
    credential_fields: frozenset[bytes] = frozenset()
    propagated: tuple[str, ...] = ()
    root_fields: Mapping[str, str] | None = None
    failed_fields: Sequence[str] = ()
    shown_fields: Sequence[str] = ()
    observed: object = None
    ended_calls: list[EndedCall] | None = None
    client: tuple[str, int] | None = None
    cache_control: Headers = ()
    traffic: ServiceTraffic | None = None
    recheck: Callable[[], Awaitable[object]] | None = None

    def own_stream(self, stream: ReplyStream) -> None:
        """Close the body of a reply when the request ends, unless its reader has done so.

        One that is opened later, by a task that outlives the request, is that task's to close.
        """
        if self.streams is None:
            self.streams = []
        self.streams = [one for one in self.streams if not one.is_over]
        self.streams.append(stream)

    async def close_streams(self) -> None:
        """Close the bodies of replies that are still open."""
        streams, self.streams = self.streams, None
        for stream in streams or ():
            await stream.aclose()

    def locate(self, name: bytes, path: str) -> None:
        """Set a header with the path of a write's result; empty it if several writes differ."""
        if self.locations is None:
            self.locations = {}
        value = path.encode()
        self.locations[name] = value if self.locations.get(name, value) == value else b""

    def header(self, name: str) -> str | None:
        """Return a request header (lower-case `name`) and note that the answer varies by it.

        Several lines of one header are joined by commas.
        """
        if name not in self.vary:
            self.vary.append(name)
        value = self.field(name.encode())
        return None if value is None else value.decode("latin-1")

    def field(self, name: bytes) -> bytes | None:
        """Return a request header (lower-case `name`) that the answer does not vary by."""
        fields = self.fields
        return find_header(self.headers, name) if fields is None else fields.get(name)


@runtime_checkable
class Wired(Protocol):
    """A type whose values are built from the request, such as a locale or a screen width.

    Fields of such a type are not inputs of their composition.
    """

    @classmethod
    def from_scope(cls, scope: Scope, /) -> Self:
        """Build the value for one request."""
        ...


class RunningPart(Protocol):
    """The part of a composition that makes a call, as far as upstream clients know it."""

    @property
    def name(self) -> str:
        """The name of the part."""
        ...

    @property
    def deadline(self) -> float:
        """The instant by which the part ends."""
        ...

    @property
    def span(self) -> Span | None:
        """The span of the part, where a sink traces."""
        ...

    def note_reply(self, reply: Reply, /) -> None:
        """Note that the part used this reply."""
        ...

    def mark_partial(self, reason: str, /) -> None:
        """Note that something is missing in a reply that the part used, and why, as a code."""
        ...


running_part: ContextVar[RunningPart | None] = ContextVar("running_part", default=None)
"""The running part; the composition sets it, and upstream clients read it for each call."""


current_request: ContextVar[Scope | None] = ContextVar("current_request", default=None)
"""The request that the running code belongs to; log lines have its ids."""


writing: ContextVar[str] = ContextVar("writing", default="")
"""The name of the running write, if a request makes several; part of derived keys."""


@contextmanager
def writing_as(name: str) -> Iterator[None]:
    """Name the write that makes the calls in this block, such as a step or an item of a batch.

    Their derived keys depend on that name, and not on other writes of the request. Names nest.
    """
    outer = writing.get()
    token = writing.set(f"{outer}/{name}" if outer else name)
    try:
        yield
    finally:
        writing.reset(token)
