"""The fast lane: compiled views are called before FastAPI's own middleware and routing."""

from collections.abc import Callable
from dataclasses import dataclass
from re import Pattern
from types import SimpleNamespace
from typing import Any

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.convertors import Convertor
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.compat.starlette import compile_path, is_async_callable
from bff_core.exchange.context import exchange_of, note_error
from bff_core.routing.methods import answer_head
from bff_core.routing.path import path_of

Handle = Callable[..., Any]
"""An exception handler as FastAPI takes it: async or not."""


@dataclass(frozen=True, slots=True)
class Route:
    """What serves some paths, and its place among all routes; without an app, FastAPI does.

    `told` is what the scope holds as its route.
    """

    place: int
    app: ASGIApp | None
    pattern: Pattern[str]
    convertors: dict[str, Convertor[object]]
    told: SimpleNamespace

    def parameters(self, path: str) -> dict[str, object] | None:
        """Return the path's parameters, or None where the route does not match."""
        match = self.pattern.match(path)
        if match is None:
            return None
        return {
            name: self.convertors[name].convert(value) for name, value in match.groupdict().items()
        }


class FastPath:
    """Serves compiled views itself and hands everything else to FastAPI.

    As with FastAPI, of several routes that match the first that was added serves a request. The
    lane steps aside, so that FastAPI's full machinery applies, when the app has middleware or
    dependencies of its own, or dependencies are overridden.
    """

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._plain: dict[tuple[str, str], Route] = {}
        self._patterns: dict[str, list[Route]] = {}
        self._count = 0
        self.following: ASGIApp = app.router

    def add(self, method: str, path: str, app: ASGIApp | None) -> None:
        """Serve `method` on `path` with an application that takes routed requests.

        None leaves it to FastAPI, and keeps later routes that match as well from taking it.
        """
        pattern, template, convertors = compile_path(path)
        route = Route(self._count, app, pattern, convertors, SimpleNamespace(path=template))
        self._count += 1
        if convertors:
            self._patterns.setdefault(method, []).append(route)
        else:
            self._plain.setdefault((method, path), route)

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Serve a request of a compiled view, or pass it on."""
        route = self._find(scope)
        if route is None or route.app is None:
            await self.following(scope, receive, send)
            return
        scope["route"] = route.told
        try:
            if scope["method"] == "HEAD":
                await answer_head(route.app, scope, receive, send)
            else:
                await route.app(scope, receive, send)
        except Exception as error:
            handler = self._handler(error)
            if handler is None or exchange_of(scope).status:
                raise
            note_error(scope, error)
            response = await _handled(handler, Request(scope, receive), error)
            await response(scope, receive, send)

    def _find(self, scope: ASGIScope) -> Route | None:
        app = self._app
        if scope["type"] != "http" or app.dependency_overrides or app.user_middleware:
            return None
        if app.router.dependencies:
            return None
        path = path_of(scope)
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        plain = self._plain.get((method, path))
        for route in self._patterns.get(method, ()):
            if plain is not None and plain.place < route.place:
                break
            parameters = route.parameters(path)
            if parameters is not None:
                scope["path_params"] = parameters
                return route
        if plain is not None:
            scope["path_params"] = {}
        return plain

    def _handler(self, error: Exception) -> Handle | None:
        # Like Starlette, only handlers of a status or of particular errors: what nobody expected is
        # the edge's.
        handlers = self._app.exception_handlers
        if isinstance(error, HTTPException) and error.status_code in handlers:
            return handlers[error.status_code]
        for kind in type(error).__mro__[: -len(Exception.__mro__)]:
            if kind in handlers:
                return handlers[kind]
        return None


async def _handled(handle: Handle, request: Request, error: Exception) -> Response:
    """Call a handler as Starlette does: one that is no coroutine function in a thread."""
    if is_async_callable(handle):
        response: Response = await handle(request, error)
        return response
    return await run_in_threadpool(handle, request, error)
