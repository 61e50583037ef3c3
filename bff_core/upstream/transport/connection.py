"""One socket: at most one exchange at a time, and never a byte that nobody asked for."""

import asyncio
import math
import select
import ssl
from typing import Final, Protocol, cast

from bff_core.call import Call
from bff_core.errors import DeadlineExceeded, TransportFailed
from bff_core.upstream.runtime import Runtime
from bff_core.upstream.transport.failures import UNREADABLE, Cut, explain
from bff_core.upstream.transport.framing import ResponseFraming
from bff_core.upstream.transport.tls import CLIENT_CERTIFICATE, FAILED, Reason, reason_of

_EARLIEST: Final = 0.001
_UNTOLD: Final = "its end was not told"
_TURNS: Final = 8  # of the event loop; two are enough for it to read what is there


class Stale(Exception):
    """A reused connection ended before the service can have answered."""


class Exchange(Protocol):
    """A request that was sent and the response that is awaited, whole or streamed."""

    @property
    def call(self) -> Call:
        """What was asked."""
        ...

    @property
    def response(self) -> ResponseFraming:
        """What was answered so far."""
        ...

    def feed(self, data: bytes, /) -> None:
        """Take what was read; raise `Violation`, `Undecodable` or `TooLarge`."""
        ...

    def end(self) -> None:
        """Hand over what is complete; raise `Undecodable`."""
        ...

    def fail(self, error: Exception, /) -> None:
        """There will be no more of it."""
        ...


class Owner(Protocol):
    """Where connections come from and return to."""

    def release(self, connection: "WireConnection", /) -> None:
        """Take back a connection that can be used again."""
        ...

    def discard(self, connection: "WireConnection", /) -> None:
        """Forget a connection that can't; may be told more than once."""
        ...


class WireConnection(asyncio.Protocol):
    """A connection of a pool.

    One timer serves many exchanges: it is set for the earliest deadline seen, and when it fires
    early for the present one, it is set again.
    """

    def __init__(self, owner: Owner, runtime: Runtime, retires_at: float) -> None:
        self._owner = owner
        self._loop = runtime.loop
        self._clock = runtime.clock
        self._transport: asyncio.Transport | None = None
        self._poll = select.poll()
        self._exchange: Exchange | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = math.inf
        self._deadline = math.inf
        self._is_reused = False
        self._is_uploading = False
        self._writable: asyncio.Future[None] | None = None  # while the service reads too slowly
        self.lost: asyncio.Future[None] = runtime.loop.create_future()
        self.cause = ""  # why it was lost, where that was not our doing
        self.refusal: Reason | None = None  # the same, where TLS says it
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
        """Whether a request may be written: open, and nothing is there to read."""
        transport = self._transport
        return transport is not None and not transport.is_closing() and not self._poll.poll(0)

    async def settle(self) -> None:
        """Read what TLS itself says after its handshake, session tickets (RFC 8446, 4.6.1) say.

        It looks to the kernel like a service that speaks before it is asked, which then ends the
        connection; the loop tells the two apart as it reads. So it does with an alert: the client's
        certificate is judged after the handshake, and refused there.
        """
        turns = 0
        while turns < _TURNS and self.is_open and self._poll.poll(0):
            turns += 1
            await asyncio.sleep(0)
        if not self.is_open:
            await asyncio.wait((self.lost,))  # for the cause

    def begin(self, exchange: Exchange, request: bytes) -> None:
        """Write a request; what is read from now on goes to the exchange."""
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

    async def drained(self) -> None:
        """Wait until the service has read enough of what was written, or the connection is lost."""
        if self._writable is not None:
            await self._writable

    def end_upload(self, exchange: Exchange, error: BaseException | None) -> None:
        """Note that a streamed body was written, or fail what is under way by its error."""
        if self._exchange is exchange:
            self._is_uploading = False
            if isinstance(error, Exception):
                self._fail(exchange, error)

    def leave(self, exchange: Exchange) -> None:
        """Close at once if the exchange is still under way: its caller is gone."""
        if self._exchange is exchange:
            self.abort()

    def close(self, reason: str) -> None:
        """Close at once and fail what is under way."""
        exchange = self._exchange
        self.abort()
        if exchange is not None:
            exchange.fail(TransportFailed(reason, call=exchange.call, is_sent=True))

    def lift_deadline(self, exchange: Exchange) -> None:
        """Let an exchange that is still under way go on for as long as it likes."""
        if self._exchange is exchange:
            self._deadline = math.inf

    def pause(self) -> None:
        """Stop reading, so that the service has to wait."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read on."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def abort(self) -> None:
        """Close without waiting for anything."""
        self._exchange = None
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._transport is not None:
            self._transport.abort()
        self._owner.discard(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Register the socket once for all checks to come."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are so by structure
        self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        """Feed the exchange; bytes that nobody asked for close the connection."""
        exchange = self._exchange
        if exchange is None:
            self.abort()
            return
        try:
            exchange.feed(data)
            if exchange.response.is_complete:
                self._end(exchange)
        except UNREADABLE as error:
            self._fail(exchange, explain(error, exchange.call))

    def eof_received(self) -> None:
        """Finish a body that has no other end; there is no use for half a connection."""
        self._finish("" if self._is_end_told() else _UNTOLD)

    def pause_writing(self) -> None:
        """Let who streams a body wait: the service reads more slowly."""
        self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        """Let who streams a body go on."""
        writable, self._writable = self._writable, None
        if writable is not None and not writable.done():
            writable.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail what is under way."""
        self.resume_writing()
        self.cause, self.refusal = str(exc or ""), reason_of(exc)
        self._finish(self.cause or _UNTOLD)
        self._transport = None
        if not self.lost.done():
            self.lost.set_result(None)

    def _end(self, exchange: Exchange) -> None:
        """Free the connection before its reply is seen: the caller's cancel can't touch it."""
        exchange.end()
        transport = self._transport
        is_written = transport is not None and transport.get_write_buffer_size() == 0
        if exchange.response.is_reusable and is_written and not self._is_uploading:
            self._exchange = None
            self._is_reused = True
            self._owner.release(self)
        else:
            self.abort()

    def _is_end_told(self) -> bool:
        """Whether the service itself ended the connection: TLS says so by `close_notify`.

        Without it anybody on the way can have cut the body there (RFC 9112, section 9.8). After it,
        TLS reads nothing; before it, there is always more to want.
        """
        transport = self._transport
        tls = None if transport is None else transport.get_extra_info("ssl_object")
        try:
            return tls is None or not tls.read(1)
        except ssl.SSLError:
            return False

    def _finish(self, cause: str) -> None:
        """End what is under way: by the end of the connection, or by the cause of its loss."""
        exchange = self._exchange
        if exchange is None:
            self.abort()
            return
        if self._is_reused and not exchange.response.has_begun:
            self._fail(exchange, Stale())
            return
        try:
            if cause and self.refusal is not None:
                self._fail(exchange, self.explain_refusal(exchange.call))
                return
            if cause:
                raise Cut(f"connection lost: {cause}")
            exchange.response.feed_eof()
            self._end(exchange)
        except UNREADABLE as error:
            self._fail(exchange, explain(error, exchange.call))

    def explain_refusal(self, call: Call) -> TransportFailed:
        """Return the error of a connection that TLS ended.

        With TLS 1.3 a service judges our certificate after it may have received a request, which
        it then does not pass on: the first request of a connection was not received.
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
        if self._alarm is None or deadline < self._alarm_at:
            if self._alarm is not None:
                self._alarm.cancel()
            left = max(_EARLIEST, deadline - self._clock())
            self._alarm_at = deadline
            self._alarm = self._loop.call_later(left, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        exchange = self._exchange
        if exchange is None or self._deadline == math.inf:
            return
        if self._clock() >= self._deadline:
            self._fail(exchange, DeadlineExceeded("no reply in time", call=exchange.call))
        else:
            self._set_deadline(self._deadline)
