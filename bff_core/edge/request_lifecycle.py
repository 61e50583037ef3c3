"""The lifecycle of a request: opens its context, runs the concerns, answers errors, reports."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from math import inf
from typing import Final

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.auth.refusal_reasons import reason_of
from bff_core.auth.viewer import ANONYMOUS
from bff_core.clock import Clock
from bff_core.edge.concern import ALL_KINDS, Concern, FinishingConcern, kinds_of
from bff_core.edge.error_responses import ErrorResponses
from bff_core.edge.request_id import Bits, request_id
from bff_core.edge.route_template import route_template
from bff_core.edge.trace import child_of, offered_trace, sampled, state_of, trace_id
from bff_core.edge.viewer_hash import ViewerHash
from bff_core.errors import PartFailed, UpstreamError
from bff_core.events import Events, RequestAnswered, RequestStarted
from bff_core.events.sinks import running_span
from bff_core.http_exchange.request_context import CUT, EXCHANGE, SCOPE, RequestContext, Template
from bff_core.http_exchange.response_headers import ResponseHeaders
from bff_core.routing.route_table import ROUTE, RouteEntry, RouteMatch
from bff_core.scope import WEBSOCKET, Scope, current_request

CLIENT_LEFT = 499
"""The status in the event if the client disconnects before the answer, as in nginx."""

RETURNED = "no exception: the route or a middleware returned this response"
"""The error in the event of a 5xx without an exception."""

MAX_FINISH_SECONDS: Final = 5.0
"""Seconds that a concern may take to finish: the deadline of the request may have passed."""

MAX_PATH_LENGTH = 500
"""Characters of the path in the event."""

MAX_HEADER_LENGTH = 200
"""Characters of each header in the event."""

POLICY_VIOLATION = 1008
INTERNAL_ERROR = 1011
"""Close codes of web sockets (RFC 6455, section 7.4.1)."""


class RequestLifecycle:
    """Runs the concerns of a request in their order, and then the application.

    One coroutine runs them all. The first concern that returns a response answers the request;
    errors become problem details. Then each concern that checked the request finishes it, in
    reverse order, and one event reports the result.
    """

    __slots__ = (
        "_app",
        "_bits",
        "_clock",
        "_concerns",
        "_errors",
        "_events",
        "_finishing",
        "_head",
        "_log_headers",
        "_template",
        "_viewer_hash",
    )

    def __init__(
        self,
        app: ASGIApp,
        concerns: Sequence[Concern],
        *,
        head: ResponseHeaders,
        events: Events,
        clock: Clock,
        bits: Bits,
        template: Template,
        log_headers: Sequence[str] = (),
        viewer_hash: ViewerHash | None = None,
    ) -> None:
        self._viewer_hash = viewer_hash or ViewerHash()
        self._app = app
        self._log_headers = {name: name.encode("ascii") for name in log_headers}
        self._head = head
        self._events = events
        self._errors = ErrorResponses(events)
        self._clock = clock
        self._bits = bits
        self._template = template
        self._concerns = {
            kind: [one for one in concerns if kind in kinds_of(one)] for kind in ALL_KINDS
        }
        self._finishing = {
            kind: [
                (place, one)
                for place, one in enumerate(chosen, start=1)
                if isinstance(one, FinishingConcern)
            ][::-1]
            for kind, chosen in self._concerns.items()
        }

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Open the context, run the concerns and the application, and report the result."""
        context, outer = self._open(scope, receive, send), current_request.get()
        current_request.set(context.scope)
        kind, checked = scope["type"], 0
        response: Response | None = None
        error: BaseException | None = None
        try:
            try:
                for concern in self._concerns[kind]:
                    checked += 1
                    found = concern.check(context)
                    if found is not None:
                        response = found if isinstance(found, Response) else await found
                        if response is not None:
                            break
                if response is None:
                    await self._app(scope, context.receive, context.send)
                else:
                    await _send(response, context, context.send)
            except BaseException as raised:  # noqa: BLE001 - `_end` answers it or raises it
                error = raised
            await self._end(context, checked, response, error)
        finally:
            error = None  # its traceback refers to this frame
            if context.scope.streams is not None:
                await context.scope.close_streams()
            scope[EXCHANGE] = context  # a gateway below a mount has put its own there
            if self._events.sinks:
                self._report(scope, context)
            current_request.set(outer)
            if self._events.is_traced:  # of a gateway around this one, if it is mounted
                running_span.set(None if outer is None else outer.span)
            context.close()

    async def _end(
        self,
        context: RequestContext,
        checked: int,
        response: Response | None,
        error: BaseException | None,
    ) -> None:
        """Let the concerns finish; answer an error, or raise it if it can't be answered."""
        failure: BaseException | None = None
        try:
            if context.end_deadline is not None:
                error = context.end_deadline(error)
            if error is not None:
                response = self._errors.response_to(error, context)
            for place, concern in self._finishing[context.asgi["type"]]:
                failure = await _finish(concern, context, response) if place <= checked else None
                if failure is not None:
                    error, response = failure, self._errors.response_to(failure, context)
            if error is None:
                return
            if response is not None:
                await _send(response, context, context.write)
            elif self._errors.is_raised(error, context):
                raise error
        finally:
            error = failure = None  # tracebacks refer to this frame

    def _open(self, scope: ASGIScope, receive: Receive, send: Send) -> RequestContext:
        now = self._clock()
        headers = tuple(scope["headers"])
        request = Scope(
            inf,
            scope.get("method", WEBSOCKET),
            scope["path"],
            headers,
            scope["query_string"],
            ANONYMOUS.audience,
            ANONYMOUS,
        )
        context = RequestContext(
            scope,
            request,
            now,
            head=self._head,
            template=self._template,
            receive=receive,
            send=send,
        )
        request.request_id = request_id(context.fields.get(b"x-request-id"), self._bits)
        offered, state = context.fields.get(b"traceparent"), context.fields.get(b"tracestate")
        if len(headers) != len(context.fields):
            offered, state = offered_trace(headers)
        request.traceparent = child_of(offered, self._bits)
        if state is not None:
            request.tracestate = state_of(request.traceparent, offered, state)
        scope[SCOPE], scope[EXCHANGE] = request, context
        if self._events.is_counted:
            request.ended_calls = []
        if self._events.is_traced:
            self._sample(context, request, offered)
        return context

    def _sample(self, context: RequestContext, request: Scope, offered: bytes | None) -> None:
        """Decide whether the trace is sampled; start the span of the request if a sink wants it."""
        request.traceparent, request.span = sampled(self._events, request.traceparent, offered)
        running_span.set(request.span)
        if request.span is not None:
            context.state[CountedSend] = sent = CountedSend(context.server_send)
            context.server_send = sent
            self._events.emit(RequestStarted(request.method, request.request_id, span=request.span))

    def _report(self, scope: ASGIScope, context: RequestContext) -> None:
        request, error = context.scope, context.error
        request.client = scope.get("client")
        status = context.status or scope.get(CUT, CLIENT_LEFT)
        route, owner, route_id = _route_of(scope, context)
        reason = "" if error is None else reason_of(error)
        is_well = error is None and status < 500 and request.forwarded_failure is None
        self._events.emit(
            RequestAnswered(
                method=request.method,
                route=route,
                status=status,
                duration=self._clock() - context.started_at,
                request_id=request.request_id,
                trace_id=trace_id(request.traceparent),
                path=request.path[:MAX_PATH_LENGTH] if status >= 400 else "",
                error=None if is_well else _error_of(context, scope),
                reason=reason,
                refused_by=getattr(error, "refused_by", "") if reason else "",
                size=0 if request.span is None else _size_of(context),
                is_truncated=context.is_http and context.status > 0 and not context.is_complete,
                span=request.span,
                headers=_logged(self._log_headers, context) if self._log_headers else None,
                owner=owner,
                route_id=route_id,
                viewer=self._viewer_hash(request.audience),
                scheme=scope.get("scheme", ""),
            )
        )


def _logged(names: Mapping[str, bytes], context: RequestContext) -> Mapping[str, str] | None:
    """Return the headers of a request that are logged; None if it has none of them."""
    found = {
        name: value[:MAX_HEADER_LENGTH].decode("latin-1")
        for name, field in names.items()
        if (value := context.fields.get(field))
    }
    return found or None


def _route_of(scope: ASGIScope, context: RequestContext) -> tuple[str, str, str]:
    """Return the template of a request's route, the team that owns it, and its id if it is proxied.

    They are empty where there is none.
    """
    route = scope.get("route")
    if isinstance(route, RouteEntry) and "app_root_path" not in scope:  # served by the fast path
        return route.path, route.owner, "" if route.matching is None else route.matching.name
    match: RouteMatch | None = scope.get(ROUTE)
    entry = None if match is None else match.entry
    # A request that was refused before the router ran has a route as well.
    template = route_template(scope) or context.route
    if entry is None:
        return template, "", ""
    return template, entry.owner, "" if entry.matching is None else entry.matching.name


def _size_of(context: RequestContext) -> int:
    sent = context.state.get(CountedSend)
    return sent.size if isinstance(sent, CountedSend) else 0


class CountedSend:
    """Sends the messages of an answer, and counts the bytes of its body, for sinks that trace."""

    __slots__ = ("_send", "size")

    def __init__(self, send: Send) -> None:
        self._send = send
        self.size = 0

    def __call__(self, message: Message) -> Awaitable[None]:
        """Send a message."""
        if message["type"] == "http.response.body":
            self.size += len(message.get("body", b""))
        return self._send(message)


async def _finish(
    concern: FinishingConcern, context: RequestContext, response: Response | None
) -> BaseException | None:
    """Let one concern finish; return what it raises, so that the others finish as well."""
    try:
        finishing = concern.finish(context, response)
        if finishing is not None:
            async with asyncio.timeout(MAX_FINISH_SECONDS):
                await finishing
    except BaseException as raised:  # noqa: BLE001 - the caller raises it
        return raised
    return None


async def _send(response: Response, context: RequestContext, send: Send) -> None:
    """Send the edge's own response, or close a web socket whose server can't send one."""
    scope = context.asgi
    if not (context.is_http or "websocket.http.response" in scope.get("extensions", ())):
        code = POLICY_VIOLATION if response.status_code < 500 else INTERNAL_ERROR
        await send({"type": "websocket.close", "code": code})
        return
    await response(scope, context.receive, send)


def _error_of(context: RequestContext, scope: ASGIScope) -> BaseException | str | None:
    """Return the error for the log line of a request; None if there is none, or it was reported.

    A 4xx has an error only if it comes from a service; status and path explain any other 4xx.
    """
    if context.is_reported or CUT in scope:
        return None
    if context.is_partial:
        return context.error
    error = context.error or context.scope.forwarded_failure
    if context.status >= 500:
        return error or RETURNED
    return error if _is_of_service(error) else None


def _is_of_service(error: BaseException | None) -> bool:
    """Whether an error comes from a service."""
    while isinstance(error, PartFailed):
        error = error.cause
    return isinstance(error, UpstreamError)
