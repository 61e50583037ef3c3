"""The interface of a concern of the edge, which users can implement, too."""

from collections.abc import Awaitable
from typing import Final, Protocol, runtime_checkable

from starlette.responses import Response

from bff_core.http_exchange.request_context import RequestContext

Checked = Response | Awaitable[Response | None] | None
"""None to continue, a response that answers the request, or a coroutine that returns either."""

HTTP_ONLY: Final = frozenset({"http"})
"""The `kinds` of a concern that does not apply to web sockets."""

ALL_KINDS: Final = frozenset({"http", "websocket"})


class Concern(Protocol):
    """One check of every request, in front of the routes.

    `check` is a plain or an async method. It returns None to let the request continue, returns a
    response to answer it, or raises an error, which becomes problem details. It decides itself
    where it applies: by `context.route`, the path, the viewer. A class attribute `kinds` with
    `{"http"}` leaves web sockets out. A concern with a method `finish` is a `FinishingConcern`.
    """

    def check(self, context: RequestContext, /) -> Checked:
        """Check one request before it reaches its route."""
        ...


@runtime_checkable
class FinishingConcern(Concern, Protocol):
    """A concern that is called again at the end of each request that it checked.

    `finish` is a plain or an async method. It runs after the answer was sent, or after an error or
    a disconnect of the client has ended the request. `response` is an answer of the edge itself,
    such as problem details; after an error it is sent next. It is None if the application answered.
    An async `finish` has five seconds.
    """

    def finish(
        self, context: RequestContext, response: Response | None, /
    ) -> Awaitable[None] | None:
        """Clean up what `check` has set up."""
        ...


def kinds_of(concern: Concern) -> frozenset[str]:
    """Return the kinds of ASGI connections that a concern applies to."""
    return frozenset(getattr(concern, "kinds", ALL_KINDS))
