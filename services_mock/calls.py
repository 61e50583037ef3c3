"""Counts the calls of a service, as its outermost layer: calls that end by a fault count, too."""

from collections import Counter
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services_mock.routes import EXEMPT, ROUTE, RouteTable


class Calls:
    """The counts of a service since the last reset."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.active = 0
        self.aborted = 0
        self.routes: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()

    def reset(self) -> None:
        """Reset the counts; calls in flight stay active."""
        self.aborted = 0
        self.routes.clear()
        self.statuses.clear()

    def report(self) -> dict[str, Any]:
        """Return the counts for `GET /__calls__`."""
        return {
            "service": self.service,
            "total": self.routes.total(),
            "active": self.active,
            "aborted": self.aborted,
            "statuses": {str(one): count for one, count in sorted(self.statuses.items())},
            "routes": dict(sorted(self.routes.items())),
        }


class _Watched:
    """One call; it detects a client that leaves before the answer is complete."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._is_complete = False
        self.is_aborted = False
        self.status = 0

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.disconnect" and not self._is_complete:
            self.is_aborted = True
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        await self._send(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self._is_complete = True


class CountCalls:
    """Between the server and the faults: names the route, counts calls and disconnects."""

    def __init__(self, app: ASGIApp, calls: Calls, table: RouteTable) -> None:
        self._app = app
        self._calls = calls
        self._table = table

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Name, count and watch one call."""
        if scope["type"] != "http" or scope["path"] in EXEMPT:
            await self._app(scope, receive, send)
            return
        scope[ROUTE] = self._table.name_of(scope)
        calls, watched = self._calls, _Watched(receive, send)
        calls.routes[scope[ROUTE]] += 1
        calls.active += 1
        try:
            await self._app(scope, watched.receive, watched.send)
        finally:
            calls.active -= 1
            calls.aborted += watched.is_aborted
            if watched.status:
                calls.statuses[watched.status] += 1
