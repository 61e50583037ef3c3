"""Refuses what is too much at once, so that what was begun is finished in time."""

from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.errors import Overloaded


class Shed:
    """Between deadline and the other limits: at most `limit` requests in flight, then 503.

    A stream counts until it ends.
    """

    __slots__ = ("_app", "_in_flight", "_limit")

    def __init__(self, app: ASGIApp, *, limit: int) -> None:
        self._app = app
        self._limit = limit
        self._in_flight = 0

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Pass on, or raise Overloaded at once."""
        if self._in_flight >= self._limit:
            raise Overloaded("too many requests in flight", retry_after=1.0)
        self._in_flight += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._in_flight -= 1
