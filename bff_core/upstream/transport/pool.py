"""The connection pool of one endpoint."""

import asyncio
import ssl
from collections import OrderedDict
from functools import partial
from typing import Final, NoReturn

from bff_core.call import Attempt, Call, Reply
from bff_core.errors import DeadlineExceeded, TransportFailed
from bff_core.policy.upstream.connection import Connection
from bff_core.streamed_body import StreamedBody
from bff_core.upstream.runtime import Runtime
from bff_core.upstream.transport.buffered_exchange import BufferedExchange
from bff_core.upstream.transport.connection import Exchange, StaleConnection, WireConnection
from bff_core.upstream.transport.dialer import Dialer
from bff_core.upstream.transport.framing import ResponseFraming
from bff_core.upstream.transport.interface import Endpoint, Load
from bff_core.upstream.transport.request_writer import RequestWriter
from bff_core.upstream.transport.streamed_exchange import StreamedExchange
from bff_core.upstream.transport.upload import upload

MIN_TIMER_SECONDS: Final = 0.001
"""Event loops round timers to milliseconds."""


class Pool:
    """A pool of at most `max_connections` connections, last in, first out; calls wait in turn.

    A connection has a slot while it is in `_held`. To remove it from that set frees the slot: that
    happens once, even if several places close the connection. The first waiter gets a free slot:
    with a connection, or with None, which allows it to open one.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        options: Connection,
        runtime: Runtime,
        context: ssl.SSLContext | None,
    ) -> None:
        self.endpoint = endpoint
        self._options = options
        self._loop = runtime.loop
        self._clock = runtime.clock
        self._budget = runtime.budget
        self._dialer = Dialer(endpoint, options, runtime, context)
        self._writer = RequestWriter(endpoint, options, runtime.agent)
        self._idle: list[WireConnection] = []  # sorted by idle_since, as a stack is
        self._held: set[WireConnection] = set()
        self._opening = 0
        self._waiters: OrderedDict[asyncio.Future[WireConnection | None], None] = OrderedDict()
        self._sweeper: asyncio.TimerHandle | None = None
        self._is_closed = False

    def __repr__(self) -> str:
        load = self.load
        return (
            f"<wire {self.endpoint.name}: {load.idle} idle, {load.active} active, "
            f"{load.waiting} waiting>"
        )

    @property
    def load(self) -> Load:
        """Idle connections, active ones (including those being opened), and waiting calls."""
        active = len(self._held) - len(self._idle) + self._opening
        return Load(len(self._idle), active, len(self._waiters))

    async def send(self, call: Call) -> Reply:
        """Send a call and return the reply; see `Connector.send`."""
        try:
            now = self._clock()
            request = self._render(call, now)
            connection = self._take_idle(now)
            if connection is None:
                connection = await self._acquire(call, is_fresh=False)
                request = self._render_for(connection, call)
        except BaseException:  # a cancelled wait, too
            call.mark_unsent()
            raise
        if call.is_streamed:
            return await self._send_streamed(call, connection, request)
        while True:
            exchange = BufferedExchange(
                call, self._expect(call), self._loop, cap=self._options.max_body
            )
            try:
                connection.begin(exchange, request)
                if not isinstance(call.body, bytes):
                    return await self._uploaded(call.body, connection, exchange)
                return await exchange.future
            except StaleConnection:
                pass  # never a new connection, so that this happens once
            finally:
                connection.leave(exchange)
                del exchange  # otherwise the traceback of an error forms a cycle with it
            connection, request = await self._reopen(call)

    async def _send_streamed(self, call: Call, connection: WireConnection, request: bytes) -> Reply:
        try:
            exchange = await self._open_stream(call, connection, request)
        except StaleConnection:
            exchange = await self._open_stream(call, *await self._reopen(call))
        body = exchange.body()
        exchange.on_time_out = body.fail
        return Reply(exchange.status, exchange.headers, body)

    async def aclose(self) -> None:
        """Close every connection; calls under way and waiting calls fail."""
        self._is_closed = True
        while self._hand_over(None):
            continue  # each waiter finds the pool closed
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        held = list(self._held)
        for connection in held:
            connection.close("the connector was closed")
        for connection in held:
            await connection.lost

    def release(self, connection: WireConnection) -> None:
        """Give a free connection to the first waiter, or store it for the next call."""
        now = self._clock()
        if now >= connection.retires_at or self._options.idle_expiry == 0 or self._is_closed:
            connection.abort()
        elif not self._hand_over(connection):
            connection.idle_since = now
            self._idle.append(connection)
            if self._sweeper is None:
                self._sweeper = self._loop.call_later(self._options.idle_expiry, self._sweep)

    def discard(self, connection: WireConnection) -> None:
        """Free the slot of a connection, unless that was done before."""
        if connection in self._held:
            self._held.remove(connection)
            if connection in self._idle:
                self._idle.remove(connection)
            self._hand_over(None)

    def _render(self, call: Call, now: float) -> bytes:
        left = call.deadline - now
        if left <= 0:
            raise DeadlineExceeded("no time left to send", call=call, is_sent=False)
        return self._writer.render(call, left)

    def _render_for(self, connection: WireConnection, call: Call) -> bytes:
        """Render a call after a wait; raise `DeadlineExceeded` if its deadline has passed."""
        try:
            return self._render(call, self._clock())
        except DeadlineExceeded:
            self.release(connection)
            raise

    async def _uploaded(
        self, body: StreamedBody, connection: WireConnection, exchange: BufferedExchange
    ) -> Reply:
        """Send a streamed body and return the reply, which may arrive before the body ends.

        The rest of the body is then not sent: the service has refused it.
        """
        task = self._upload(body, connection, exchange)
        try:
            return await exchange.future
        finally:
            task.cancel()

    def _upload(
        self, body: StreamedBody, connection: WireConnection, exchange: Exchange
    ) -> asyncio.Task[None]:
        task = self._loop.create_task(upload(body, connection))
        task.add_done_callback(partial(_end_upload, connection, exchange))
        return task

    def _expect(self, call: Call) -> ResponseFraming:
        may_upgrade = call.web_socket is not None
        return ResponseFraming(
            self._options, is_head=call.method == "HEAD", may_upgrade=may_upgrade
        )

    async def _open_stream(
        self, call: Call, connection: WireConnection, request: bytes
    ) -> StreamedExchange:
        expected = self._expect(call)
        if call.web_socket is None:
            streamed = StreamedExchange(call, expected, connection, self._options, self._loop)
        else:
            # Here, since it needs an extra that most gateways do without.
            from bff_core.upstream.transport.socket_exchange import SocketExchange  # noqa: PLC0415

            streamed = opening = SocketExchange(
                call,
                expected,
                connection,
                self._options,
                self._loop,
                offer=call.web_socket,
            )
            request = opening.offered(request)
        try:
            connection.begin(streamed, request)
            if not isinstance(call.body, bytes):
                streamed.upload = self._upload(call.body, connection, streamed)
            await streamed.head()
        except BaseException:
            streamed.close()
            raise
        connection.lift_deadline(streamed)
        return streamed

    def _take_idle(self, now: float) -> WireConnection | None:
        """Return the connection that was used last, if it may be used again."""
        oldest = now - self._options.idle_expiry
        while self._idle:
            connection = self._idle.pop()
            is_young = connection.idle_since > oldest and now < connection.retires_at
            if is_young and connection.is_usable():
                return connection
            connection.abort()
        return None

    async def _reopen(self, call: Call) -> tuple[WireConnection, bytes]:
        """Replace a stale connection, once, if the call may be sent again.

        This counts as an attempt, and costs a retry of the budget. The service may have received
        the first request: only an idempotent call is sent again (RFC 9110, section 9.2.2).
        """
        now = self._clock()
        if not self._may_resend(call, now):
            message = "the service closed the connection without an answer"
            raise TransportFailed(message, call=call, is_sent=True) from None
        call.trail.append(Attempt(self.endpoint, now))
        try:
            connection = await self._acquire(call, is_fresh=True)
            return connection, self._render_for(connection, call)
        except BaseException:
            call.mark_unsent()
            raise

    def _may_resend(self, call: Call, now: float) -> bool:
        budget = self._budget
        if not call.is_idempotent or not call.can_be_sent_again or call.is_hedge:
            return False
        return budget is None or (len(call.trail) < budget.attempts and budget.withdraw(now))

    async def _acquire(self, call: Call, *, is_fresh: bool) -> WireConnection:
        """Open a connection, or wait for one in turn; with `is_fresh` it must be a new one."""
        if is_fresh and self._is_full and self._idle:
            self._idle[0].abort()
        if not self._is_full:
            self._opening += 1
        elif (handed := await self._wait(call)) is not None:
            if not is_fresh and not self._is_closed and handed.is_usable():
                self._hold(handed)
                return handed
            handed.abort()
        return await self._open(call)

    @property
    def _is_full(self) -> bool:
        return len(self._held) + self._opening >= self._options.max_connections

    async def _wait(self, call: Call) -> WireConnection | None:
        """Wait in turn for a slot, with or without a connection."""
        waiter: asyncio.Future[WireConnection | None] = self._loop.create_future()
        self._waiters[waiter] = None
        try:
            async with asyncio.timeout(call.deadline - self._clock()):
                return await waiter
        except BaseException as error:
            self._waiters.pop(waiter, None)
            if waiter.done() and not waiter.cancelled():  # it got a slot just now
                self._give_back(waiter.result())
            if isinstance(error, TimeoutError):
                message = "no connection became free"
                raise DeadlineExceeded(message, call=call, is_sent=False) from None
            raise

    def _hand_over(self, connection: WireConnection | None) -> bool:
        """Give a slot to the first waiter; until it runs, the slot counts as being opened."""
        while self._waiters:
            waiter, _ = self._waiters.popitem(last=False)
            if not waiter.done():
                if connection is not None:
                    self._held.discard(connection)
                self._opening += 1
                waiter.set_result(connection)
                return True
        return False

    def _hold(self, connection: WireConnection) -> None:
        self._opening -= 1
        self._held.add(connection)

    def _give_back(self, connection: WireConnection | None) -> None:
        """Free a slot that its waiter or opener did not use."""
        if connection is not None and connection.is_usable():
            self._hold(connection)
            self.release(connection)
            return
        if connection is not None:
            connection.abort()
        self._opening -= 1
        self._hand_over(None)

    async def _open(self, call: Call) -> WireConnection:
        if self._is_closed:
            self._give_back(None)
            raise TransportFailed("the connector was closed", call=call, is_sent=False)
        try:
            connection = await self._dialer.dial(self, call)
        except BaseException:
            self._give_back(None)
            raise
        self._hold(connection)
        if self._is_closed:
            self._refuse(connection, call, "the connector was closed")
        # Under TLS the socket may have session tickets to read; `settle` has read the rest.
        if not (connection.is_open if self.endpoint.is_secure else connection.is_usable()):
            if connection.refusal is not None:
                connection.abort()
                raise connection.explain_refusal(call)
            self._refuse(
                connection,
                call,
                connection.cause or "unsolicited bytes, or closed",
            )
        return connection

    def _refuse(self, connection: WireConnection, call: Call, reason: str) -> NoReturn:
        connection.abort()
        raise TransportFailed(f"connection lost: {reason}", call=call, is_sent=False)

    def _sweep(self) -> None:
        """Close connections that are idle for too long; schedule the next sweep."""
        self._sweeper = None
        now = self._clock()
        oldest = now - self._options.idle_expiry
        for connection in list(self._idle):
            if connection.idle_since <= oldest or now >= connection.retires_at:
                connection.abort()
        if self._idle:
            first = self._idle[0].idle_since - oldest
            self._sweeper = self._loop.call_later(max(MIN_TIMER_SECONDS, first), self._sweep)


def _end_upload(connection: WireConnection, exchange: Exchange, task: asyncio.Task[None]) -> None:
    connection.end_upload(exchange, None if task.cancelled() else task.exception())
