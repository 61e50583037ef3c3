"""Error responses: errors of the edge, the faces and FastAPI all become problem details."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import Scope as ASGIScope

from bff_core.compat.fastapi import iter_route_contexts
from bff_core.compat.starlette import (
    Starlette,
    is_async_callable,
    is_late_failure,
    mounted_app,
)
from bff_core.edge.problem_details import Problem, is_expected, problem
from bff_core.edge.route_template import route_template
from bff_core.edge.trace import trace_id
from bff_core.errors import BFFError
from bff_core.events import Crashed, Events
from bff_core.http_exchange.request_context import SCOPE, RequestContext, context_of, note_error
from bff_core.scope import Scope

_ALL_ERRORS: Final = (BFFError, Exception, 500)


class ErrorResponses:
    """Turns the error of a request into its response.

    1. The answer has not started: problem details, and a `Crashed` event for an unexpected error.
    2. The answer is complete (FastAPI answers a crash and raises it again): only the event.
    3. The answer has started: the event, and the error is raised again so that the server closes
       the connection. Otherwise a client might use a fragment as if it were the whole answer.
    """

    __slots__ = ("_events",)

    def __init__(self, events: Events) -> None:
        self._events = events

    def response_to(self, error: BaseException, context: RequestContext) -> Response | None:
        """Return the response to send, or None if none can be sent; report unexpected errors."""
        if not isinstance(error, Exception) or isinstance(error, ClientDisconnect):
            return None
        is_cut = is_cut_off(context)
        if is_cut or not is_expected(error):
            report(_handled(error) if is_cut else error, context.asgi, self._events)
        else:
            context.error = error
        return None if context.status else as_response(_problem(error, context.scope))

    def is_raised(self, error: BaseException, context: RequestContext) -> bool:
        """Whether the edge raises an error to the server."""
        if not isinstance(error, Exception):
            return True
        return is_cut_off(context) and not isinstance(error, ClientDisconnect)


def is_cut_off(context: RequestContext) -> bool:
    """Whether the answer has started and is not complete."""
    return context.status > 0 and not context.is_complete


def _handled(error: Exception) -> Exception:
    """Return the error behind an answer that was cut off, without Starlette's wrapper."""
    cause = error.__cause__
    return cause if isinstance(cause, Exception) and is_late_failure(error) else error


def report(error: Exception, scope: ASGIScope, events: Events) -> None:
    """Emit `Crashed` for the error of a request; its log line does not repeat the error."""
    context = context_of(scope)
    context.is_reported = True
    if events.sinks:
        request, where = context.scope, route_template(scope) or "edge"
        status = context.status or 500
        events.emit(Crashed(where, request.request_id, error, request.method, request.path, status))


def install_problem_handlers(app: FastAPI) -> None:
    """Make FastAPI answer its own errors and ours with problem details, also without an edge."""
    for kind in (BFFError, HTTPException, RequestValidationError, ExceptionGroup):
        app.add_exception_handler(kind, _answer)
    app.add_exception_handler(Exception, _answer_crash)


def install_in_mounted_apps(routes: Sequence[BaseRoute]) -> None:
    """Make mounted apps answer errors of ours with problem details, such as a 401 or a 404.

    An app that handles them, or all errors, in its own way goes on to do so.
    """
    for context in iter_route_contexts(routes):
        app = mounted_app(context)
        if isinstance(app, Starlette) and app.exception_handlers.keys().isdisjoint(_ALL_ERRORS):
            app.add_exception_handler(BFFError, _noting(_answer))
        below = getattr(app, "routes", None)
        if below:
            install_in_mounted_apps(below)


def noting(handlers: Mapping[Any, Callable[..., Any]]) -> dict[Any, Callable[..., Any]]:
    """Wrap exception handlers so that the log line of the request has the error; all are async."""
    return {kind: _noting(handler) for kind, handler in handlers.items()}


def _noting(handler: Callable[..., Any]) -> Callable[..., Any]:
    async def handle(request: Request, error: Exception) -> object:
        note_error(request.scope, error)
        if is_async_callable(handler):
            return await handler(request, error)
        return await run_in_threadpool(handler, request, error)

    return handle


async def _answer(request: Request, error: Exception) -> Response:
    if not is_expected(error):
        raise error
    return await _answer_crash(request, error)


async def _answer_crash(request: Request, error: Exception) -> Response:
    """Answer an unexpected error; Starlette raises it again, and the edge reports it."""
    return as_response(_problem(error, request.scope.get(SCOPE)))


def as_response(rendered: Problem) -> Response:
    """Return problem details as a response."""
    response = Response(rendered.body, rendered.status)
    response.raw_headers = list(rendered.headers)
    return response


def _problem(error: Exception, scope: Scope | None) -> Problem:
    if scope is None:
        return problem(error)
    return problem(error, request_id=scope.request_id, trace_id=trace_id(scope.traceparent))
