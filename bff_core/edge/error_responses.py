"""Answers every error in one form, wherever it was raised: in the edge, a face or FastAPI."""

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.compat.starlette import is_async_callable
from bff_core.edge.problem_details import Problem, is_expected, problem
from bff_core.edge.request_lifecycle import route_template
from bff_core.edge.trace import trace_id
from bff_core.errors import BFFError
from bff_core.events import Crashed, Events
from bff_core.exchange.context import SCOPE, exchange_of, note_error
from bff_core.scope import Scope


class ErrorResponses:
    """Between accept and all that may refuse: what they raise becomes the answer.

    1. Nothing sent yet: problem details, with a `Crashed` event if nobody expected the error.
    2. The answer is complete (FastAPI answers a crash and raises it again): only the event.
    3. Amid an answer: the event, and the error goes on so that the server cuts the connection;
       a client must not take a torso for the whole.
    """

    __slots__ = ("_app", "_events")

    def __init__(self, app: ASGIApp, *, events: Events) -> None:
        self._app = app
        self._events = events

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Pass on, and answer what is raised."""
        try:
            await self._app(scope, receive, send)
        except ClientDisconnect:
            return
        except Exception as error:
            exchange = exchange_of(scope)
            is_torso = exchange.status > 0 and not exchange.is_complete
            if is_torso or not is_expected(error):
                report(_handled(error) if is_torso else error, scope, self._events)
            else:
                exchange.error = error
            if is_torso:
                raise
            if not exchange.is_complete:
                await _send(_told(error, exchange.scope), scope, send)


def _handled(error: Exception) -> Exception:
    """Return what was raised amid an answer: Starlette wraps what it has a handler for."""
    cause = error.__cause__
    is_wrapped = type(error) is RuntimeError and isinstance(cause, Exception) and is_expected(cause)
    return cause if is_wrapped else error  # type: ignore[return-value]  # an exception


def report(error: Exception, scope: ASGIScope, events: Events) -> None:
    """Emit `Crashed` for the error of a request, whose own line then needs no error."""
    exchange = exchange_of(scope)
    exchange.is_reported = True
    if events.sinks:
        seen, where = exchange.scope, route_template(scope) or "edge"
        status = exchange.status or 500
        events.emit(Crashed(where, seen.request_id, error, seen.method, seen.path, status))


def install_problem_handlers(app: FastAPI) -> None:
    """Make FastAPI answer its errors and ours as problem details, with or without an edge."""
    for kind in (BFFError, HTTPException, RequestValidationError, ExceptionGroup):
        app.add_exception_handler(kind, _answer)
    app.add_exception_handler(Exception, _answer_crash)


def noting(handlers: Mapping[Any, Callable[..., Any]]) -> dict[Any, Callable[..., Any]]:
    """Return exception handlers that note what they answer, for the log line of the request."""
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
        _pass_up(error)
    return _response(request, error)


async def _answer_crash(request: Request, error: Exception) -> Response:
    """Starlette raises the error again behind this answer, so that the edge hears of it."""
    return _response(request, error)


def _pass_up(error: Exception) -> NoReturn:
    raise error


def _response(request: Request, error: Exception) -> Response:
    told = _told(error, request.scope.get(SCOPE))
    response = Response(told.body, told.status)
    response.raw_headers = list(told.headers)
    return response


def _told(error: Exception, seen: Scope | None) -> Problem:
    if seen is None:
        return problem(error)
    return problem(error, request_id=seen.request_id, trace_id=trace_id(seen.traceparent))


async def _send(told: Problem, scope: ASGIScope, send: Send) -> None:
    prefix = "http.response"
    if scope["type"] == "websocket":
        if "websocket.http.response" not in scope.get("extensions", ()):
            await send({"type": "websocket.close", "code": 1008 if told.status < 500 else 1011})
            return
        prefix = "websocket.http.response"
    await send({"type": f"{prefix}.start", "status": told.status, "headers": list(told.headers)})
    await send({"type": f"{prefix}.body", "body": told.body})
