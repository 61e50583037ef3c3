"""Gives an ASGI app its socket: a protocol for uvicorn, and faults of the transport."""

import asyncio
import socket
import struct
from http import HTTPStatus
from typing import Any, Literal

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from services_mock.answers import Answer

EXTENSION = "services_mock.socket"

After = Literal["keep", "close", "reset"]


class RawSocket:
    """The connection of one request, for answers that an ASGI server would not send."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.cycle: RequestResponseCycle | None = None

    def answer(self, data: bytes, after: After) -> None:
        """Write bytes as the whole response, then keep, close or reset the connection."""
        if data and not self._transport.is_closing():
            self._transport.write(data)
        if after == "reset":
            self._reset()
        elif after == "close" or not self._stays_open():
            self._transport.close()
        self._complete()

    def later(self, data: bytes, delay: float) -> None:
        """Write bytes after `delay` seconds, without a request."""
        asyncio.get_running_loop().call_later(delay, self._write_if_open, data)

    def close(self) -> None:
        """Close regularly, whatever was sent."""
        self.answer(b"", "close")

    def _stays_open(self) -> bool:
        """Whether the client wants to reuse this connection."""
        return self.cycle is None or self.cycle.keep_alive

    def _write_if_open(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)

    def _reset(self) -> None:
        # A linger of zero seconds turns the close into RST (socket(7), SO_LINGER).
        raw = self._transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def _complete(self) -> None:
        """Report to the server that this request is answered, so that the next may follow."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.response_started = self.cycle.response_complete = True
            self.cycle.message_event.set()
            self.cycle.on_response()


class RawSocketProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, whose scopes carry the request's `RawSocket`."""

    def on_message_begin(self) -> None:
        """Add the socket to the new scope."""
        super().on_message_begin()
        self.scope["extensions"] = {EXTENSION: {"raw": RawSocket(self.transport)}}

    def on_headers_complete(self) -> None:
        """Set the cycle that the socket completes."""
        super().on_headers_complete()
        raw = raw_socket(dict(self.scope))
        if raw is not None:
            raw.cycle = self.cycle


def raw_socket(scope: Scope) -> RawSocket | None:
    """Return the socket under a request, `None` in process."""
    extensions: dict[str, Any] = scope.get("extensions") or {}
    found = extensions.get(EXTENSION, {}).get("raw")
    return found if isinstance(found, RawSocket) else None


def serialise(answer: Answer, *, length: int | None = None) -> tuple[bytes, bytes]:
    """Write head and body of an answer; `length` is a `Content-Length` that may be wrong."""
    status = HTTPStatus(answer.status)
    fields = [pair for pair in answer.headers if pair[0].lower() != b"content-length"]
    declared = len(answer.body) if length is None else length
    if answer.status not in {204, 304}:  # these end with their head
        fields.append((b"content-length", str(declared).encode()))
    lines = [f"HTTP/1.1 {status.value} {status.phrase}".encode()]
    lines += [name + b": " + value for name, value in fields]
    return b"\r\n".join(lines) + b"\r\n\r\n", answer.body
