"""The web socket of one client connection, in place of uvicorn's: an ASGI application behind it."""

import asyncio
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from bff_core.server.response import ResponseRenderer
from bff_core.server.server_state import App, ServerState
from bff_core.web_socket.framing import ServerFraming
from bff_core.web_socket.heartbeat import Heartbeat
from bff_core.web_socket.limits import END, LIMITS, LOST, Closed, SocketLimits

CLOSE_SECONDS: Final = 2.0
"""How long a client has to answer a close frame, and to close the connection."""

MAX_WAITING_BYTES: Final = 64 * 1024
"""How much may wait for the application; the client is not read from beyond that."""

MESSAGE_BYTES: Final = 64
"""What a message counts beside its content, so that many empty ones are not free."""

NORMAL: Final = 1000
INTERNAL_ERROR: Final = 1011
SERVICE_RESTART: Final = 1012
_DENIAL: Final = "websocket.http.response"


NO_CONTENT: Final = ((b"content-length", b"0"),)

Event = Mapping[str, Any]


class ClientLeft(OSError):
    """The client has disconnected: nothing can be sent any more (ASGI, websocket 2.4)."""


class WebSocketConnection(asyncio.Protocol):
    """One web socket: parses frames, and calls the application of the server.

    Beside ASGI: a `websocket.accept` may have `LIMITS`; a `websocket.close` whose code is None is
    sent without one; a `websocket.disconnect` has its `END`, and the code 1006 if the client
    vanished. The client is read from only as fast as the application receives.
    """

    def __init__(self, serving: ServerState, app: App, scope: dict[str, Any], head: bytes) -> None:
        self._serving = serving
        self._app = app
        self._scope = scope
        self._head = head  # until the application has answered
        self._framing: ServerFraming | None = None  # from the acceptance on
        self._heartbeat: Heartbeat | None = None
        self._denial: ResponseRenderer | None = None
        self._transport: asyncio.Transport
        self._received: deque[Event] = deque([{"type": "websocket.connect"}])
        self._waiting_bytes = 0
        self._waiter: asyncio.Future[None] | None = None
        self._writable: asyncio.Event = asyncio.Event()
        self._writable.set()
        self._end: Event | None = None
        self._is_paused = self._is_lost = self._is_answered = False
        self._closing: asyncio.TimerHandle | None = None

    def begin(self, transport: asyncio.Transport) -> None:
        """Check the offer of the client, and call the application."""
        self._transport = transport
        serving = self._serving
        serving.state.connections.add(self)
        offer = ServerFraming(self._head)
        refusal = offer.check()
        offer.end()
        if refusal:
            self._is_answered = True
            transport.write(refusal)
            transport.close()
            return
        task = serving.loop.create_task(self._run())
        serving.state.tasks.add(task)
        task.add_done_callback(serving.state.tasks.discard)

    def data_received(self, data: bytes) -> None:
        """Parse frames; stop reading while enough messages wait for the application."""
        framing = self._framing
        if framing is None:
            return
        if self._heartbeat is not None:
            self._heartbeat.is_heard = True
        for found in framing.take(data):
            if isinstance(found, Closed):
                self._receive_end(found)
            elif self._end is None:
                kind = "text" if isinstance(found, str) else "bytes"
                self._add({"type": "websocket.receive", kind: found}, len(found))
        self._write(framing.answers(is_blocked=not self._writable.is_set()))
        is_full = self._waiting_bytes > MAX_WAITING_BYTES
        if is_full and not (self._is_paused or self._end is not None):
            self._is_paused = True
            self._transport.pause_reading()

    def eof_received(self) -> bool | None:
        """Close the connection when the client has closed its side."""
        return None

    def pause_writing(self) -> None:
        """Suspend the application: the client reads too slowly."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Resume the application."""
        self._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Report the end to the application."""
        del exc
        self._is_lost = True
        self._serving.state.connections.discard(self)
        self._stop()
        if self._closing is not None:
            self._closing.cancel()
        self._writable.set()
        self._receive_end(Closed(LOST, end="lost"))
        if self._framing is not None:
            self._framing.end()

    def shutdown(self) -> None:
        """Close it with 1012; the server calls this at its graceful shutdown."""
        if self._framing is None:
            if not self._is_answered:
                self._receive_end(Closed(LOST, end="shutdown"))
            return
        if self._end is None:
            self._receive_end(Closed(SERVICE_RESTART, "the server restarts", "shutdown"))
            self._close(self._framing, SERVICE_RESTART, "the server restarts")

    async def receive(self) -> Event:
        """Return the next event for the application; the last one again and again."""
        while not self._received:
            if self._end is not None:
                return self._end
            self._waiter = self._serving.loop.create_future()
            await self._waiter
        event = self._received.popleft()
        if not self._received:
            self._waiting_bytes = 0
            self._resume()
        return event

    async def send(self, event: Event) -> None:
        """Send an event of the application; raise `ClientLeft` if there is no client any more."""
        kind = event["type"]
        if kind != "websocket.close":  # which does not wait for a client that does not read
            await self._writable.wait()
        if self._is_lost:
            raise ClientLeft("the client has disconnected")
        if self._framing is not None:
            self._send_open(self._framing, kind, event)
        elif self._is_answered:
            raise RuntimeError(f"{kind} is out of order: the web socket was refused")
        elif kind == "websocket.accept" and self._denial is None:
            self._accept(event)
        elif kind == "websocket.close" and self._denial is None:
            self._deny({"type": f"{_DENIAL}.start", "status": 403, "headers": NO_CONTENT})
            self._deny({"type": f"{_DENIAL}.body"})
        elif kind.startswith(_DENIAL):
            self._deny(event)
        else:
            raise RuntimeError(f"{kind} is out of order: accept or refuse the web socket first")

    def is_listening(self) -> bool:
        """Whether the client is read from."""
        return not self._is_paused

    def unsent(self) -> int:
        """How many bytes wait until the client reads."""
        return self._transport.get_write_buffer_size()

    def ping(self) -> None:
        """Send a ping."""
        if self._framing is not None:
            self._framing.ping()
            self._flush(self._framing)

    async def _run(self) -> None:
        try:
            await self._app(self._scope, self.receive, self.send)
        except ClientLeft:
            self._conclude(NORMAL)
        except Exception as error:  # noqa: BLE001 - reported, and the client gets 1011 or a 500
            self._serving.refusals.crashed(error, self._scope, has_started=self._is_answered)
            self._conclude(INTERNAL_ERROR)
        except BaseException:
            self._conclude(SERVICE_RESTART)
            raise
        else:
            self._conclude(NORMAL)

    def _conclude(self, code: int) -> None:
        """End the web socket after the application; it should have done so itself."""
        if self._framing is not None:
            self._close(self._framing, code)
        elif not (self._is_answered or self._is_lost) and self._denial is None:
            status = 500 if self._end is None else 503  # the process shuts down
            self._deny({"type": f"{_DENIAL}.start", "status": status})
            self._deny({"type": f"{_DENIAL}.body"})
        elif not self._is_answered and not self._is_lost:
            self._transport.close()  # within its refusal

    def _accept(self, event: Event) -> None:
        config = self._serving.config
        limits: SocketLimits = event.get(LIMITS) or SocketLimits(
            config.ws_max_size, config.ws_ping_interval, config.ws_ping_timeout
        )
        framing = ServerFraming(
            self._head,
            max_message=limits.max_message,
            with_deflate=config.ws_per_message_deflate,
        )
        defaults = self._serving.state.default_headers
        framing.accept([*defaults, *event.get("headers", ())], event.get("subprotocol"))
        self._framing, self._is_answered, self._head = framing, True, b""
        self._flush(framing)
        self._heartbeat = Heartbeat(
            self, limits.ping, limits.ping_timeout, self._lose, self._serving.loop
        )
        self._heartbeat.start()

    def _deny(self, event: Event) -> None:
        """Answer the offer with an HTTP response, and close the connection after it."""
        inner = {**event, "type": event["type"].removeprefix("websocket.")}
        if self._denial is None:
            denial = ResponseRenderer(has_body=True, is_old=False, is_last=True)
            self._transport.write(denial.start(inner, self._serving.defaults))
            self._denial = denial
            return
        for piece in self._denial.body(inner):
            self._transport.write(piece)
        if self._denial.is_complete:
            self._is_answered = True
            self._receive_end(Closed(LOST, end="closed"))
            self._transport.close()

    def _send_open(self, framing: ServerFraming, kind: str, event: Event) -> None:
        if kind == "websocket.send" and framing.is_open:
            content = event.get("bytes")
            framing.send(event["text"] if content is None else content)
            self._flush(framing)
        elif kind == "websocket.close" and framing.is_open:
            code, reason = event.get("code", NORMAL), event.get("reason") or ""
            self._receive_end(Closed(NORMAL if code is None else code, reason))
            self._close(framing, code, reason)
        elif kind not in {"websocket.send", "websocket.close"}:
            raise RuntimeError(f"{kind} is out of order: the web socket is open")
        elif kind == "websocket.send":
            raise ClientLeft("the web socket is closed")

    def _close(self, framing: ServerFraming, code: int | None, reason: str = "") -> None:
        """Send a close frame, and end the connection once the client has answered it."""
        framing.close(code, reason)
        self._flush(framing)
        self._stop()
        self._linger()

    def _linger(self) -> None:
        """Read and drop what the client still sends, until it has closed or its time is over."""
        self._received.clear()
        self._waiting_bytes = 0
        self._resume()
        if self._closing is None and not self._is_lost:
            self._closing = self._serving.loop.call_later(CLOSE_SECONDS, self._transport.abort)

    def _lose(self) -> None:
        """Drop a client that left a ping unanswered."""
        self._receive_end(Closed(LOST, "a ping was not answered", "unanswered"))
        self._transport.abort()

    def _receive_end(self, end: Closed) -> None:
        """Pass the end of the web socket to the application, once."""
        if self._end is None:
            self._end = {
                "type": "websocket.disconnect",
                "code": end.code,
                "reason": end.reason,
                END: end.end,
            }
            self._stop()
            self._add(self._end, 0)

    def _add(self, event: Event, size: int) -> None:
        self._received.append(event)
        self._waiting_bytes += size + MESSAGE_BYTES
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _resume(self) -> None:
        if self._is_paused and not self._is_lost:
            self._is_paused = False
            self._transport.resume_reading()

    def _stop(self) -> None:
        heartbeat, self._heartbeat = self._heartbeat, None
        if heartbeat is not None:
            heartbeat.stop()

    def _flush(self, framing: ServerFraming) -> None:
        """Send what the framing has to send."""
        self._write(framing.output())

    def _write(self, pieces: list[bytes]) -> None:
        """Send bytes; an empty piece is the end of our side."""
        if not pieces or self._is_lost:
            return
        data = b"".join(pieces)
        if data:
            self._transport.write(data)
        if not pieces[-1]:
            self._end_output()

    def _end_output(self) -> None:
        """Close our side only: to close both would reset a connection with unread bytes."""
        if self._closing is None:
            self._closing = self._serving.loop.call_later(CLOSE_SECONDS, self._transport.abort)
        if self._transport.can_write_eof():
            with suppress(OSError):  # it was reset, and the loop has not noticed yet
                self._transport.write_eof()
        else:
            self._transport.close()
