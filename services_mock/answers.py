"""JSON responses by msgspec, and responses captured whole for layers that need them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from fastapi import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

JSON = "application/json"


def answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a value as a JSON response."""
    return Response(
        msgspec.json.encode(value), status, headers=dict(headers or {}), media_type=JSON
    )


def etag_of(body: bytes) -> str:
    """Return the strong entity tag of a body (RFC 9110, section 8.8.3)."""
    return f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole response."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    async def send(self, send: Send, *extra: tuple[bytes, bytes]) -> None:
        """Send it, with additional headers."""
        headers = [*self.headers, *extra]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


async def capture(app: ASGIApp, scope: Scope, receive: Receive) -> Answer:
    """Run an app and keep its response instead of sending it."""
    messages: list[Message] = []

    async def keep(message: Message) -> None:
        messages.append(message)

    await app(scope, receive, keep)
    start, *parts = messages
    body = b"".join(part.get("body", b"") for part in parts)
    return Answer(start["status"], tuple(start.get("headers", ())), body)


async def read_body(receive: Receive) -> bytes | None:
    """Read a request's whole body; `None` if the client left before its end."""
    parts = []
    is_more = True
    while is_more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        is_more = message.get("more_body", False)
    return b"".join(parts)


def replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that replays a body that was read, then passes on further messages."""
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def again() -> Message:
        message = next(messages, None)
        return await receive() if message is None else message

    return again
