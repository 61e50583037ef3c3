"""Redirects within the gateway are relative: none repeats the Host that a client sent."""

from collections.abc import Awaitable, Iterable

from starlette.datastructures import URL
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.http_statuses import REDIRECTS


class RelativeRedirects:
    """Around FastAPI: takes scheme and host off each `Location` that has those of its request.

    Starlette's redirects to a path with or without its last slash, and those of mounted
    applications and folders, repeat the Host field. A cache that ignores the host would
    send other clients there. What leads to another origin stays as it is.
    """

    __slots__ = ("_app",)

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> Awaitable[None]:
        """Pass on; look at the heads of redirects only."""
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
    """Return a location without the origin if it has it, and is not taken for another host."""
    rest = location.removeprefix(origin)
    if len(rest) == len(location) or rest[:1] not in {b"/", b"?", b""}:
        return location
    if rest[:2] in {b"//", b"/\\"}:
        return b"/." + rest  # RFC 3986, section 4.2: what begins with two slashes names a host
    return rest if rest[:1] == b"/" else b"/" + rest
