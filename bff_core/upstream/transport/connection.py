"""An HTTP/1.1 connection: one exchange at a time; unsolicited bytes close it."""

import asyncio
import math
import select
import ssl
from typing import Final, Protocol, cast

from bff_core.call import Call
from bff_core.errors import DeadlineExceeded, TransportFailed
from bff_core.upstream.runtime import Runtime
from bff_core.upstream.transport.failures import RESPONSE_ERRORS, TruncatedResponse, upstream_error
from bff_core.upstream.transport.framing import ResponseFraming
from bff_core.upstream.transport.tls import CLIENT_CERTIFICATE, FAILED, Reason, reason_of

_MIN_TIMER_SECONDS: Final = 0.001
_WITHOUT_CLOSE: Final = "its end was not announced"
_MAX_LOOP_TURNS: Final = 8  # two are enough for the event loop to read what is there


class StaleConnection(Exception):
    """A reused connection ended before any byte of the response: the service had closed it."""


class Exchange(Protocol):
    """A request that was sent, and the response to it: buffered or streamed."""

    @property
    def call(self) -> Call:
        """The call that was sent."""
        ...

    @property
    def response(self) -> ResponseFraming:
        """The response so far."""
        ...

    def feed(self, data: bytes, /) -> None:
        """Take what was read; raise `ProtocolViolation`, `Undecodable` or `TooLarge`."""
        ...

    def end(self) -> None:
        """Deliver the complete response; raise `Undecodable`."""
        ...

    def fail(self, error: Exception, /) -> None:
        """End the exchange with an error."""
        ...


class Owner(Protocol):
    """The pool that a connection belongs to."""

    def release(self, connection: "WireConnection", /) -> None:
        """Take back a connection that can be used again."""
        ...

    def discard(self, connection: "WireConnection", /) -> None:
        """Forget a closed connection; may be called more than once for the same one."""
        ...


class WireConnection(asyncio.Protocol):
    """A connection of a pool, as the event loop's protocol.

    One timer serves many exchanges. It is set to the earliest deadline so far, and set again when
    it fires before the deadline of the current exchange.
    """

    def __init__(self, owner: Owner, runtime: Runtime, retires_at: float) -> None:
        self._owner = owner
        self._loop = runtime.loop
        self._clock = runtime.clock
        self._transport: asyncio.Transport | None = None
        self._poll = select.poll()
        self._exchange: Exchange | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = math.inf
        self._deadline = math.inf
        self._is_reused = False
        self._is_uploading = False
        self._writable: asyncio.Future[None] | None = None  # set while the service reads too slowly
        self.lost: asyncio.Future[None] = runtime.loop.create_future()
        self.cause = ""  # why the connection was lost, unless the gateway closed it
        self.refusal: Reason | None = None  # the reason, if TLS failed
        self.retires_at = retires_at
        self.idle_since = 0.0

    @property
    def is_active(self) -> bool:
        """Whether an exchange is under way."""
        return self._exchange is not None

    @property
    def is_open(self) -> bool:
        """Whether neither side has closed it."""
        return self._transport is not None and not self._transport.is_closing()

    def is_usable(self) -> bool:
        """Whether a request may be written: the connection is open and has no bytes to read."""
        transport = self._transport
        return transport is not None and not transport.is_closing() and not self._poll.poll(0)

    async def settle(self) -> None:
        """Read TLS messages that follow the handshake: session tickets (RFC 8446, 4.6.1), alerts.

        To `poll` they look like unsolicited bytes, which would close the connection. A service that
        refuses the client's certificate sends its alert here, after the handshake.
        """
        turns = 0
        while turns < _MAX_LOOP_TURNS and self.is_open and self._poll.poll(0):
            turns += 1
            await asyncio.sleep(0)
        if not self.is_open:
            await asyncio.wait((self.lost,))  # sets the cause

    def begin(self, exchange: Exchange, request: bytes) -> None:
        """Write a request; the exchange gets the bytes that arrive from now on."""
        transport = self._transport
        if transport is None or transport.is_closing():
            self.abort()
            raise TransportFailed("connection lost", call=exchange.call, is_sent=False)
        self._exchange = exchange
        self._is_uploading = not isinstance(exchange.call.body, bytes)
        self._set_deadline(exchange.call.deadline)
        transport.write(request)

    def write(self, data: bytes) -> None:
        """Write a part of a streamed body."""
        if self._transport is not None:
            self._transport.write(data)

    @property
    def unsent(self) -> int:
        """How many bytes that were written the system has not taken yet."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    async def drained(self) -> None:
        """Wait until the service has read enough of what was written, or the connection is lost."""
        if self._writable is not None:
            await self._writable

    def end_upload(self, exchange: Exchange, error: BaseException | None) -> None:
        """End the upload of a streamed body; its error, if any, fails the exchange."""
        if self._exchange is exchange:
            self._is_uploading = False
            if isinstance(error, Exception):
                self._fail(exchange, error)
            elif exchange.call.head_timeout and not exchange.response.has_begun:
                self._set_deadline(self._clock() + exchange.call.head_timeout)

    def leave(self, exchange: Exchange) -> None:
        """Close the connection if the exchange is still running: its caller has left."""
        if self._exchange is exchange:
            self.abort()

    def close(self, reason: str) -> None:
        """Close the connection and fail the exchange that is under way."""
        exchange = self._exchange
        self.abort()
        if exchange is not None:
            exchange.fail(TransportFailed(reason, call=exchange.call, is_sent=True))

    def lift_deadline(self, exchange: Exchange) -> None:
        """Remove the deadline of an exchange that is still under way."""
        if self._exchange is exchange:
            self._deadline = math.inf

    def pause(self) -> None:
        """Stop reading, so that the service has to wait."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume(self) -> None:
        """Continue reading."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def abort(self) -> None:
        """Close the connection without waiting for anything."""
        self._exchange = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._transport is not None:
            self._transport.abort()
        self._owner.discard(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Register the socket with `poll`, once for all later checks."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are so by structure
        self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        """Pass bytes to the exchange; without one they are unsolicited and close the connection."""
        exchange = self._exchange
        if exchange is None:
            self.abort()
            return
        try:
            exchange.feed(data)
            if exchange.response.is_complete:
                self._end(exchange)
        except RESPONSE_ERRORS as error:
            self._fail(exchange, upstream_error(error, exchange.call))

    def eof_received(self) -> None:
        """Handle the end of the connection, which completes a body of unknown length."""
        self._finish("" if self._is_end_announced() else _WITHOUT_CLOSE)

    def pause_writing(self) -> None:
        """Pause a streaming upload: the service reads too slowly."""
        self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        """Let a streaming upload continue."""
        writable, self._writable = self._writable, None
        if writable is not None and not writable.done():
            writable.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail the exchange that is under way."""
        self.resume_writing()
        self.cause, self.refusal = str(exc or ""), reason_of(exc)
        self._finish(self.cause or _WITHOUT_CLOSE)
        self._transport = None
        if not self.lost.done():
            self.lost.set_result(None)

    def _end(self, exchange: Exchange) -> None:
        """Deliver the reply; free the connection before the caller runs and could cancel."""
        exchange.end()
        transport = self._transport
        is_written = transport is not None and transport.get_write_buffer_size() == 0
        if exchange.response.is_reusable and is_written and not self._is_uploading:
            self._exchange = None
            self._is_reused = True
            self._owner.release(self)
        else:
            self.abort()

    def _is_end_announced(self) -> bool:
        """Whether the service itself closed the connection; over TLS it sends `close_notify`.

        Without `close_notify` an attacker may have truncated the body (RFC 9112, section 9.8). A
        read returns nothing after `close_notify`; otherwise it raises `SSLWantReadError`.
        """
        transport = self._transport
        tls = None if transport is None else transport.get_extra_info("ssl_object")
        try:
            return tls is None or not tls.read(1)
        except ssl.SSLError:
            return False

    def _finish(self, cause: str) -> None:
        """End the exchange: by the end of the connection, or with the cause of its loss."""
        exchange = self._exchange
        if exchange is None:
            self.abort()
            return
        if self._is_reused and not exchange.response.has_begun:
            self._fail(exchange, StaleConnection())
            return
        try:
            if cause and self.refusal is not None:
                self._fail(exchange, self.explain_refusal(exchange.call))
                return
            if cause:
                raise TruncatedResponse(f"connection lost: {cause}")
            exchange.response.feed_eof()
            self._end(exchange)
        except RESPONSE_ERRORS as error:
            self._fail(exchange, upstream_error(error, exchange.call))

    def explain_refusal(self, call: Call) -> TransportFailed:
        """Return the error of a connection that TLS ended.

        With TLS 1.3 a service verifies our certificate after the handshake, when a request may
        have arrived. It does not process that request: the first one counts as not sent.
        """
        reason, exchange = self.refusal or FAILED, self._exchange
        is_first = not self._is_reused and not (exchange and exchange.response.has_begun)
        return TransportFailed(
            f"connection lost: {self.cause}: {reason.text}",
            call=call,
            is_sent=not (is_first and reason is CLIENT_CERTIFICATE),
            code=reason.code,
            is_lasting=is_first,
        )

    def _fail(self, exchange: Exchange, error: Exception) -> None:
        self.abort()
        exchange.fail(error)

    def _set_deadline(self, deadline: float) -> None:
        self._deadline = deadline
        if self._timer is None or deadline < self._timer_at:
            if self._timer is not None:
                self._timer.cancel()
            left = max(_MIN_TIMER_SECONDS, deadline - self._clock())
            self._timer_at = deadline
            self._timer = self._loop.call_later(left, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        exchange = self._exchange
        if exchange is None or self._deadline == math.inf:
            return
        if self._clock() >= self._deadline:
            self._fail(exchange, DeadlineExceeded("no reply in time", call=exchange.call))
        else:
            self._set_deadline(self._deadline)
