"""Parts as lines while they land, then the whole answer: `Accept: application/x-ndjson`."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Hashable, Sequence
from functools import partial
from typing import TypeVar

from fastapi import Response
from starlette.types import Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.clock import monotonic
from bff_core.composition.composition import Composition, PartRegistry
from bff_core.composition.part import Part, PartFailure
from bff_core.composition.state import DEPENDENCY
from bff_core.edge.error_responses import report
from bff_core.edge.problem_details import is_expected, problem
from bff_core.edge.trace import trace_id
from bff_core.errors import RequestTimedOut
from bff_core.exchange.context import SCOPE, context_of, note_error
from bff_core.exchange.part_headers import parts_report, statuses_of
from bff_core.policy.edge.negotiation import preferred
from bff_core.rest.answer import ViewAnswer, with_injected
from bff_core.rest.progressive_parts import Present, Shown, presenters
from bff_core.rest.response_model import encode
from bff_core.routing.wiring import wiring_of
from bff_core.scope import Scope

T = TypeVar("T")

NDJSON = b"application/x-ndjson"
JSON = b"application/json"
_FORMS = (JSON, NDJSON)

LONGEST = 86_400.0
"""Seconds that a request without a deadline is given."""

HEADERS = (
    (b"content-type", NDJSON),
    # What will be missing is not known yet.
    (b"cache-control", b"no-store"),
    # nginx and those that took its word hand each line on at once.
    (b"x-accel-buffering", b"no"),
)


def wants_lines(scope: ASGIScope) -> bool:
    """Whether the client likes lines better than one JSON document; the answer varies by it."""
    context = context_of(scope)
    vary = context.scope.vary
    if "accept" not in vary:
        vary.append("accept")
    accept = context.fields.get(b"accept")
    return accept is not None and b"ndjson" in accept.lower() and prefers_lines(accept)


def prefers_lines(accept: bytes) -> bool:
    """Whether lines are preferred to JSON; without a preference, and for neither, it is JSON."""
    return preferred(accept, _FORMS) == NDJSON


class _Watched(PartRegistry):
    """The parts of a screen, each reported as it ends."""

    __slots__ = ("_tell",)

    def __init__(self, part_registry: PartRegistry, tell: Callable[[Part[object]], None]) -> None:
        self.scope = part_registry.scope
        self.run = part_registry.run
        self.started = part_registry.started
        self.is_closed = part_registry.is_closed
        self.loaders = part_registry.loaders
        self._tell = tell
        for part in self.started.values():
            self._watch(part)

    def find_or_start(
        self,
        key: Hashable,
        name: str,
        body: Callable[[], Coroutine[object, object, T]],
        failure: PartFailure,
    ) -> Part[T]:
        before = len(self.started)
        part = super().find_or_start(key, name, body, failure)
        if len(self.started) > before:
            self._watch(part)
        return part

    def _watch(self, part: Part[T]) -> None:
        if part.is_done:
            self._tell(part)
        else:
            part.add_done_callback(self._tell)


class ProgressiveAnswer(Response):
    """A response that runs its view while it is sent.

    Each part is a line as it lands; the last line holds the answer as the view gives it, byte for
    byte, or the problem that came instead. The answer starts with the first part that is worth
    showing, until then a failure is a problem with its own status. At the request's deadline, and
    when the client leaves, what still runs is cancelled.
    """

    def __init__(
        self,
        run: Callable[[], Coroutine[object, object, object]],
        told: Callable[[object], ViewAnswer],
        composed: Sequence[Composition],
        shown: Sequence[Shown],
        *,
        injected: Response | None = None,
    ) -> None:
        super().__init__()
        self._injected = injected
        self._run = run
        self._told = told
        self._composed = composed
        self._present: dict[tuple[Composition, str], Present] = presenters(shown, composed)
        self._landed: deque[tuple[Composition, Part[object]]] = deque()
        self._moved = asyncio.Event()
        self._has_begun = False
        self._is_late = False

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Run the view, and send what lands."""
        loop = asyncio.get_running_loop()
        for one in self._composed:
            one.enter(_Watched(one.part_registry, partial(self._land, one)))
        work, leaving = loop.create_task(self._run()), loop.create_task(_left(receive))
        for task in (work, leaving):
            task.add_done_callback(self._move)
        timer = loop.call_later(self._left_of(scope[SCOPE]), self._expire)
        try:
            await self._deliver(scope, send, work, leaving)
            is_answered = work.done() and not work.cancelled() and work.exception() is None
        finally:
            timer.cancel()
            work.cancel()
            leaving.cancel()
            await asyncio.wait((work, leaving))
        if is_answered and self.background is not None:
            await self.background()

    def _land(self, composition: Composition, part: Part[object]) -> None:
        self._landed.append((composition, part))
        self._moved.set()

    def _move(self, _: object) -> None:
        self._moved.set()

    def _expire(self) -> None:
        self._is_late = True
        self._moved.set()

    def _left_of(self, seen: Scope) -> float:
        clock = self._composed[0].part_registry.run.clock if self._composed else monotonic
        return min(seen.deadline - clock(), LONGEST)

    async def _deliver(
        self,
        scope: ASGIScope,
        send: Send,
        work: asyncio.Task[object],
        leaving: asyncio.Task[None],
    ) -> None:
        try:
            last = await self._end_of(work, leaving, send)
        except Exception as error:
            if not self._has_begun:
                raise
            last = self._failed(error, scope)
        if last is not None:
            await send({"type": "http.response.body", "body": last})

    async def _end_of(
        self, work: asyncio.Task[object], leaving: asyncio.Task[None], send: Send
    ) -> bytes | None:
        """Send what lands until the view has ended; return the last line, None for a leaver."""
        while not work.done():
            await self._moved.wait()
            self._moved.clear()
            await self._send_parts(send)
            if leaving.done():
                return None
            if self._is_late and not work.done():
                raise RequestTimedOut("the view has not ended in time")
        whole = self._whole(work.result())
        await self._begin(send)
        await self._send_parts(send)
        return whole

    async def _send_parts(self, send: Send) -> None:
        if not self._has_begun and not any(_is_good(part) for _, part in self._landed):
            return
        await self._begin(send)
        while self._landed:
            line = self._line(*self._landed.popleft())
            if line is not None:
                await send({"type": "http.response.body", "body": line, "more_body": True})

    async def _begin(self, send: Send) -> None:
        if not self._has_begun:
            self._has_begun = True
            status, headers = 200, list(HEADERS)
            if self._injected is not None:
                status = self._injected.status_code or status
                headers = [*with_injected(headers, self._injected)]
            await send({"type": "http.response.start", "status": status, "headers": headers})

    def _line(self, composition: Composition, part: Part[object]) -> bytes | None:
        """Return a part as it landed; one that failed is the problem's to tell."""
        if part.exception() is not None:
            return None
        told: dict[str, object] = {"part": part.name, "status": part.state}
        if part.reason:
            told["reason"] = part.reason
        if part.age:
            told["age"] = int(part.age)
        present = self._present.get((composition, part.name))
        if present is not None:
            told["value"] = present(part.result(), composition)
        return encode(told) + b"\n"

    def _whole(self, result: object) -> bytes:
        if isinstance(result, Response):
            raise TypeError("a view that answers with a Response of its own can't be progressive")
        return self._last(b"answer", self._told(result).body)

    def _failed(self, error: Exception, scope: ASGIScope) -> bytes:
        seen: Scope = scope[SCOPE]
        told = problem(error, request_id=seen.request_id, trace_id=trace_id(seen.traceparent))
        if is_expected(error):
            note_error(scope, error, is_partial=told.status >= 500)
        else:
            report(error, scope, wiring_of(scope).events)
        return self._last(b"problem", told.body)

    def _last(self, name: bytes, content: bytes) -> bytes:
        parts = encode(parts_report(statuses_of(self._composed)))
        return b'{"%b":%b,"parts":%b}\n' % (name, content, parts)


def _is_good(part: Part[object]) -> bool:
    """Whether a part is worth showing; one that lacks something of another still is."""
    is_own = part.state in {"ok", "stale", "partial"} or part.reason == DEPENDENCY
    return is_own and part.exception() is None


async def _left(receive: Receive) -> None:
    """Return when the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass
