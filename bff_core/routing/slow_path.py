"""The slow path: what FastAPI needs in front of it, and compiled views have built in."""

from collections.abc import Awaitable

from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.routing.access import admit_to_route
from bff_core.routing.head import answer_head
from bff_core.routing.path import path_of
from bff_core.routing.route_table import ROUTE, RouteMatch, RouteTable


class SlowPath:
    """In front of FastAPI: access rules, HEAD on routes of GET, all methods of a path in `Allow`.

    The access rule of a route is checked before FastAPI reads the body. `Allow` is as in RFC 9110,
    section 10.2.1.
    """

    __slots__ = ("_app", "_table")

    def __init__(self, app: ASGIApp, table: RouteTable) -> None:
        self._app = app
        self._table = table

    def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> Awaitable[None]:
        """Check the access rule, then call FastAPI; the lifespan is passed on unchecked."""
        if scope["type"] == "lifespan":
            return self._app(scope, receive, send)
        admit_to_route(self._table, scope)
        if scope["type"] != "http":
            return self._app(scope, receive, send)
        send = self._with_allow(scope, send)
        if scope["method"] == "HEAD" and self._is_for_get(scope):
            return answer_head(self._app, scope, receive, send)
        return self._app(scope, receive, send)

    def _is_for_get(self, scope: ASGIScope) -> bool:
        entry = self._table.match(scope).entry
        # A mounted application answers HEAD itself.
        return entry is not None and bool(entry.methods) and "HEAD" not in entry.methods

    def _with_allow(self, scope: ASGIScope, send: Send) -> Send:
        path = path_of(scope)  # a mount changes it

        def send_allow(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start" and message["status"] == 405:
                matched: RouteMatch | None = scope.get(ROUTE)
                is_known = matched is not None and matched.table is self._table
                # Middleware may have rewritten the path before the match.
                served = matched.path if matched is not None and is_known else path
                message = self._completed(message, scope, served)
            return send(message)

        return send_allow

    def _completed(self, message: Message, scope: ASGIScope, path: str) -> Message:
        """Return a 405 with all methods of the path, unless the route itself sent it."""
        allowed, method = self._table.methods_of(path, scope), scope["method"]
        if "GET" in allowed:
            allowed |= {"HEAD"}
        if not allowed or method in allowed:
            return message
        headers = [field for field in message["headers"] if field[0] != b"allow"]
        return {**message, "headers": [*headers, (b"allow", ", ".join(sorted(allowed)).encode())]}
