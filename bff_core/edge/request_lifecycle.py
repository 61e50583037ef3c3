"""Outermost but for the probes: opens each request's exchange and tells when it was answered."""

from collections.abc import Callable
from math import inf

from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.auth.refusal_reasons import reason_of
from bff_core.auth.viewer import ANONYMOUS
from bff_core.clock import Clock
from bff_core.edge.request_id import Bits, request_id
from bff_core.edge.trace import child_of, trace_id
from bff_core.errors import PartFailed, UpstreamError
from bff_core.events import Events, RequestAnswered
from bff_core.exchange.context import CUT, EXCHANGE, SCOPE, RequestContext
from bff_core.exchange.response_headers import ResponseHeaders
from bff_core.scope import Scope, current_request

CLIENT_LEFT = 499
"""What the event says when nobody waited for the answer; nginx's number for it."""


RETURNED = "no exception: the route or a middleware returned this response"
"""What the event says of a 5xx that nothing was raised for."""

MAX_PATH_LENGTH = 500
"""Characters of a path that the event has."""

Template = Callable[[ASGIScope], str]
"""Finds the template of the route that a request is for; empty where there is none."""


class RequestLifecycle:
    """Gives a request its id, its trace and its `Scope`, and the answer its head."""

    __slots__ = ("_app", "_bits", "_clock", "_events", "_head", "_template")

    def __init__(
        self,
        app: ASGIApp,
        *,
        head: ResponseHeaders,
        events: Events,
        clock: Clock,
        bits: Bits,
        template: Template,
    ) -> None:
        self._app = app
        self._template = template
        self._head = head
        self._events = events
        self._clock = clock
        self._bits = bits

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Open the exchange, pass on, and tell the event however it ends."""
        exchange, outer = self._open(scope, send), current_request.get()
        current_request.set(exchange.scope)
        try:
            await self._app(scope, receive, exchange.send)
        finally:
            if self._events.sinks:
                self._tell(scope, exchange)
            current_request.set(outer)
            exchange.close()

    def _open(self, scope: ASGIScope, send: Send) -> RequestContext:
        now = self._clock()
        headers = tuple(scope["headers"])
        fields = dict(headers)
        seen = Scope(
            inf,
            scope.get("method", "WEBSOCKET"),
            scope["path"],
            headers,
            scope["query_string"],
            ANONYMOUS.audience,
            ANONYMOUS,
            request_id(fields.get(b"x-request-id"), self._bits),
            child_of(fields.get(b"traceparent"), self._bits),
        )
        scope[SCOPE] = seen
        exchange = scope[EXCHANGE] = RequestContext(seen, fields, now, self._head, send)
        return exchange

    def _tell(self, scope: ASGIScope, exchange: RequestContext) -> None:
        seen = exchange.scope
        status = exchange.status or scope.get(CUT, CLIENT_LEFT)
        reason = reason_of(exchange.error)
        self._events.emit(
            RequestAnswered(
                method=seen.method,
                # A request that was refused before the router saw it has a route all the same.
                route=route_template(scope) or self._template(scope),
                status=status,
                duration=self._clock() - exchange.started_at,
                request_id=seen.request_id,
                trace_id=trace_id(seen.traceparent),
                path=seen.path[:MAX_PATH_LENGTH] if status >= 400 else "",
                error=_error_of(exchange, scope),
                reason=reason,
                refused_by=getattr(exchange.error, "refused_by", "") if reason else "",
            )
        )


def _error_of(exchange: RequestContext, scope: ASGIScope) -> BaseException | str | None:
    """Return what made an answer a failure; None where it is none, or where that is reported.

    A 4xx has one where a service answered it; any other is said by its status and path.
    """
    if exchange.is_reported or CUT in scope:
        return None
    if exchange.is_partial:
        return exchange.error
    if exchange.status >= 500:
        return exchange.error or RETURNED
    return exchange.error if _is_of_service(exchange.error) else None


def _is_of_service(error: BaseException | None) -> bool:
    """Whether a service refused a call; the status alone would not say whose refusal it is."""
    while isinstance(error, PartFailed):
        error = error.cause
    return isinstance(error, UpstreamError)


def route_template(scope: ASGIScope) -> str:
    """Return the template of the route that the router chose, empty when it chose none.

    FastAPI keeps the whole template of an included route beside the route itself, whose own
    lacks the prefix.
    """
    context = scope.get("fastapi", {}).get("effective_route_context")
    route = context or scope.get("route")
    template = getattr(route, "path_format", None) or getattr(route, "path", "")
    if not isinstance(template, str):
        return ""
    # A mount has taken its own path off, and its routes know the rest alone.
    mounted: str | None = scope.get("app_root_path")
    return template if mounted is None else scope["root_path"].removeprefix(mounted) + template
