"""Relative redirects: a redirect within the gateway does not repeat the `Host` of the client."""

from collections.abc import Awaitable, Iterable

from starlette.datastructures import URL
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.http_statuses import REDIRECTS


class RelativeRedirects:
    """Around FastAPI: makes each `Location` relative that has the scheme and host of its request.

    Starlette's redirects to a path with or without its last slash, and those of mounted
    applications and folders, repeat the `Host`. A cache that ignores the host would send other
    clients there. Redirects to other origins stay as they are.
    """

    __slots__ = ("_app",)

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> Awaitable[None]:
        """Call the application, and change the `Location` of redirects."""
        if scope["type"] != "http":
            return self._app(scope, receive, send)

        def send_relative(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start" and message["status"] in REDIRECTS:
                message = {**message, "headers": _relative(message.get("headers", ()), scope)}
            return send(message)

        return self._app(scope, receive, send_relative)


def _relative(
    headers: Iterable[tuple[bytes, bytes]], scope: ASGIScope
) -> list[tuple[bytes, bytes]]:
    here = URL(scope=scope)
    origin = f"{here.scheme}://{here.netloc}".encode("latin-1")
    return [
        (name, _within(origin, value) if name.lower() == b"location" else value)
        for name, value in headers
    ]


def _within(origin: bytes, location: bytes) -> bytes:
    """Return a location without the origin, if it begins with it."""
    rest = location.removeprefix(origin)
    if len(rest) == len(location) or rest[:1] not in {b"/", b"?", b""}:
        return location
    if rest[:2] in {b"//", b"/\\"}:
        return b"/." + rest  # a location that begins with two slashes names a host (RFC 3986, 4.2)
    return rest if rest[:1] == b"/" else b"/" + rest
