"""One request in flight: what the application receives and sends, over one connection."""

import asyncio
from typing import Any, Final, Protocol

from starlette.exceptions import HTTPException

from bff_core.http_exchange.request_context import CUT
from bff_core.server.early_refusal import CRASHED, UNFINISHED, EarlyRefusal
from bff_core.server.response import EVENTS, LINES, Message, ResponseRenderer
from bff_core.server.server_state import ServerState
from bff_core.server.writer import ConnectionWriter

MAX_BUFFERED_BYTES: Final = 64 * 1024
"""Bytes of a body that wait for the handler; beyond them the client has to wait."""

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class CycleConnection(Protocol):
    """The connection, as a cycle sees it."""

    @property
    def serving(self) -> ServerState:
        """What all connections share."""
        ...

    @property
    def writer(self) -> ConnectionWriter:
        """Takes the bytes of answers."""
        ...

    def resume(self) -> None:
        """Read on: more of the body is wanted."""

    def answered(self, cycle: "RequestCycle", /) -> None:
        """Go on behind the end of an answer."""

    def break_off(self, *, looks_complete: bool) -> None:
        """End the connection amid an answer; a truncated one must not look complete."""


class RequestCycle:
    """A request as ASGI sees it. The connection feeds its body and says when the client left.

    `is_over` once nothing more can be sent: it was answered, the client left, or it was cut.
    """

    __slots__ = (
        "_buffered",
        "_continues",
        "_fault",
        "_is_read",
        "_pieces",
        "_reader",
        "_wire",
        "answer",
        "is_over",
        "more_body",
        "scope",
        "task",
    )

    def __init__(
        self,
        wire: CycleConnection,
        scope: dict[str, Any],
        answer: ResponseRenderer,
        *,
        continues: bool,
    ) -> None:
        self._wire = wire
        self.scope = scope
        self.answer = answer
        self.task: asyncio.Task[None] | None = None
        self.is_over = False
        self.more_body = True
        self._buffered = 0
        self._pieces: list[bytes] = []
        self._is_read = False
        self._continues = continues
        self._fault: EarlyRefusal | None = None
        self._reader: asyncio.Future[None] | None = None

    @property
    def is_full(self) -> bool:
        """Whether more of the body waits than should."""
        return self._buffered > MAX_BUFFERED_BYTES

    async def run(self) -> None:
        """Call the application; where it does not answer, answer or break the connection for it."""
        serving = self._wire.serving
        try:
            if self._fault is None or serving.reads_faults:
                await serving.app(self.scope, self.receive, self.send)
        except asyncio.CancelledError:
            if not self.is_over:  # at the end of the process: the client did not leave
                self._give_up(UNFINISHED)
        except Exception as error:  # noqa: BLE001 - the connection survives what the app does
            if self._fault is None:
                serving.refusals.crashed(error, self.scope, has_started=self.answer.has_started)
        finally:
            if not self.is_over:
                self._give_up(self._fault or CRASHED)
            if self.task is not None:
                serving.state.tasks.discard(self.task)
            self.task = None  # it refers to this frame: no reference cycle stays behind

    def take(self, body: bytes) -> None:
        """Take a piece of the body; what comes behind the answer is of no interest."""
        if not self.is_over:
            self._pieces.append(body)
            self._buffered += len(body)
            self._wake()

    def complete(self) -> None:
        """Take note that the body is complete."""
        self.more_body = False
        self._wake()

    def fail(self, fault: EarlyRefusal) -> None:
        """Take note that the body will never be complete.

        A gateway learns it from `receive`, and answers. Another application is cancelled, as if
        the client had left, and the server answers: ASGI has no message for a broken body, and an
        exception would become a 500.
        """
        self._fault = fault
        if self.task is not None and not self._wire.serving.reads_faults:
            self._give_up(fault)
            self._cancel()
        self._wake()

    def leave(self) -> None:
        """Cancel the handler unless it has answered: its client left."""
        if not self.is_over:
            self.is_over = True
            self._cancel()
            self._wake()

    def reconnect(self, last_event: bytes) -> None:
        """End a stream of events where one ends: its client connects anew, elsewhere."""
        if self.answer.media == EVENTS and not self.is_over:
            self._wire.writer.write(self.answer.end_early(last_event, is_end=True))
            self.leave()
            self._wire.answered(self)

    def cut(self) -> None:
        """Cancel the handler because the process ends; answer 503 if the answer has not begun."""
        if not self.is_over:
            self._give_up(UNFINISHED)
            self._cancel()

    async def receive(self) -> dict[str, Any]:
        """Return the next piece of the body, or that the client left or was answered.

        Raises `HTTPException` for a gateway where the body is broken or too slow.
        """
        if self._continues:
            self._continues = False
            if not self._pieces and self.more_body:
                self._wire.writer.write(CONTINUE)
        while not self._has_news():
            self._wire.resume()
            self._reader = self._wire.serving.loop.create_future()
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
        """Take a message of the answer; waits while the client takes less than it is sent."""
        answer, wire = self.answer, self._wire
        if self.is_over and not answer.is_complete:
            return  # the client left, and the handler is cancelled
        if not answer.has_started:
            serving = wire.serving
            # What is left of the body would be read as the next request.
            answer.is_last = answer.is_last or self.more_body or serving.is_draining
            data = answer.start(message, serving.defaults)
            if data:
                wire.writer.write(data)
            return
        if wire.writer.is_blocked:
            await wire.writer.drained()
            if self.is_over:
                return
        for piece in answer.body(message):
            wire.writer.write(piece)
        if answer.is_complete:
            self.is_over = True
            self._wake()
            wire.answered(self)

    def _has_news(self) -> bool:
        is_new_end = not self.more_body and not self._is_read
        return bool(self._pieces or self.is_over or self._fault is not None or is_new_end)

    def _cancel(self) -> None:
        task = self.task
        if task is not None:
            # A task that is cancelled before its first step never gets to take itself out.
            task.add_done_callback(self._wire.serving.state.tasks.discard)
            task.cancel()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def _give_up(self, refusal: EarlyRefusal) -> None:
        """Answer in the application's place; behind the start of an answer only break it off."""
        answer, wire = self.answer, self._wire
        refusals = wire.serving.refusals
        self.is_over = True
        if not answer.has_started:
            self.scope[CUT] = refusal.status
            has_body = self.scope["method"] != "HEAD"
            wire.writer.write(
                refusals.render(refusal, wire.serving.defaults, scope=self.scope, has_body=has_body)
            )
            answer.is_last = True
            wire.answered(self)
            return
        if answer.media == LINES and refusal is UNFINISHED:
            wire.writer.write(answer.end_early(refusals.line(refusal, self.scope), is_end=False))
        wire.break_off(looks_complete=answer.is_old)
