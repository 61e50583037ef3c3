"""The scope of one request: its viewer, deadline and trace, for all floors below the edge."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal, Protocol, Self, runtime_checkable

from bff_core.answer_cacheability import AnswerCacheability
from bff_core.call import Call, Headers, Reply, ViewerToken, find_header

Outcome = Literal["", "final", "unknown", "read"]
"""The outcome of a request as a handler declares it; empty leaves it to the status."""


@dataclass(slots=True, eq=False)
class StepTry:
    """One try of a saga's step, of its compensation, or of a check, for the calls within.

    `unsafe_calls` collects the calls that may change something. `needs_keys` names the step where
    its POST and PATCH must carry a key, since it has no check. Reads of an `is_check` bypass all
    caches.
    """

    unsafe_calls: list[Call] = field(default_factory=list)
    needs_keys: str = ""
    is_check: bool = False


@dataclass(slots=True, eq=False)
class Scope:
    """One request, as the floors below the edge know it.

    `deadline` is an instant of the monotonic clock. `method` is "WEBSOCKET" for the handshake of
    one. `audience` names the viewer in keys; anonymous viewers share one. `tenant` is the
    viewer's, empty for none. `viewer` is the authenticator's result: only `auth` and compositions
    read it; `token` is that viewer's access token, where there is one. `vary` collects the request
    headers that the answer depended on.

    `idempotency_key` is what the keys for services derive from: the client's key, bound to gateway,
    viewer and route; empty where the request has none. `outcome` overrides the status of the answer
    where a handler knows better whether the same key may get it again: "final" (all is settled,
    even if badly), "unknown" (something may have happened) or "read" (nothing was changed).
    `writes` counts the calls that were given a key, by what it was derived from, `calls` all calls
    to services that were made for the request. `step` is the try of a saga's step that makes the
    calls, if one does. `query_cost` is the cost of a GraphQL query that is
    executed. `dependencies` records what the answer depends on, where a view cache may store it.
    `added` are headers of any answer that the request gets, such as a cookie; they are never
    cached. Where callers can sign in it `is_guarded`: routes then require a signed-in viewer unless
    they say otherwise. `login` is the address where a viewer with a session signs in again; `wall`
    is the clock that the times of its sign-in are compared with. `locations` are the paths of this
    gateway for what the reply to a write names, by header; empty where several writes differ.
    `fields` maps each header name to its value, where the edge has read the headers; read them by
    `field`.
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
    tenant: str = ""
    vary: list[str] = field(default_factory=list)
    idempotency_key: str = ""
    outcome: Outcome = ""
    writes: dict[tuple[str, ...], int] | None = None
    calls: int = 0
    step: "StepTry | None" = None
    query_cost: int = 0
    dependencies: AnswerCacheability | None = None
    token: ViewerToken | None = None
    added: list[tuple[bytes, bytes]] = field(default_factory=list)
    is_guarded: bool = False
    login: str = ""
    locations: dict[bytes, bytes] | None = None
    wall: Callable[[], float] = time.time
    fields: Mapping[bytes, bytes] | None = None

    def locate(self, name: bytes, path: str) -> None:
        """Set a header that locates a write's result; several writes that differ set none."""
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
        """Return a request header (lower-case `name`), for what no answer varies by."""
        fields = self.fields
        return find_header(self.headers, name) if fields is None else fields.get(name)


@runtime_checkable
class Wired(Protocol):
    """A type that a composition's field may have without being an input of the screen.

    A type with this class method is built from the request: a locale, a screen width.
    """

    @classmethod
    def from_scope(cls, scope: Scope, /) -> Self:
        """Build the value for one request."""
        ...


class RunningPart(Protocol):
    """The part of a composition that makes a call, as the upstream client sees it."""

    @property
    def name(self) -> str:
        """The name of the part."""
        ...

    @property
    def deadline(self) -> float:
        """The instant by which the part ends."""
        ...

    def note_reply(self, reply: Reply, /) -> None:
        """Note a reply that the part's value is made of."""
        ...

    def reduce(self) -> None:
        """Note that something was left out of what the part's value is made of."""
        ...


running_part: ContextVar[RunningPart | None] = ContextVar("running_part", default=None)
"""The running part; set by the composition, read once where a call is made."""


current_request: ContextVar[Scope | None] = ContextVar("current_request", default=None)
"""The request that the running code belongs to; log lines take its ids from here."""


writing: ContextVar[str] = ContextVar("writing", default="")
"""The name of the write under way, where one request makes several; part of derived keys."""


@contextmanager
def writing_as(name: str) -> Iterator[None]:
    """Name the write whose calls are made within: a step, an item of a batch.

    Their keys then depend on that name, and no longer on what else the request does meanwhile.
    Names nest.
    """
    outer = writing.get()
    token = writing.set(f"{outer}/{name}" if outer else name)
    try:
        yield
    finally:
        writing.reset(token)
