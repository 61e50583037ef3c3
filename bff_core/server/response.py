"""Renders the ASGI messages of one answer as HTTP/1.x bytes, without I/O."""

from collections.abc import Mapping
from typing import Any, Final

from bff_core.http_statuses import WITHOUT_BODY
from bff_core.server.response_head import CHUNKED, CLOSE, HeadRenderer, find

LARGE_BODY_BYTES: Final = 16 * 1024
"""A larger body is written separately: joining it to its head would copy it."""

EVENTS: Final = b"text/event-stream"
LINES: Final = b"application/x-ndjson"

Message = Mapping[str, Any]


class ResponseRenderer:
    """Renders one answer: call `start` once, then `body` until `is_complete`.

    A head with a Content-Length is sent together with the first piece of the body. Any other head
    is sent at once, since its first piece may take a while. `is_last` closes the connection after
    this answer. Raises `RuntimeError` for messages that are out of order or contradict the declared
    length, `ValueError` for malformed header fields.
    """

    __slots__ = (
        "_held",
        "_is_chunked",
        "_left",
        "_tail",
        "has_body",
        "has_started",
        "is_complete",
        "is_last",
        "is_old",
        "media",
    )

    def __init__(self, *, has_body: bool, is_old: bool, is_last: bool) -> None:
        self.has_body = has_body
        self.is_old = is_old  # HTTP/1.0, which has no chunks
        self.is_last = is_last
        self.has_started = False
        self.is_complete = False
        self.media = b""  # set for an answer without a declared length
        self._held = b""
        self._left: int | None = None
        self._is_chunked = False
        self._tail = b""

    def start(self, message: Message, defaults: bytes) -> bytes:
        """Render the head; return the bytes to send now."""
        if self.has_started or message["type"] != "http.response.start":
            raise RuntimeError(f"{message['type']} is out of order")
        status, fields = message["status"], message.get("headers", ())
        head = HeadRenderer(status, fields, defaults)
        self.has_started = True
        self.has_body = self.has_body and status not in WITHOUT_BODY
        if head.length is None and self.has_body:
            self._frame(head)
            self.media = find(fields, b"content-type").partition(b";")[0].strip().lower()
        self._left = head.length
        self.is_last = self.is_last or head.is_last
        if self.is_last:
            head.lines.append(CLOSE)
        head.lines.append(b"\r\n")
        rendered = b"".join(head.lines)
        if head.length is None:
            return rendered
        self._held = rendered
        return b""

    def body(self, message: Message) -> tuple[bytes, ...]:
        """Render a piece of the body; return the bytes to send, with a held head first."""
        if self.is_complete or not self.has_started or message["type"] != "http.response.body":
            raise RuntimeError(f"{message['type']} is out of order")
        piece = message.get("body", b"")
        is_end = not message.get("more_body", False)
        held, self._held = self._held, b""
        if not self.has_body:
            piece = b""
        elif self._left is not None:
            self._left = _left_of(self._left, len(piece), is_end=is_end)
        elif self._is_chunked:
            piece = self._chunk(piece, is_end=is_end)
        self.is_complete = is_end
        if len(piece) > LARGE_BODY_BYTES:
            return (held, piece) if held else (piece,)
        return (held + piece,) if held or piece else ()

    def end_early(self, piece: bytes, *, is_end: bool) -> bytes:
        """End a stream early, with a last piece if the previous one ended a whole event or line.

        With `is_end` the client sees a regular end, without it a truncated answer.
        """
        self.is_complete = self.is_last = True
        if not self._tail.endswith(b"\n\n" if self.media == EVENTS else b"\n") and self._tail:
            piece = b""
        return self._chunk(piece, is_end=is_end) if self._is_chunked else piece

    def _frame(self, head: HeadRenderer) -> None:
        """Frame a body of unknown length: by chunks, or by closing the connection."""
        if self.is_old:
            self.is_last = True
        else:
            self._is_chunked = True
            head.lines.append(CHUNKED)

    def _chunk(self, piece: bytes, *, is_end: bool) -> bytes:
        end = b"0\r\n\r\n" if is_end else b""
        if not piece:
            return end
        self._tail = piece[-2:]
        return b"%x\r\n%b\r\n%b" % (len(piece), piece, end)


def _left_of(left: int, size: int, *, is_end: bool) -> int:
    """Return the unsent bytes of the declared length."""
    left -= size
    if left < 0:
        raise RuntimeError("the answer is longer than its Content-Length")
    if is_end and left:
        raise RuntimeError("the answer is shorter than its Content-Length")
    return left
