"""The HTTP/1.1 protocol of one connection, in place of uvicorn's.

It parses strictly, and enforces timeouts for heads, bodies and answers before, or outside of, the
application.
"""

import asyncio
from collections import deque
from contextlib import suppress
from typing import Any, Final, cast

from bff_core.compat.uvicorn import Config, State
from bff_core.server.deadlines import BODY, HEAD, IDLE, ConnectionDeadlines
from bff_core.server.early_refusal import (
    BODY_TOO_SLOW,
    HEAD_TOO_LARGE,
    HEAD_TOO_SLOW,
    NOT_HTTP,
    READER_TOO_SLOW,
    EarlyRefusal,
)
from bff_core.server.parser import RequestReader
from bff_core.server.peer import Peer, has_arrived, reset
from bff_core.server.request_cycle import RequestCycle
from bff_core.server.response import ResponseRenderer
from bff_core.server.server_state import ServerState, serving_of
from bff_core.server.upgrade import handshake_of, upgrade
from bff_core.server.writer import ConnectionWriter

MAX_PIPELINED_REQUESTS: Final = 16
"""Pipelined requests that wait for an earlier answer, at most."""


class HTTPProtocol(asyncio.Protocol):
    """Replaces itself by a `ClientConnection` when a client connects."""

    def __init__(
        self,
        config: Config,
        server_state: State,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        serving: ServerState | None = None,
    ) -> None:
        self._serving = serving or serving_of(config, server_state, app_state, _loop)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Make the connection the transport's protocol."""
        stream = cast("asyncio.Transport", transport)
        connection = ClientConnection(self._serving, stream)
        stream.set_protocol(connection)
        self._serving.add(connection)


class ClientConnection(asyncio.Protocol):
    """One client connection, which answers requests in their order.

    A timer calls `check_deadlines`.
    """

    def __init__(self, serving: ServerState, transport: asyncio.Transport) -> None:
        self.serving = serving
        self.writer = ConnectionWriter(serving.loop, transport)
        can_upgrade = serving.config.ws_protocol_class is not None
        self._reader = RequestReader(self, serving.options, can_upgrade=can_upgrade)
        self._transport = transport
        self._peer = Peer(transport)
        self._deadlines = ConnectionDeadlines(serving.options, serving.now)
        self._cycle: RequestCycle | None = None
        self._incoming: RequestCycle | None = None
        self._queue: deque[RequestCycle | EarlyRefusal] = deque()
        self._ignores_input = self._is_lost = self._is_paused = False
        transport.set_write_buffer_limits(serving.options.send_buffer)

    def data_received(self, data: bytes) -> None:
        """Parse what the client sent."""
        if self._ignores_input:
            return
        if self._deadlines.stage <= IDLE:
            self._deadlines.await_head()
        if not self._reader.feed(data):
            self._interrupt()

    def eof_received(self) -> None:
        """Close the connection when the client closes its side, as most servers do."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the request in flight."""
        del exc
        self.serving.discard(self)
        self._is_lost = self._ignores_input = True
        self._deadlines.clear()
        self.writer.close()
        if self._cycle is not None:
            self._cycle.disconnect()
        self._cycle = self._incoming = None
        self._queue.clear()
        self._reader.close()

    def pause_writing(self) -> None:
        """Suspend the handler: the client reads too slowly."""
        self.writer.is_blocked = True

    def resume_writing(self) -> None:
        """Resume the handler."""
        self.writer.release()

    def begin(self) -> None:
        """Start a request, or queue it after the one in flight."""
        reader, serving = self._reader, self.serving
        # A client that does not read its answers gets no further one, not even a refusal.
        if self._cycle is None and not (serving.is_draining or self.writer.is_blocked):
            refusal = serving.early_shedding.reject(reader)
            if refusal is not None:
                self.writer.write(refusal)
                self._deadlines.await_body()  # which is read and dropped
                return
        answer = ResponseRenderer(
            has_body=reader.method != "HEAD",
            is_old=reader.version != "1.1",
            is_last=reader.is_last,
        )
        scope = self._peer.scope(reader, serving)
        cycle = self._incoming = RequestCycle(
            self, scope, answer, expects_continue=reader.expects_continue
        )
        self._deadlines.await_body()
        if self._cycle is None:
            self._start(cycle)
        else:
            self._queue.append(cycle)
            if len(self._queue) >= MAX_PIPELINED_REQUESTS:
                self._pause()

    def body(self, piece: bytes) -> None:
        """Pass a piece of the body to its request."""
        cycle = self._incoming
        if cycle is None or cycle.is_over:
            return
        cycle.add_body(piece)
        self._deadlines.extend(len(piece))
        if cycle.is_full:
            self._pause()

    def end(self) -> None:
        """Complete the body of a request."""
        cycle, self._incoming = self._incoming, None
        if cycle is not None:
            self._deadlines.clear()
            cycle.complete()
        elif self._cycle is None:  # refused
            self._deadlines.await_request()

    def resume(self) -> None:
        """Resume reading from the client."""
        if self._is_paused and len(self._queue) < MAX_PIPELINED_REQUESTS and not self._is_lost:
            self._is_paused = False
            self._transport.resume_reading()
            self._deadlines.resume()

    def after_answer(self, cycle: RequestCycle) -> None:
        """Continue after an answer: with the next request, or by closing the connection."""
        self.serving.state.total_requests += 1
        self._cycle = None
        if self._is_lost:
            return
        if cycle.answer.is_last:
            self._finish(is_body_read=not cycle.more_body)
        elif self._queue:
            self._next()
        else:
            self.resume()
            if self._reader.has_begun:
                self._deadlines.await_head()
            else:
                self._deadlines.await_request()

    def abort_answer(self, *, looks_complete: bool) -> None:
        """End the connection within an answer; reset it if the truncated answer looks complete."""
        self._ignores_input, self._cycle = True, None
        if looks_complete:
            reset(self._transport)
        else:
            self._transport.close()

    def shutdown(self) -> None:
        """Close the connection once it is idle; uvicorn's own server calls this at shutdown."""
        self.serving.is_draining = True
        self.end_event_stream()
        self.close_if_idle(0)

    def end_event_stream(self) -> None:
        """End an event stream, so that its client reconnects."""
        if self._cycle is not None:
            self._cycle.end_event_stream(self.serving.reconnect_event())

    def close_if_idle(self, seconds: float) -> None:
        """Close the connection if no request came for so many seconds, and none is arriving."""
        if self._deadlines.is_idle(self.serving.now(), seconds) and not has_arrived(
            self._transport
        ):
            self._transport.close()

    def cancel(self) -> bool:
        """Cancel the request in flight and close the connection; return whether there was one."""
        self._ignores_input = True
        self._queue.clear()
        if self._cycle is None:
            self._transport.close()
            return False
        self._cycle.cancel()
        return True

    def abort(self) -> None:
        """Reset the connection."""
        reset(self._transport)

    def check_deadlines(self, now: float) -> None:
        """Enforce the receive deadline and the send timeout."""
        if self._deadlines.due <= now:
            self._expire()
        if self.writer.is_stuck(now, self.serving.options.send_timeout):
            self.serving.refusals.report(READER_TOO_SLOW)
            reset(self._transport)

    def _start(self, cycle: RequestCycle) -> None:
        self._cycle = cycle
        task = cycle.task = self.serving.loop.create_task(cycle.run())
        self.serving.state.tasks.add(task)

    def _next(self) -> None:
        following = self._queue.popleft()
        self.resume()
        if isinstance(following, EarlyRefusal):
            self._write_refusal(following)
        else:
            self._start(following)

    def _expire(self) -> None:
        stage = self._deadlines.stage
        self._deadlines.clear()
        if stage == HEAD:
            self._refuse(HEAD_TOO_SLOW)
        elif stage == BODY and self._incoming is not None:
            self._refuse(BODY_TOO_SLOW)
        else:
            # No request was sent: a browser's preconnected socket would take a 408 as the answer to
            # its first request.
            self._transport.close()

    def _pause(self) -> None:
        """Pause reading; the time does not count against the client."""
        if not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()
            self._deadlines.pause()

    def _interrupt(self) -> None:
        """Handle the end of reading: a fault, or an upgrade."""
        fault = self._reader.fault
        if fault is not None and self._deadlines.stage == BODY and self._incoming is None:
            self._transport.close()  # the request was refused already
        elif fault is not None:
            self._refuse(fault)
        elif self._cycle is not None or self._reader.rest:
            # A client must wait for the answer to its handshake (RFC 6455, section 4.1).
            self._refuse(NOT_HTTP)
        elif (head := handshake_of(self._reader)) is None:
            self._refuse(HEAD_TOO_LARGE)
        else:
            self.serving.discard(self)
            self._ignores_input = self._is_lost = True
            due = self._deadlines.handshake_due()
            scope = self._peer.scope(self._reader, self.serving)
            upgrade(head, scope, self._transport, self.serving, due=due)
            self._reader.close()

    def _refuse(self, refusal: EarlyRefusal) -> None:
        """Stop reading, and report why: to the handler within a body, otherwise to the client."""
        self._ignores_input = True
        self._deadlines.clear()
        if self._incoming is not None and not self._incoming.is_over:
            self._incoming.answer.is_last = True
            self._incoming.fail(refusal)
        elif self._cycle is None:
            self._write_refusal(refusal)
        else:
            self._queue.append(refusal)

    def _write_refusal(self, refusal: EarlyRefusal) -> None:
        serving = self.serving
        received = self._reader.received
        self.writer.write(serving.refusals.render(refusal, serving.defaults, received=received))
        self._finish(is_body_read=False)

    def _finish(self, *, is_body_read: bool) -> None:
        """End the connection after its last answer.

        If the body was not read, only the sending side is closed, and input is read and dropped for
        a while: closing would reset the connection, and the client might lose the answer.
        """
        self._ignores_input = True
        self._queue.clear()
        if is_body_read or not self.serving.options.linger:
            self._transport.close()
            return
        if self._transport.can_write_eof():
            with suppress(OSError):  # it was reset, and the loop has not noticed yet
                self._transport.write_eof()
        self.resume()
        self._deadlines.await_close()
