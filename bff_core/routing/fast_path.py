"""The fast path: compiled views are called before FastAPI's own middleware and routing."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.compat.starlette import is_async_callable
from bff_core.http_exchange.request_context import context_of, note_error
from bff_core.routing.methods import answer_head
from bff_core.routing.route_table import RouteMatch, RouteTable

Handle = Callable[..., Any]
"""An exception handler as FastAPI takes it: async or not."""


OFF_FAST_PATH: Final = (
    "all requests leave the fast path because of {what}: a check of every request is cheaper as a "
    "concern, gateway(..., edge=[...])"
)


class FastPath:
    """Serves compiled views itself and hands every other request to FastAPI.

    It leaves all requests to FastAPI when the app has middleware or dependencies of its own, or
    dependencies are overridden. `table` is the gateway's, from its start on.
    """

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._compiled: dict[tuple[int, str], tuple[object, ASGIApp]] = {}
        self.following: ASGIApp = app.router
        self.table = RouteTable()

    def add(self, endpoint: object, path: str, app: ASGIApp) -> None:
        """Serve the route of an endpoint and a path by an application for routed requests."""
        self._compiled[id(endpoint), path] = endpoint, app

    def obstacles(self) -> Iterator[tuple[str, str]]:
        """Yield what takes all requests off the fast path: an option, and a reason for the log."""
        if not self._compiled:
            return
        if self._app.user_middleware:
            names = ", ".join(getattr(one.cls, "__name__", "") for one in self._app.user_middleware)
            yield "add_middleware", OFF_FAST_PATH.format(what=names)
        if self._app.router.dependencies:
            yield "dependencies", OFF_FAST_PATH.format(what="dependencies of the app")

    def compiled(self, endpoint: object, path: str) -> ASGIApp | None:
        """Return what serves a route on the fast path; None where FastAPI does."""
        _, app = self._compiled.get((id(endpoint), path), (None, None))
        return app

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Serve a request of a compiled view, or pass it on."""
        match = self.find(scope)
        if match is None or match.entry is None or match.entry.compiled is None:
            await self.following(scope, receive, send)
            return
        scope["route"], scope["path_params"] = match.entry.shown, match.parameters()
        app = match.entry.compiled
        try:
            if scope["method"] == "HEAD":
                await answer_head(app, scope, receive, send)
            else:
                await app(scope, receive, send)
        except Exception as error:
            handler = self._handler(error)
            if handler is None or context_of(scope).status:
                raise
            note_error(scope, error)
            response = await _handled(handler, Request(scope, receive), error)
            await response(scope, receive, send)

    def find(self, scope: ASGIScope) -> RouteMatch | None:
        """Return the route of a request that may take the fast path; None for any other."""
        app = self._app
        if scope["type"] != "http" or app.dependency_overrides or app.user_middleware:
            return None
        return None if app.router.dependencies else self.table.match(scope)

    def _handler(self, error: Exception) -> Handle | None:
        # Like Starlette, only handlers of a status or of particular errors: unexpected errors are
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
