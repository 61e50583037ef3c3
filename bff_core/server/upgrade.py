"""Upgrades connections to web sockets: hands them over to a protocol of web sockets.

It is `WebSocketConnection`, unless the configuration of uvicorn names another implementation.
"""

import asyncio
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any, Final

from bff_core.compat.uvicorn import is_sansio, web_socket_protocol
from bff_core.http_exchange.request_context import CUT
from bff_core.server.early_refusal import NOT_ACCEPTED, NOT_HTTP, EarlyRefusal
from bff_core.server.parser import RequestReader
from bff_core.server.peer import reset
from bff_core.server.server_state import ServerState
from bff_core.web_socket.limits import EXTEND, EXTENSION

_DENIAL: Final = "websocket.http.response"


MAX_LINE_BYTES: Final = 8190
MAX_FIELDS: Final = 128
"""Limits of the web socket protocol; it would wait forever for the end of a larger head."""


def handshake_of(request: RequestReader) -> bytes | None:
    """Render the checked head again; return None if it is too large for the protocol."""
    target = request.target
    query = b"?" + target.query if target.query else b""
    # A length of zero means the same as none, and the protocol does not accept all its spellings.
    fields = [field for field in request.headers if field[0] != b"content-length"]
    lines = [b"GET %b%b HTTP/1.1" % (target.raw_path, query), *(b"%b: %b" % one for one in fields)]
    if len(fields) > MAX_FIELDS or any(len(line) > MAX_LINE_BYTES for line in lines):
        return None
    return b"\r\n".join((*lines, b"", b""))


def upgrade(
    data: bytes,
    scope: dict[str, Any],
    transport: asyncio.Transport,
    serving: ServerState,
    *,
    due: float,
) -> None:
    """Hand the connection over to the web socket protocol, with the rendered head.

    `scope` is that of an HTTP request. The application has to accept or refuse until `due`, an
    instant of the loop's clock.
    """
    handshake = Handshake(serving, transport, due)
    protocol: asyncio.BaseProtocol
    if is_sansio(serving.config):
        # Here, since it needs an extra that most gateways do without.
        from bff_core.server.web_socket import WebSocketConnection  # noqa: PLC0415

        extension = {EXTEND: handshake.extend}
        own = protocol = WebSocketConnection(
            serving, handshake, socket_scope(scope, extension), data
        )
        own.begin(transport)
    else:
        protocol = _of_uvicorn(data, transport, serving, handshake)
    transport.set_protocol(PendingHandshake(protocol, handshake))


def _of_uvicorn(
    data: bytes, transport: asyncio.Transport, serving: ServerState, handshake: "Handshake"
) -> asyncio.BaseProtocol:
    config = copy(serving.config)
    config.loaded_app = handshake
    protocol: asyncio.Protocol = web_socket_protocol(config, serving.state, serving.values)
    protocol.connection_made(transport)
    protocol.data_received(data)
    return protocol


def socket_scope(scope: dict[str, Any], extension: dict[str, Any]) -> dict[str, Any]:
    """Return the ASGI scope of a web socket for that of its HTTP request."""
    del scope["method"]
    headers = [field for field in scope["headers"] if field[0] != b"content-length"]
    offered = [value for name, value in headers if name == b"sec-websocket-protocol"]
    names = b",".join(offered).decode("latin-1").split(",")
    return scope | {
        "type": "websocket",
        "scheme": "wss" if scope["scheme"] == "https" else "ws",
        "headers": headers,
        "subprotocols": [name.strip() for name in names if name.strip()],
        "extensions": {_DENIAL: {}, EXTENSION: extension},
    }


class PendingHandshake(asyncio.Protocol):
    """The protocol of a connection until the application has answered the handshake.

    A client has to wait for the answer (RFC 6455, section 4.1). Bytes that arrive before it are
    refused here, since the web socket protocol would parse them as another handshake.
    """

    def __init__(self, protocol: Any, handshake: "Handshake") -> None:
        self._protocol = protocol
        self._handshake = handshake
        handshake.following = protocol

    def data_received(self, data: bytes) -> None:
        """Refuse the client."""
        del data
        self._handshake.interrupt()

    def eof_received(self) -> bool | None:
        """Pass on the end of input."""
        is_open: bool | None = self._protocol.eof_received()
        return is_open

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass on the disconnect."""
        self._protocol.connection_lost(exc)

    def pause_writing(self) -> None:
        """Pass on that the write buffer is full."""
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        """Pass on that the write buffer has drained."""
        self._protocol.resume_writing()


class Handshake:
    """The application during one handshake: it is cancelled unless it answers in time.

    If the protocol has not called it by then, the connection is reset.
    """

    __slots__ = (
        "_call",
        "_has_begun",
        "_is_answered",
        "_is_interrupted",
        "_serving",
        "_timer",
        "_transport",
        "following",
    )

    def __init__(self, serving: ServerState, transport: asyncio.Transport, due: float) -> None:
        self._serving = serving
        self._transport = transport
        self._timer = serving.loop.call_at(due, self._expire)
        self._call: _Call | None = None  # the protocol reads the head before it calls
        self._has_begun = self._is_answered = self._is_interrupted = False
        self.following: asyncio.BaseProtocol | None = None  # the protocol after acceptance

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Call the application; refuse the web socket if it does not answer in time."""

        async def answer(message: Mapping[str, Any]) -> None:
            if not self._is_answered:
                self._track(message)
            await send(message)

        deadline = asyncio.timeout(None)
        self._call = _Call(scope, deadline)
        try:
            async with deadline:
                await self._serving.app(scope, receive, answer)
        except TimeoutError:
            if not deadline.expired():
                raise
            if self._has_begun:
                return  # the answer has begun: the connection ends after it
            if self._is_interrupted:  # the transport is closed; this ends the protocol
                await send({"type": "websocket.close"})
            else:
                await self._refuse(scope, send)
        finally:
            self._timer.cancel()
            # They refer to this handshake: avoid reference cycles.
            self.following = self._call = None

    def extend(self, seconds: float) -> None:
        """Give the application so many more seconds from now, if that is later than before."""
        due = self._serving.now() + seconds
        if not self._is_answered and due > self._timer.when():
            self._timer.cancel()
            self._timer = self._serving.loop.call_at(due, self._expire)

    def interrupt(self) -> None:
        """Refuse a client that sends before the answer, and cancel the application."""
        if self._has_begun or self._is_interrupted:
            return  # answered or refused already
        self._is_interrupted = True
        serving, call = self._serving, self._call
        scope = None if call is None else call.scope
        self._transport.write(serving.refusals.render(NOT_HTTP, serving.defaults, scope=scope))
        self._transport.close()
        if call is not None:
            call.cancel(NOT_HTTP, serving.now())

    def _expire(self) -> None:
        if self._call is None:
            reset(self._transport)
        else:
            self._call.cancel(NOT_ACCEPTED, self._serving.now())

    def _track(self, message: Mapping[str, Any]) -> None:
        """End the deadline once the answer is complete."""
        self._has_begun = True
        kind, is_last = message["type"], not message.get("more_body", False)
        if kind == "websocket.accept" and self.following is not None:
            self._transport.set_protocol(self.following)
        if is_last and kind != f"{_DENIAL}.start":
            self._is_answered = True
            self._timer.cancel()

    async def _refuse(self, scope: Any, send: Any) -> None:
        start, body = self._serving.refusals.messages(NOT_ACCEPTED, scope)
        await send({"type": f"{_DENIAL}.start"} | start)
        await send({"type": f"{_DENIAL}.body"} | body)


@dataclass(frozen=True, slots=True)
class _Call:
    """The running application call of a handshake, with its deadline."""

    scope: Any
    deadline: asyncio.Timeout

    def cancel(self, refusal: EarlyRefusal, now: float) -> None:
        """Cancel it, and store the status for its log line."""
        self.scope[CUT] = refusal.status
        self.deadline.reschedule(now)
