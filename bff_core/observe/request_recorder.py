"""The sink that assembles a record of each request from its events."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from bff_core import events
from bff_core.events.sinks import AnyEvent, Span
from bff_core.observe.answered_record import DegradedParts, describe, error_text
from bff_core.observe.open_request import OpenRequest
from bff_core.observe.request_records import RequestRecord, RequestRecords, SpanRecord
from bff_core.observe.span_marks import mark_of

MAX_SPANS: Final = 500
"""Spans of one request that are recorded; a screen has a few dozen."""

MAX_WAITING: Final = 1000
"""Answered requests whose background work still runs."""

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
        self._open: dict[str, tuple[OpenRequest, int]] = {}
        """The request of each span that is known by its id, and the index of the span in it."""
        self._degraded = DegradedParts()
        self._waiting = 0
        self._unstored = ""
        """The span of the newest request that `records` store only if it does not go well."""
        self._handlers: Mapping[type, Callable[..., None]] = {
            events.RequestStarted: self._start,
            events.RequestShed: self._shed,
            events.PartStarted: self._begin_part,
            events.CallStarted: self._begin_call,
            events.AttemptStarted: self._begin_attempt,
            events.WorkStarted: self._begin_work,
            events.PartEnded: self._end_part,
            events.CallEnded: self._end_call,
            events.Attempted: self._end_attempt,
            events.WorkEnded: self._end_work,
            events.RequestAnswered: self._answer,
        }

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

    @property
    def is_span_only(self) -> bool:
        """Whether nothing is recorded of requests that are not sampled."""
        return self.records is None

    def flush(self, seconds: float, /) -> None:
        """Export what is left, within about `seconds`; it blocks."""
        if self._telemetry is not None:
            self._telemetry.flush(seconds)

    def __call__(self, event: AnyEvent, /) -> None:
        """Take one event."""
        span = event.span
        if span is None:
            if self.records is not None:
                self._take_unsampled(event, self.records)
            return
        handle = self._handlers.get(type(event))
        if handle is not None:
            handle(event, span)
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
        request = OpenRequest(record, self._clock(), is_stored=span.span_id != self._unstored)
        self._open[span.span_id] = request, -1

    def _shed(self, event: events.RequestShed, span: Span) -> None:
        record = RequestRecord(
            self._now(), "", event.request_id, gateway=self._gateway, trace_id=span.trace_id
        )
        record.span_id, record.parent_id, record.is_sampled = (
            span.span_id, span.parent_id, span.is_sampled
        )  # fmt: skip
        record.status, record.state, record.reason = 503, "failed", "shed"
        request = OpenRequest(record, self._clock(), is_stored=span.span_id != self._unstored)
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

    def _begin(self, started: SpanRecord, span: Span) -> OpenRequest | None:
        found = self._open.get(span.parent_id)
        if found is None:
            return None
        request, started.within = found
        spans = request.record.spans
        if len(spans) >= MAX_SPANS:
            return None
        started.start = self._clock() - request.started
        started.span_id = span.span_id
        self._open[span.span_id] = request, len(spans)
        spans.append(started)
        return request

    def _end(self, span: Span, outcome: str) -> tuple[OpenRequest, SpanRecord] | None:
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
            ended[1].error = error_text(event.error)

    def _end_call(self, event: events.CallEnded, span: Span) -> None:
        ended = self._end(span, event.outcome)
        if ended is not None:
            ended[1].source, ended[1].size = event.source, event.size

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

    def _note(self, event: AnyEvent, request: OpenRequest, index: int) -> None:
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
        describe(request.record, event, has_values=self._shows_values)
        request.is_answered = True
        if request.works and self._waiting < MAX_WAITING:
            self._waiting += 1
            self._store(request)
        else:
            self._finish(request)

    def _finish(self, request: OpenRequest) -> None:
        """Store a record that is complete."""
        self._store(request)
        self._close(request)

    def _store(self, request: OpenRequest) -> None:
        record = request.record
        if request.joined:
            request.resolve_joined()
        if self.records is not None:
            request.is_stored |= self.records.is_stored_anyway(record)
            if request.is_stored:
                self.records.add(record)
        for take in self._on_answer:
            take(record)

    def _close(self, request: OpenRequest) -> None:
        record = request.record
        self._open.pop(record.span_id, None)
        for span in record.spans:
            self._open.pop(span.span_id, None)
        if record.is_sampled:
            for take in self._on_end:
                take(record)

    def _take_unsampled(self, event: AnyEvent, records: RequestRecords) -> None:
        """Record what is known of a degraded or failed request without spans."""
        if isinstance(event, events.PartEnded):
            self._degraded.add(event)
        elif isinstance(event, events.RequestAnswered):
            record = self._degraded.record(
                event, now=self._now(), gateway=self._gateway, has_values=self._shows_values
            )
            if record is not None:
                records.add(record)
