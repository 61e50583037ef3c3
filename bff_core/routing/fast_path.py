"""The fast path: calls compiled views without FastAPI's middleware and routing."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, Final

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.http_exchange.request_context import context_of
from bff_core.routing.head import answer_head
from bff_core.routing.route_table import RouteMatch, RouteTable

ExceptionHandler = Callable[[Request, Exception], Awaitable[ASGIApp]]
"""Returns the response to an error."""

ExceptionHandlers = Mapping[Any, ExceptionHandler]
"""Exception handlers by status or by class of error."""


OFF_FAST_PATH: Final = (
    "all requests leave the fast path because of {what}: a check of every request is cheaper as a "
    "concern, gateway(..., edge=[...])"
)


class FastPath:
    """Serves compiled views itself and passes every other request on to FastAPI.

    FastAPI serves all requests if the app has middleware or dependencies of its own, or overrides
    dependencies.
    """

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._compiled: dict[tuple[int, str], tuple[object, ASGIApp]] = {}
        self._following: ASGIApp = app.router
        self._handlers: ExceptionHandlers = {}
        self.table = RouteTable()

    def assemble(
        self, table: RouteTable, *, following: ASGIApp, handlers: ExceptionHandlers
    ) -> None:
        """Set the routes of an app that starts, and the application that serves other requests."""
        self.table, self._following, self._handlers = table, following, handlers

    def add(self, endpoint: object, path: str, app: ASGIApp) -> None:
        """Register the compiled application that serves the route of an endpoint and a path."""
        self._compiled[id(endpoint), path] = endpoint, app

    def obstacles(self) -> Iterator[tuple[str, str]]:
        """Yield why all requests leave the fast path: an option, and a sentence for the log."""
        if not self._compiled:
            return
        if self._app.user_middleware:
            names = ", ".join(getattr(one.cls, "__name__", "") for one in self._app.user_middleware)
            yield "add_middleware", OFF_FAST_PATH.format(what=names)
        if self._app.router.dependencies:
            yield "dependencies", OFF_FAST_PATH.format(what="dependencies of the app")

    def compiled(self, endpoint: object, path: str) -> ASGIApp | None:
        """Return the application that serves a route on the fast path; None if FastAPI does."""
        _, app = self._compiled.get((id(endpoint), path), (None, None))
        return app

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Serve the request of a compiled view, or pass the request on."""
        match = self.find(scope)
        if match is None or match.entry is None or match.entry.compiled is None:
            self.table.renew(scope)
            await self._following(scope, receive, send)
            return
        scope["route"], scope["path_params"] = match.entry, match.parameters()
        app = match.entry.compiled
        try:
            if scope["method"] == "HEAD" and match.entry.matching is None:
                await answer_head(app, scope, receive, send)
            else:
                await app(scope, receive, send)
        except Exception as error:
            handler = self._handler(error)
            if handler is None or context_of(scope).status:
                raise
            response = await handler(Request(scope, receive), error)
            await response(scope, receive, send)

    def find(self, scope: ASGIScope) -> RouteMatch | None:
        """Return the route of a request that may take the fast path; None for other requests."""
        app = self._app
        if scope["type"] != "http" or app.dependency_overrides or app.user_middleware:
            return None
        return None if app.router.dependencies else self.table.match(scope)

    def _handler(self, error: Exception) -> ExceptionHandler | None:
        # As in Starlette, a handler of `Exception` is not called here: the edge answers unexpected
        # errors.
        handlers = self._handlers
        if isinstance(error, HTTPException) and error.status_code in handlers:
            return handlers[error.status_code]
        for kind in type(error).__mro__[: -len(Exception.__mro__)]:
            if kind in handlers:
                return handlers[kind]
        return None
