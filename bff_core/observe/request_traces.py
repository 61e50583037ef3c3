"""Collects the spans of each request, and sends one JSON line per request to `bff dev`."""

import time
from collections.abc import Callable, Mapping
from typing import Final, Literal

import msgspec

from bff_core import events
from bff_core.events.sinks import AnyEvent, Span
from bff_core.observe.exceptions import described
from bff_core.observe.line_socket import LineSocket
from bff_core.observe.masking import masked

VARIABLE: Final = "BFF_DEV_TRACES"
"""The environment variable that names the socket; `bff dev` sets it."""

MAX_SPANS: Final = 500
"""Spans of one request that are collected; a screen has a few dozen."""


class SpanTrace(msgspec.Struct, omit_defaults=True):
    """A part, a call to a service, or an attempt of a call; times in seconds.

    `name` is that of the part, the operation of the call or the endpoint of the attempt. `owner` is
    the composition or the service. `within` is the index of the span around it, -1 for the request.
    `start` counts from the start of the request; `seconds` is -1 for a span that did not end.
    `outcome` is a part's state, a status or an error code.
    """

    kind: Literal["part", "call", "attempt"]
    name: str
    owner: str
    start: float
    within: int = -1
    seconds: float = -1.0
    outcome: str = ""
    reason: str = ""
    source: str = ""
    error: str = ""
    age: float = 0.0
    is_critical: bool = False
    notes: list[str] = []


class RequestTrace(msgspec.Struct, omit_defaults=True):
    """A request that was answered: `time` is Unix time, `size` counts the bytes of the body.

    `is_cached` is whether the view cache had the answer. `dropped` counts the requests before it
    that were not sent, since the reader was too slow.
    """

    time: float
    method: str
    request_id: str
    route: str = ""
    path: str = ""
    status: int = 0
    seconds: float = 0.0
    size: int = 0
    reason: str = ""
    error: str = ""
    is_truncated: bool = False
    is_cached: bool = False
    dropped: int = 0
    spans: list[SpanTrace] = []


class _Open:
    """A request in flight: when it started, and the ids of its spans."""

    __slots__ = ("ids", "started", "trace")

    def __init__(self, trace: RequestTrace, started: float, root: str) -> None:
        self.trace = trace
        self.started = started
        self.ids = [root]


class RequestTraces:
    """A sink that traces; `send` gets a line per request and returns whether it took it."""

    traces = True

    def __init__(
        self,
        send: Callable[[bytes], bool],
        *,
        clock: Callable[[], float] = time.perf_counter,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._send = send
        self._clock = clock
        self._now = now
        self._dropped = 0
        self._open: dict[str, tuple[_Open, int]] = {}
        """The request of each span that is known by its id, and the index of the span in it."""

    def __call__(self, event: AnyEvent, /) -> None:
        """Take one event of a request."""
        span = event.span
        if span is None:
            return
        if isinstance(event, events.RequestStarted):
            trace = RequestTrace(self._now(), event.method, event.request_id)
            self._open[span.span_id] = _Open(trace, self._clock(), span.span_id), -1
        elif isinstance(event, events.RequestAnswered):
            self._answer(event, span)
        elif (started := _started(event)) is not None:
            self._begin(started, span)
        elif (found := self._open.get(span.span_id)) is not None:
            request, index = found
            if index >= 0:
                self._note(event, request.trace.spans[index], request)
            elif isinstance(event, events.CacheLookup) and event.upstream == "views":
                request.trace.is_cached |= event.outcome == "hit"

    def _begin(self, started: SpanTrace, span: Span) -> None:
        found = self._open.get(span.parent_id)
        if found is None or len(found[0].trace.spans) >= MAX_SPANS:
            return
        request, started.within = found
        started.start = self._clock() - request.started
        self._open[span.span_id] = request, len(request.trace.spans)
        request.trace.spans.append(started)
        request.ids.append(span.span_id)

    def _note(self, event: AnyEvent, span: SpanTrace, request: _Open) -> None:
        """Add what an event reports to its span."""
        match event:
            case events.PartEnded() | events.CallEnded() | events.Attempted():
                span.seconds = self._clock() - request.started - span.start
                span.outcome = event.state if isinstance(event, events.PartEnded) else event.outcome
                if isinstance(event, events.PartEnded):
                    span.reason = event.reason
                    span.error = "" if event.error is None else masked(described(event.error))
                elif isinstance(event, events.CallEnded):
                    span.source = event.source
            case events.CacheLookup(outcome="hit" | "stale"):
                span.age = event.age
            case events.Coalesced():
                span.notes = [*span.notes, self._joined(event.leader)]
            case events.Hedged() | events.HedgeWon() | events.CallRejected():
                reason = event.reason if isinstance(event, events.CallRejected) else ""
                span.notes = [*span.notes, f"{event.name} {reason}".rstrip()]
            case _:
                pass

    def _joined(self, leader: Span | None) -> str:
        """Name the request whose call this one waits for."""
        found = None if leader is None else self._open.get(leader.span_id)
        return "joined" if found is None else f"joined {found[0].trace.request_id}"

    def _answer(self, event: events.RequestAnswered, span: Span) -> None:
        found = self._open.get(span.span_id)
        if found is None:
            return
        request, trace = found[0], found[0].trace
        for known in request.ids:
            self._open.pop(known, None)
        trace.route, trace.path = event.route, masked(event.path)
        trace.status, trace.seconds, trace.size = event.status, event.duration, event.size
        trace.reason, trace.is_truncated = event.reason, event.is_truncated
        if event.error is not None:
            is_text = isinstance(event.error, str)
            trace.error = masked(str(event.error) if is_text else described(event.error))  # type: ignore[arg-type] # not a text
        trace.dropped = self._dropped
        line = msgspec.json.encode(trace) + b"\n"
        self._dropped = 0 if self._send(line) else self._dropped + 1


def _started(event: AnyEvent) -> SpanTrace | None:
    """Return the span that an event starts; None if it starts none."""
    match event:
        case events.PartStarted():
            return SpanTrace(
                "part", event.part, event.composition, 0.0, is_critical=event.is_critical
            )
        case events.CallStarted():
            return SpanTrace("call", event.operation, event.upstream, 0.0)
        case events.AttemptStarted():
            return SpanTrace("attempt", event.endpoint, event.upstream, 0.0)
        case _:
            return None


def trace_sink(environ: Mapping[str, str]) -> RequestTraces | None:
    """Return the sink for `bff dev`; None if it did not start this process."""
    path = environ.get(VARIABLE, "")
    line = LineSocket.connected(path) if path else None
    return None if line is None else RequestTraces(line.send)
