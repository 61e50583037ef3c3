"""Progressive answers (NDJSON): a line for each part as it ends, then the whole answer."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from functools import partial

from fastapi import Response
from starlette.types import Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.clock import monotonic
from bff_core.composition.composition import Composition
from bff_core.composition.part import Part
from bff_core.edge.error_responses import report
from bff_core.edge.problem_details import is_expected, problem
from bff_core.edge.trace import trace_id
from bff_core.errors import RequestTimedOut
from bff_core.events.part_states import DEPENDENCY
from bff_core.http_exchange.answer import Answer
from bff_core.http_exchange.part_headers import parts_report, statuses_of
from bff_core.http_exchange.request_context import SCOPE, context_of, note_error
from bff_core.policy.edge.negotiation import preferred
from bff_core.rest.answer import with_injected
from bff_core.rest.progressive_parts import EarlyPart, Present, presenters
from bff_core.rest.response_model import encode
from bff_core.routing.wiring import wiring_of
from bff_core.scope import Scope

NDJSON = b"application/x-ndjson"
JSON = b"application/json"
_FORMS = (JSON, NDJSON)

MAX_SECONDS = 86_400.0
"""The time limit of a request without a deadline."""

HEADERS = (
    (b"content-type", NDJSON),
    # It is not known yet which parts will be missing.
    (b"cache-control", b"no-store"),
    # nginx, and proxies that understand its header, forward each line at once.
    (b"x-accel-buffering", b"no"),
)


def wants_lines(scope: ASGIScope) -> bool:
    """Whether the client prefers lines to one JSON document; adds `Accept` to `Vary`."""
    context = context_of(scope)
    vary = context.scope.vary
    if "accept" not in vary:
        vary.append("accept")
    accept = context.fields.get(b"accept")
    return accept is not None and b"ndjson" in accept.lower() and prefers_lines(accept)


def prefers_lines(accept: bytes) -> bool:
    """Whether `Accept` prefers lines to JSON; JSON is the default."""
    return preferred(accept, _FORMS) == NDJSON


class ProgressiveAnswer(Response):
    """A response that runs its view while it is sent.

    Each part is sent as a line when it ends. The last line has the answer of the view, with the
    same bytes as without lines, or a problem document. The response starts with the first part
    that succeeds; a failure before that is a problem document with its own status. At the
    request's deadline, and when the client disconnects, parts that still run are cancelled.
    """

    def __init__(
        self,
        run: Callable[[], Coroutine[object, object, object]],
        render: Callable[[object], Answer],
        composed: Sequence[Composition],
        early_parts: Sequence[EarlyPart],
        *,
        injected: Response | None = None,
    ) -> None:
        super().__init__()
        self._injected = injected
        self._run = run
        self._render = render
        self._composed = composed
        self._present: dict[tuple[Composition, str], Present] = presenters(early_parts, composed)
        self._ended: deque[tuple[Composition, Part[object]]] = deque()
        self._changed = asyncio.Event()
        self._has_begun = False
        self._has_expired = False

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Run the view, and send parts as they end."""
        loop = asyncio.get_running_loop()
        for one in self._composed:
            self._observe(one)
        work, disconnect = loop.create_task(self._run()), loop.create_task(_disconnected(receive))
        for task in (work, disconnect):
            task.add_done_callback(self._wake)
        timer = loop.call_later(self._seconds_left(scope[SCOPE]), self._expire)
        try:
            await self._deliver(scope, send, work, disconnect)
            has_answered = work.done() and not work.cancelled() and work.exception() is None
        finally:
            timer.cancel()
            work.cancel()
            disconnect.cancel()
            await asyncio.wait((work, disconnect))
        if has_answered and self.background is not None:
            await self.background()

    def _observe(self, composition: Composition) -> None:
        """Send each part of a composition when it ends, also those that have ended already."""
        registry, end = composition.part_registry, partial(self._end, composition)
        registry.run.on_part_ended = end
        for part in registry.started.values():
            if part.is_done:
                end(part)

    def _end(self, composition: Composition, part: Part[object]) -> None:
        self._ended.append((composition, part))
        self._changed.set()

    def _wake(self, _: object) -> None:
        self._changed.set()

    def _expire(self) -> None:
        self._has_expired = True
        self._changed.set()

    def _seconds_left(self, request_scope: Scope) -> float:
        clock = self._composed[0].part_registry.run.clock if self._composed else monotonic
        return min(request_scope.deadline - clock(), MAX_SECONDS)

    async def _deliver(
        self,
        scope: ASGIScope,
        send: Send,
        work: asyncio.Task[object],
        disconnect: asyncio.Task[None],
    ) -> None:
        try:
            last = await self._last_line(work, disconnect, send)
        except Exception as error:
            if not self._has_begun:
                raise
            last = self._problem_line(error, scope)
        if last is not None:
            await send({"type": "http.response.body", "body": last})

    async def _last_line(
        self, work: asyncio.Task[object], disconnect: asyncio.Task[None], send: Send
    ) -> bytes | None:
        """Send parts until the view ends; return the last line, None if the client disconnected."""
        while not work.done():
            await self._changed.wait()
            self._changed.clear()
            await self._send_parts(send)
            if disconnect.done():
                return None
            if self._has_expired and not work.done():
                raise RequestTimedOut("the view has not ended in time")
        whole = self._answer_line(work.result())
        await self._begin(send)
        await self._send_parts(send)
        return whole

    async def _send_parts(self, send: Send) -> None:
        if not self._has_begun and not any(_is_good(part) for _, part in self._ended):
            return
        await self._begin(send)
        while self._ended:
            line = self._line(*self._ended.popleft())
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
        """Return the line of a part; None for a part that failed, which the last line reports."""
        if part.exception() is not None:
            return None
        members: dict[str, object] = {"part": part.name, "status": part.state}
        if part.reason:
            members["reason"] = part.reason
        if part.age:
            members["age"] = int(part.age)
        present = self._present.get((composition, part.name))
        if present is not None:
            members["value"] = present(part.result(), composition)
        return encode(members) + b"\n"

    def _answer_line(self, result: object) -> bytes:
        if isinstance(result, Response):
            raise TypeError("a view that answers with a Response of its own can't be progressive")
        return self._with_parts(b"answer", self._render(result).body)

    def _problem_line(self, error: Exception, scope: ASGIScope) -> bytes:
        request_scope: Scope = scope[SCOPE]
        answer = problem(
            error,
            request_id=request_scope.request_id,
            trace_id=trace_id(request_scope.traceparent),
        )
        if is_expected(error):
            note_error(scope, error, is_partial=answer.status >= 500)
        else:
            report(error, scope, wiring_of(scope).events)
        return self._with_parts(b"problem", answer.body)

    def _with_parts(self, name: bytes, content: bytes) -> bytes:
        parts = encode(parts_report(statuses_of(self._composed)))
        return b'{"%b":%b,"parts":%b}\n' % (name, content, parts)


def _is_good(part: Part[object]) -> bool:
    """Whether a part has its own value, which may be degraded because of another part."""
    is_own = part.state in {"ok", "stale", "partial"} or part.reason == DEPENDENCY
    return is_own and part.exception() is None


async def _disconnected(receive: Receive) -> None:
    """Return when the client has disconnected."""
    while (await receive())["type"] != "http.disconnect":
        pass
