"""The sink that assembles a record of each request from its events."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

import msgspec

from bff_core import events
from bff_core.events.sinks import AnyEvent, Span
from bff_core.observe.exceptions import described
from bff_core.observe.line_socket import LineSocket
from bff_core.observe.masking import masked
from bff_core.observe.request_records import RequestRecord, RequestRecords, SpanRecord
from bff_core.observe.request_redaction import shown_headers, shown_path, shown_query
from bff_core.observe.span_marks import mark_of
from bff_core.scope import Scope, current_request

VARIABLE: Final = "BFF_DEV_TRACES"
"""The environment variable that names the socket; `bff dev` sets it."""

MAX_SPANS: Final = 500
"""Spans of one request that are recorded; a screen has a few dozen."""

MAX_WAITING: Final = 1000
"""Answered requests whose background work still runs, and unsampled ones with degraded parts."""

WHOLE: Final = frozenset({"ok", "stale"})
"""States of parts that degrade no answer."""

Consumer = Callable[[RequestRecord], object]
"""Takes a record; it must not block nor change it."""


class Exporting(Protocol):
    """Exports the traces of records."""

    @property
    def consumers(self) -> Sequence[Consumer]:
        """What takes the records of sampled requests; empty if no traces are exported."""

    @property
    def set_flag(self) -> Callable[[Span], bool] | None:
        """Decides whether a trace is sampled; None if no traces are exported."""

    def flush(self, seconds: float, /) -> None:
        """Export what is left, within about `seconds`; it blocks."""


_UNSAMPLED: Final = frozenset({events.RequestAnswered, events.PartEnded})
"""Events that are recorded of requests without spans."""


class _Open:
    """A request whose record is not complete: its start, its spans' ids, its running work."""

    __slots__ = ("ids", "is_answered", "is_stored", "joined", "record", "started", "works")

    def __init__(self, record: RequestRecord, started: float, *, is_stored: bool) -> None:
        self.record = record
        self.started = started
        self.ids = [record.span_id]
        self.is_stored = is_stored
        self.is_answered = False
        self.works = 0
        self.joined: list[tuple[SpanRecord, _Open, int]] = []
        """Spans that wait for the call of another request, and which."""


class RequestRecorder:
    """A sink that traces: it records requests for the console, `bff dev` and OpenTelemetry.

    `records` stores those that its sampling chooses, and all that are degraded, failed or slow.
    `on_answer` get each sampled record at its answer, `telemetry` when the background work of the
    request has ended as well. `shows_values` is whether records have the values of queries.
    """

    traces = True

    def __init__(
        self,
        *,
        gateway: str = "",
        records: RequestRecords | None = None,
        on_answer: Sequence[Consumer] = (),
        telemetry: Exporting | None = None,
        shows_values: bool = False,
        clock: Callable[[], float] = time.perf_counter,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.records = records
        self._gateway = gateway
        self._on_answer = tuple(on_answer)
        self._on_end = () if telemetry is None else tuple(telemetry.consumers)
        self.set_flag = None if telemetry is None else telemetry.set_flag
        self._telemetry = telemetry
        self._shows_values = shows_values
        self._clock = clock
        self._now = now
        self._open: dict[str, tuple[_Open, int]] = {}
        """The request of each span that is known by its id, and the index of the span in it."""
        self._degraded: dict[str, list[SpanRecord]] = {}
        """The degraded parts of requests that are not sampled, by request id."""
        self._waiting = 0
        self._unstored = ""

    def sample(self, span: Span, /) -> bool:
        """Whether the events of a request are recorded: for `records`, or as its trace is sampled.

        Without `records` and OpenTelemetry all are.
        """
        if self.records is None:
            return span.is_sampled or not self._on_end
        if self.records.sampling.is_chosen():
            return True
        self._unstored = span.span_id
        return span.is_sampled and bool(self._on_end)

    def flush(self, seconds: float, /) -> None:
        """Export what is left, within about `seconds`; it blocks."""
        if self._telemetry is not None:
            self._telemetry.flush(seconds)

    def __call__(self, event: AnyEvent, /) -> None:
        """Take one event."""
        span = event.span
        if span is None:
            if type(event) in _UNSAMPLED:
                self._take_unsampled(event)
            return
        handle = _HANDLERS.get(type(event))
        if handle is not None:
            handle(self, event, span)
        elif (found := self._open.get(span.span_id)) is not None:
            self._note(event, *found)

    def _start(self, event: events.RequestStarted, span: Span) -> None:
        record = RequestRecord(
            self._now(),
            event.method,
            event.request_id,
            gateway=self._gateway,
            trace_id=span.trace_id,
            span_id=span.span_id,
            parent_id=span.parent_id,
            is_sampled=span.is_sampled,
            spans=[],
        )
        request = _Open(record, self._clock(), is_stored=span.span_id != self._unstored)
        self._open[span.span_id] = request, -1

    def _shed(self, event: events.RequestShed, span: Span) -> None:
        record = RequestRecord(
            self._now(), "", event.request_id, gateway=self._gateway, trace_id=span.trace_id
        )
        record.span_id, record.parent_id, record.is_sampled = (
            span.span_id, span.parent_id, span.is_sampled
        )  # fmt: skip
        record.status, record.state, record.reason = 503, "failed", "shed"
        request = _Open(record, self._clock(), is_stored=span.span_id != self._unstored)
        self._finish(request)

    def _begin_part(self, event: events.PartStarted, span: Span) -> None:
        part = SpanRecord("part", event.part, event.composition, 0.0, is_critical=event.is_critical)
        request = self._begin(part, span)
        if request is not None and not request.record.screen:
            request.record.screen = event.composition

    def _begin_call(self, event: events.CallStarted, span: Span) -> None:
        self._begin(SpanRecord("call", event.operation, event.upstream, 0.0), span)

    def _begin_attempt(self, event: events.AttemptStarted, span: Span) -> None:
        attempt = SpanRecord("attempt", event.endpoint, event.upstream, 0.0, url=event.url)
        self._begin(attempt, span)

    def _begin_work(self, event: events.WorkStarted, span: Span) -> None:
        request = self._begin(SpanRecord("work", event.work, self._gateway, 0.0), span)
        if request is not None:
            request.works += 1

    def _begin(self, started: SpanRecord, span: Span) -> _Open | None:
        found = self._open.get(span.parent_id)
        if found is None or len(found[0].record.spans) >= MAX_SPANS:
            return None
        request, started.within = found
        started.start = self._clock() - request.started
        started.span_id = span.span_id
        self._open[span.span_id] = request, len(request.record.spans)
        request.record.spans.append(started)
        request.ids.append(span.span_id)
        return request

    def _end(self, span: Span, outcome: str) -> tuple[_Open, SpanRecord] | None:
        found = self._open.get(span.span_id)
        if found is None or found[1] < 0:
            return None
        request, index = found
        record = request.record.spans[index]
        record.seconds = self._clock() - request.started - record.start
        record.outcome = outcome
        return request, record

    def _end_part(self, event: events.PartEnded, span: Span) -> None:
        ended = self._end(span, event.state)
        if ended is not None:
            ended[1].reason = event.reason
            ended[1].error = "" if event.error is None else masked(described(event.error))

    def _end_call(self, event: events.CallEnded, span: Span) -> None:
        ended = self._end(span, event.outcome)
        if ended is not None:
            ended[1].source = event.source

    def _end_attempt(self, event: events.Attempted, span: Span) -> None:
        self._end(span, event.outcome)

    def _end_work(self, event: events.WorkEnded, span: Span) -> None:
        ended = self._end(span, event.outcome)
        if ended is None:
            return
        request = ended[0]
        request.works -= 1
        if request.is_answered and not request.works:
            self._waiting -= 1
            self._close(request)
            if self.records is not None and request.is_stored:
                self.records.add(request.record)

    def _note(self, event: AnyEvent, request: _Open, index: int) -> None:
        """Add what an event reports to its span, or to the request itself."""
        if isinstance(event, events.CacheLookup) and event.upstream == "views":
            request.record.is_cached |= event.outcome == "hit"
        elif index >= 0 and (mark := mark_of(event, self._clock() - request.started)) is not None:
            span = request.record.spans[index]
            span.marks = [*span.marks, mark]
            if mark.kind == "joined" and (leader := self._open.get(mark.span_id)) is not None:
                mark.request_id = leader[0].record.request_id
                request.joined.append((span, *leader))
            elif mark.kind == "stale":
                span.age = mark.delay
        elif index >= 0 and isinstance(event, events.CacheLookup) and event.outcome == "hit":
            request.record.spans[index].age = event.age

    def _answer(self, event: events.RequestAnswered, span: Span) -> None:
        found = self._open.get(span.span_id)
        if found is None:
            return
        request = found[0]
        self._describe(request.record, event)
        request.is_answered = True
        if request.works and self._waiting < MAX_WAITING:
            self._waiting += 1
            self._store(request)
        else:
            self._finish(request)

    def _finish(self, request: _Open) -> None:
        """Store a record that is complete."""
        self._store(request)
        self._close(request)

    def _store(self, request: _Open) -> None:
        record = request.record
        _resolve(request)
        if self.records is not None:
            request.is_stored |= self.records.is_stored_anyway(record)
            if request.is_stored:
                self.records.add(record)
        for take in self._on_answer:
            take(record)

    def _close(self, request: _Open) -> None:
        for known in request.ids:
            self._open.pop(known, None)
        if request.record.is_sampled:
            for take in self._on_end:
                take(request.record)

    def _take_unsampled(self, event: AnyEvent) -> None:
        """Record what is known of a degraded or failed request without spans."""
        if isinstance(event, events.RequestAnswered):
            parts = self._degraded.pop(event.request_id, None)
            if self.records is not None and (parts or event.status >= 500):
                record = RequestRecord(
                    self._now() - event.duration,
                    event.method,
                    event.request_id,
                    gateway=self._gateway,
                    trace_id=event.trace_id,
                    spans=parts or [],
                    has_spans=False,
                    is_sampled=False,
                )
                self._describe(record, event)
                record.screen = parts[0].owner if parts else ""
                self.records.add(record)
        elif isinstance(event, events.PartEnded) and event.state not in WHOLE:
            scope = current_request.get()
            if scope is not None and self.records is not None:
                self._add_degraded(event, scope)

    def _add_degraded(self, event: events.PartEnded, scope: Scope) -> None:
        if len(self._degraded) >= MAX_WAITING:  # parts that ended after their request
            self._degraded.pop(next(iter(self._degraded)))
        part = SpanRecord(
            "part",
            event.part,
            event.composition,
            0.0,
            seconds=event.duration,
            outcome=event.state,
            reason=event.reason,
            error="" if event.error is None else masked(described(event.error)),
            is_critical=event.is_raised,
        )
        self._degraded.setdefault(scope.request_id, []).append(part)

    def _describe(self, record: RequestRecord, event: events.RequestAnswered) -> None:
        """Add what is known at the answer."""
        record.route, record.status, record.seconds = event.route, event.status, event.duration
        record.path, record.size, record.owner = event.path, event.size, event.owner
        record.reason, record.is_truncated = event.reason, event.is_truncated
        record.viewer, record.scheme = event.viewer, event.scheme
        if event.error is not None:
            is_text = isinstance(event.error, str)
            record.error = masked(str(event.error) if is_text else described(event.error))  # type: ignore[arg-type] # not a text
        scope = current_request.get()
        if scope is not None and scope.request_id == record.request_id:
            record.path = scope.path
            record.tracestate = scope.tracestate
            labels = dict.fromkeys((scope.root_fields or {}).values())
            record.fields = [label.partition(" ")[2] for label in labels]
            record.shown_fields = list(scope.shown_fields) if labels else []
            record.query = shown_query(scope.query, has_values=self._shows_values)
            record.headers = shown_headers(scope.headers)
        record.path = shown_path(record.path, record.route)
        if event.status >= 500 or event.is_truncated:
            record.state = "failed"
        elif event.status < 400 and any(_degrades(one) for one in record.spans):
            record.state = "degraded"


def _degrades(span: SpanRecord) -> bool:
    """Whether a span is a part that ended without the service's own value.

    A part that was cancelled with its screen has no state, or the reason part_cancelled.
    """
    is_part = span.kind == "part" and span.outcome != ""
    return is_part and span.outcome not in WHOLE and span.reason != "part_cancelled"


def _resolve(request: _Open) -> None:
    """Name in marks of joined calls the span that a trace has for the call they waited for.

    A call with one attempt has that attempt's id there.
    """
    for span, leader, index in request.joined:
        attempts = [
            one.span_id
            for one in leader.record.spans
            if one.within == index and one.kind == "attempt"
        ]
        if len(attempts) == 1:
            for mark in span.marks:
                if mark.kind == "joined":
                    mark.span_id = attempts[0]
    request.joined = []


_HANDLERS: Final[Mapping[type, Callable[..., None]]] = {
    events.RequestStarted: RequestRecorder._start,  # noqa: SLF001 - of this module
    events.RequestShed: RequestRecorder._shed,  # noqa: SLF001 - the same
    events.PartStarted: RequestRecorder._begin_part,  # noqa: SLF001 - the same
    events.CallStarted: RequestRecorder._begin_call,  # noqa: SLF001 - the same
    events.AttemptStarted: RequestRecorder._begin_attempt,  # noqa: SLF001 - the same
    events.WorkStarted: RequestRecorder._begin_work,  # noqa: SLF001 - the same
    events.PartEnded: RequestRecorder._end_part,  # noqa: SLF001 - the same
    events.CallEnded: RequestRecorder._end_call,  # noqa: SLF001 - the same
    events.Attempted: RequestRecorder._end_attempt,  # noqa: SLF001 - the same
    events.WorkEnded: RequestRecorder._end_work,  # noqa: SLF001 - the same
    events.RequestAnswered: RequestRecorder._answer,  # noqa: SLF001 - the same
}


class DevLines:
    """Sends a line per request to `bff dev`; the next one says how many were not taken."""

    def __init__(self, send: Callable[[bytes], bool]) -> None:
        self._send = send
        self._dropped = 0

    def __call__(self, record: RequestRecord) -> None:
        """Send a record."""
        record.dropped = self._dropped
        line = msgspec.json.encode(record) + b"\n"
        self._dropped = 0 if self._send(line) else self._dropped + 1


def dev_lines(environ: Mapping[str, str]) -> DevLines | None:
    """Return what sends records to `bff dev`; None if it did not start this process."""
    path = environ.get(VARIABLE, "")
    line = LineSocket.connected(path) if path else None
    return None if line is None else DevLines(line.send)


def recorder(
    gateway: str, *, is_development: bool, telemetry: Exporting | None = None
) -> RequestRecorder | None:
    """Return the recorder of a gateway process; None if nothing reads what it would record.

    In development the console does, and `bff dev`; elsewhere OpenTelemetry or what calls for
    records: see `record_requests`.
    """
    lines = dev_lines(os.environ) if is_development else None
    if not (is_development or (telemetry is not None and telemetry.consumers)):
        return None
    return RequestRecorder(
        gateway=gateway,
        records=RequestRecords() if is_development else None,
        on_answer=() if lines is None else (lines,),
        telemetry=telemetry,
        shows_values=is_development,
    )


def record_requests(sinks: events.Events, gateway: str) -> RequestRecords:
    """Return the records of a gateway; record its requests from now on if none are yet."""
    recorders = [one for one in sinks.sinks if isinstance(one, RequestRecorder)]
    if not recorders:
        recorders = [RequestRecorder(gateway=gateway)]
        sinks.listen(recorders[0])
    known = recorders[0].records
    if known is None:
        known = recorders[0].records = RequestRecords()
    return known
