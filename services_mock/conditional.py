"""Adds entity tags, `Cache-Control` and 304 to whole answers to GET; streams are unchanged."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services_mock.answers import etag_of
from services_mock.routes import EXEMPT


class Conditional:
    """The innermost layer: it gets the route's answer before faults change it."""

    def __init__(self, app: ASGIApp, cache_control: str) -> None:
        self._app = app
        self._cache_control = cache_control

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Tag one answer to GET."""
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] in EXEMPT:
            await self._app(scope, receive, send)
            return
        known = Headers(scope=scope).get("if-none-match")
        await self._app(scope, receive, _Tagged(send, self._cache_control, known))


class _Tagged:
    """A `send` that holds the head until the first piece shows whether the body is whole."""

    def __init__(self, send: Send, cache_control: str, known: str | None) -> None:
        self._send = send
        self._cache_control = cache_control
        self._known = known
        self._head: Message | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:
            self._head = message
            return
        if self._head is not None:
            head, self._head = self._head, None
            if not message.get("more_body", False):
                message = self._tag(head, message)
            await self._send(head)
        await self._send(message)

    def _tag(self, head: Message, message: Message) -> Message:
        """Complete the head and return the body to send with it."""
        headers = MutableHeaders(scope=head)
        headers.setdefault("cache-control", self._cache_control)
        headers.setdefault("etag", etag_of(message.get("body", b"")))
        if not matches(self._known, headers["etag"]):
            return message
        head["status"] = 304
        del headers["content-length"]
        del headers["content-type"]
        return {**message, "body": b""}


def matches(known: str | None, etag: str) -> bool:
    """Whether `If-None-Match` lists a tag, compared weakly (RFC 9110, section 13.1.2)."""
    if known is None:
        return False
    listed = {tag.strip().removeprefix("W/") for tag in known.split(",")}
    return "*" in listed or etag in listed
