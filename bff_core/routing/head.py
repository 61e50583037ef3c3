"""HEAD: answers like a GET, without content (RFC 9110, section 9.3.2)."""

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.http_statuses import WITHOUT_CONTENT


class _Complete(OSError):
    """Stops the application: the answer to a HEAD is complete, the rest would be content."""


async def answer_head(app: ASGIApp, scope: ASGIScope, receive: Receive, send: Send) -> None:
    """Answer a HEAD like a GET, without content; a stream is closed before its first chunk."""
    is_complete = False

    async def send_head(message: Message) -> None:
        nonlocal is_complete
        if message["type"] == "http.response.start":
            await send(message)
            if not _is_stream(message):
                return
        elif message["type"] != "http.response.body":
            await send(message)
            return
        if not is_complete:
            is_complete = True
            await send({"type": "http.response.body", "body": b""})
        if message.get("more_body", message["type"] == "http.response.start"):
            raise _Complete

    as_get = {**scope, "method": "GET"}
    try:
        await app(as_get, receive, send_head)
    except (_Complete, ClientDisconnect):
        if not is_complete:
            raise
    finally:
        scope.update({name: as_get[name] for name in ("route", "path_params") if name in as_get})


def _is_stream(start: Message) -> bool:
    """Whether an answer starts before the length of its content is known."""
    is_known = any(name == b"content-length" for name, _ in start["headers"])
    return not is_known and start["status"] not in WITHOUT_CONTENT
