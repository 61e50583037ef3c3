"""Server-Timing in development: what a request cost, on every answer."""

from collections.abc import Awaitable
from typing import Final

from starlette.types import Message, Send

from bff_core.call import ServiceTraffic
from bff_core.clock import Clock
from bff_core.edge.concern import HTTP_ONLY
from bff_core.http_exchange.request_context import RequestContext

NAME: Final = b"server-timing"


class ServerTiming:
    """First, in development: adds `calls`, `fetched` and `total` to the `Server-Timing` of answers.

    `calls` counts the calls to services, `fetched` the bytes of bodies that services sent, `total`
    the milliseconds until the head of the answer. Faces have put the durations of parts before
    them. A page of another origin that may read the answer gets `Timing-Allow-Origin`, too, without
    which browsers hide timings from it.
    """

    __slots__ = ("_clock",)
    kinds = HTTP_ONLY

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def check(self, context: RequestContext) -> None:
        """Count from now on, and add the header to the head of the answer."""
        context.scope.traffic = traffic = ServiceTraffic()
        context.server_send = _TimedSend(context, traffic, self._clock)


class _TimedSend:
    """A `send` that adds the header to the head of the answer."""

    __slots__ = ("_clock", "_send", "_started_at", "_traffic")

    def __init__(self, context: RequestContext, traffic: ServiceTraffic, clock: Clock) -> None:
        self._send: Send = context.server_send
        self._started_at = context.started_at
        self._traffic = traffic
        self._clock = clock

    def __call__(self, message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            message = {**message, "headers": self._timed(message["headers"])}
        return self._send(message)

    def _timed(self, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        parts = [value for name, value in headers if name == NAME]
        field = b", ".join([*parts, self._costs().encode()])
        found = [one for one in headers if one[0] != NAME]
        origin = dict(found).get(b"access-control-allow-origin")
        if origin is not None:
            found.append((b"timing-allow-origin", origin))
        return [*found, (NAME, field)]

    def _costs(self) -> str:
        traffic, seconds = self._traffic, self._clock() - self._started_at
        calls, fetched = f'calls;desc="{traffic.calls}"', f'fetched;desc="{traffic.fetched}"'
        return f"{calls}, {fetched}, total;dur={seconds * 1000:.1f}"
