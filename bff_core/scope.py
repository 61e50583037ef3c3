"""What one request carries downward: who asks, until when, under which trace, in which part."""

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Protocol, Self, runtime_checkable

from bff_core.call import Headers, Reply, find_header


@dataclass(slots=True, eq=False)
class Scope:
    """One request as the floors below the edge see it.

    `deadline` is an instant of the monotonic clock. `audience` names the viewer in keys; anonymous
    viewers share one. `viewer` is whatever the authenticator made: only `auth` and compositions
    look at it. `vary` collects the request headers that the answer depended on.
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
    vary: list[str] = field(default_factory=list)

    def header(self, name: str) -> str | None:
        """Return a request header (lower-case `name`) and note that the answer varies by it."""
        if name not in self.vary:
            self.vary.append(name)
        value = find_header(self.headers, name.encode())
        return None if value is None else value.decode("latin-1")


@runtime_checkable
class Wired(Protocol):
    """What a composition's field may be made of without being an input of the screen.

    A type with this class method is built from the request: a locale, a screen width.
    """

    @classmethod
    def from_scope(cls, scope: Scope, /) -> Self:
        """Build the value for one request."""
        ...


class RunningPart(Protocol):
    """The part of a composition that makes a call, as the upstream client sees it."""

    @property
    def deadline(self) -> float:
        """The instant by which the part ends."""
        ...

    def saw(self, reply: Reply, /) -> None:
        """Note a reply that the part's value is made of."""
        ...


running_part: ContextVar[RunningPart | None] = ContextVar("running_part", default=None)
"""The running part; set by the composition, read once where a call is made."""
