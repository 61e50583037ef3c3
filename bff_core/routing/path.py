"""The path that routes match, whatever a proxy put in front of it."""

from collections.abc import Awaitable

from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.compat.starlette import get_route_path


def path_of(scope: ASGIScope) -> str:
    """Return the path without the root path; itself where it does not begin with that.

    Probes call a process directly, and clients by way of the proxy that took a prefix.
    """
    return get_route_path(scope) if scope.get("root_path") else str(scope["path"])


class Below:
    """Outermost, for a gateway below a path: requests come with that path or without.

    Proxies that forward a path strip it, or do not; the path itself shows which.
    """

    __slots__ = ("_app", "_base")

    def __init__(self, app: ASGIApp, *, base: str) -> None:
        self._app = app
        self._base = base

    def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> Awaitable[None]:
        """Pass on, with the root path that the server does not know."""
        scope["root_path"] = scope.get("root_path") or self._base
        return self._app(scope, receive, send)
