"""One request in flight: the `receive` and `send` of ASGI over one connection."""

import asyncio
from typing import Any, Final, Protocol

from starlette.exceptions import HTTPException

from bff_core.http_exchange.request_context import CUT
from bff_core.server.early_refusal import CRASHED, UNFINISHED, EarlyRefusal
from bff_core.server.response import EVENTS, LINES, Message, ResponseRenderer
from bff_core.server.server_state import ServerState
from bff_core.server.writer import ConnectionWriter

MAX_BUFFERED_BYTES: Final = 64 * 1024
"""Unread bytes of a body, at most; beyond them reading from the client is paused."""

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class CycleConnection(Protocol):
    """The part of a connection that a request uses."""

    @property
    def serving(self) -> ServerState:
        """The state of the process."""
        ...

    @property
    def writer(self) -> ConnectionWriter:
        """The sending half of the connection."""
        ...

    def resume(self) -> None:
        """Resume reading: the handler wants more of the body."""

    def after_answer(self, cycle: "RequestCycle", /) -> None:
        """Continue after the end of an answer."""

    def abort_answer(self, *, looks_complete: bool) -> None:
        """End the connection within an answer; reset it if the truncated answer looks complete."""


class RequestCycle:
    """One request and its answer. The connection feeds the body, and reports a disconnect.

    `is_over` is set when nothing more can be sent: it was answered, cancelled or abandoned.
    """

    __slots__ = (
        "_buffered",
        "_connection",
        "_expects_continue",
        "_fault",
        "_is_read",
        "_pieces",
        "_reader",
        "answer",
        "is_over",
        "more_body",
        "scope",
        "task",
    )

    def __init__(
        self,
        connection: CycleConnection,
        scope: dict[str, Any],
        answer: ResponseRenderer,
        *,
        expects_continue: bool,
    ) -> None:
        self._connection = connection
        self.scope = scope
        self.answer = answer
        self.task: asyncio.Task[None] | None = None
        self.is_over = False
        self.more_body = True
        self._buffered = 0
        self._pieces: list[bytes] = []
        self._is_read = False
        self._expects_continue = expects_continue
        self._fault: EarlyRefusal | None = None
        self._reader: asyncio.Future[None] | None = None

    @property
    def is_full(self) -> bool:
        """Whether the unread part of the body exceeds the limit."""
        return self._buffered > MAX_BUFFERED_BYTES

    async def run(self) -> None:
        """Call the application; if it does not answer, answer or abort in its place."""
        serving = self._connection.serving
        try:
            if self._fault is None or serving.reads_faults:
                await serving.app(self.scope, self.receive, self.send)
        except asyncio.CancelledError:
            if not self.is_over:  # cancelled by the shutdown, not by a disconnect
                self._give_up(UNFINISHED)
        except Exception as error:  # noqa: BLE001 - the connection survives what the app does
            if self._fault is None:
                serving.refusals.crashed(error, self.scope, has_started=self.answer.has_started)
        finally:
            if not self.is_over:
                self._give_up(self._fault or CRASHED)
            if self.task is not None:
                serving.state.tasks.discard(self.task)
            self.task = None  # the task refers to this frame: avoid a reference cycle

    def add_body(self, body: bytes) -> None:
        """Add a piece of the body; it is dropped after the answer."""
        if not self.is_over:
            self._pieces.append(body)
            self._buffered += len(body)
            self._wake()

    def complete(self) -> None:
        """Complete the body."""
        self.more_body = False
        self._wake()

    def fail(self, fault: EarlyRefusal) -> None:
        """Report that the body will never be complete.

        A gateway gets an exception from `receive`, and answers. Another application is cancelled,
        and the server answers: ASGI has no message for an incomplete body, and an exception would
        become a 500.
        """
        self._fault = fault
        if self.task is not None and not self._connection.serving.reads_faults:
            self._give_up(fault)
            self._cancel_task()
        self._wake()

    def disconnect(self) -> None:
        """Cancel the handler, unless it has answered: the client left."""
        if not self.is_over:
            self.is_over = True
            self._cancel_task()
            self._wake()

    def end_event_stream(self, last_event: bytes) -> None:
        """End an event stream after its last whole event: the client reconnects, elsewhere."""
        if self.answer.media == EVENTS and not self.is_over:
            self._connection.writer.write(self.answer.end_early(last_event, is_end=True))
            self.disconnect()
            self._connection.after_answer(self)

    def cancel(self) -> None:
        """Cancel the handler at shutdown; answer 503 if the answer has not begun."""
        if not self.is_over:
            self._give_up(UNFINISHED)
            self._cancel_task()

    async def receive(self) -> dict[str, Any]:
        """Return the next piece of the body, or `http.disconnect`.

        Raises `HTTPException`, in a gateway, if the body is malformed or too slow.
        """
        if self._expects_continue:
            self._expects_continue = False
            if not self._pieces and self.more_body:
                self._connection.writer.write(CONTINUE)
        while not self._has_message():
            self._connection.resume()
            self._reader = self._connection.serving.loop.create_future()
            await self._reader
        if self.is_over:
            return {"type": "http.disconnect"}
        if self._fault is not None:
            raise HTTPException(self._fault.status, self._fault.detail, {"connection": "close"})
        self._is_read = not self.more_body
        pieces, self._pieces, self._buffered = self._pieces, [], 0
        body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        return {"type": "http.request", "body": body, "more_body": self.more_body}

    async def send(self, message: Message) -> None:
        """Send a message of the answer; wait while the client reads too slowly."""
        answer, connection = self.answer, self._connection
        if self.is_over and not answer.is_complete:
            return  # the client left, and the handler is cancelled
        if not answer.has_started:
            serving = connection.serving
            # The rest of the body would be parsed as the next request.
            answer.is_last = answer.is_last or self.more_body or serving.is_draining
            data = answer.start(message, serving.defaults)
            if data:
                connection.writer.write(data)
            return
        if connection.writer.is_blocked:
            await connection.writer.drained()
            if self.is_over:
                return
        for piece in answer.body(message):
            connection.writer.write(piece)
        if answer.is_complete:
            self.is_over = True
            self._wake()
            connection.after_answer(self)

    def _has_message(self) -> bool:
        is_new_end = not self.more_body and not self._is_read
        return bool(self._pieces or self.is_over or self._fault is not None or is_new_end)

    def _cancel_task(self) -> None:
        task = self.task
        if task is not None:
            # A task that is cancelled before its first step does not run its `finally`.
            task.add_done_callback(self._connection.serving.state.tasks.discard)
            task.cancel()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def _give_up(self, refusal: EarlyRefusal) -> None:
        """Answer in the application's place; if the answer has started, abort it."""
        answer, connection = self.answer, self._connection
        serving, writer = connection.serving, connection.writer
        self.is_over = True
        if not answer.has_started:
            self.scope[CUT] = refusal.status
            has_body = self.scope["method"] != "HEAD"
            writer.write(
                serving.refusals.render(
                    refusal, serving.defaults, scope=self.scope, has_body=has_body
                )
            )
            answer.is_last = True
            connection.after_answer(self)
            return
        if answer.media == LINES and refusal is UNFINISHED:
            line = serving.refusals.line(refusal, self.scope)
            writer.write(answer.end_early(line, is_end=False))
        connection.abort_answer(looks_complete=answer.is_old)
