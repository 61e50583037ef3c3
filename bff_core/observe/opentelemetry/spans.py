"""Builds the spans of a trace from the record of a request (stable HTTP conventions)."""

from collections.abc import Iterator, Mapping
from typing import Final

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, TraceFlags, TraceState
from opentelemetry.trace.status import Status, StatusCode

from bff_core.observe.opentelemetry.conventions import (
    SCHEMA,
    client_attributes,
    error_type,
    method_attributes,
    server_attributes,
)
from bff_core.observe.request_records import RequestRecord, SpanMark, SpanRecord

Value = str | int | float | bool
Attributes = dict[str, Value]

WHOLE: Final = frozenset({"ok", "stale", ""})
NANO: Final = 1_000_000_000

_ok: Final = Status(StatusCode.UNSET)
_failed: Final = Status(StatusCode.ERROR)
_sampled: Final = TraceFlags(TraceFlags.SAMPLED)


class SpanBuilder:
    """Builds spans: one of the request, of each part, call, attempt and background work.

    A call with one attempt is one span with the attempt's id, which the service continues.
    """

    def __init__(self, resource: Resource, version: str) -> None:
        self._resource = resource
        self._scope = InstrumentationScope("bff_core", version, SCHEMA)

    def spans(self, record: RequestRecord) -> list[ReadableSpan]:
        """Return the spans of a record, that of the request first."""
        return [*_Trace(record, self._resource, self._scope).spans()]


class _Trace:
    """The spans of one record."""

    def __init__(
        self, record: RequestRecord, resource: Resource, scope: InstrumentationScope
    ) -> None:
        self._record = record
        self._resource = resource
        self._scope = scope
        self._start = round(record.time * NANO)
        self._trace_id = int(record.trace_id, 16)
        self._state = TraceState.from_header([record.tracestate]) if record.tracestate else None
        self._attempts: dict[int, list[int]] = {}
        for index, span in enumerate(record.spans):
            if span.kind == "attempt":
                self._attempts.setdefault(span.within, []).append(index)
        self._contexts = [self._context(self._exported(at)) for at in range(len(record.spans))]

    def spans(self) -> Iterator[ReadableSpan]:
        root = self._context(self._record.span_id)
        yield self._request(root)
        for index, span in enumerate(self._record.spans):
            if span.kind != "attempt" or len(self._attempts[span.within]) > 1 or span.within < 0:
                parent = root if span.within < 0 else self._contexts[span.within]
                yield self._span(index, span, parent)

    def _exported(self, index: int) -> str:
        """Return the id of the exported span: that of its only attempt, for a call."""
        attempts = self._attempts.get(index, ())
        spans = self._record.spans
        return spans[attempts[0] if len(attempts) == 1 else index].span_id

    def _context(self, span_id: str, *, is_remote: bool = False) -> SpanContext:
        return SpanContext(self._trace_id, int(span_id, 16), is_remote, _sampled, self._state)

    def _request(self, context: SpanContext) -> ReadableSpan:
        record = self._record
        parent = self._context(record.parent_id, is_remote=True) if record.parent_id else None
        attributes = server_attributes(record)
        name = attributes["http.request.method"]
        return ReadableSpan(
            f"{name} {record.route}" if record.route else str(name),
            context,
            parent,
            self._resource,
            attributes,
            kind=SpanKind.SERVER,
            status=_failed if record.state == "failed" else _ok,
            start_time=self._start,
            end_time=self._start + round(record.seconds * NANO),
            instrumentation_scope=self._scope,
        )

    def _span(self, index: int, span: SpanRecord, parent: SpanContext) -> ReadableSpan:
        attributes, kind = self._describe(index, span)
        seconds = span.seconds
        if seconds < 0:  # it did not end before the answer
            seconds = max(self._record.seconds - span.start, 0.0)
            attributes["bff.unfinished"] = True
        start = self._start + round(span.start * NANO)
        return ReadableSpan(
            _name_of(span),
            self._contexts[index],
            parent,
            self._resource,
            attributes,
            events=[self._event(mark) for mark in span.marks],
            links=[link for mark in span.marks if (link := _link(mark)) is not None],
            kind=kind,
            status=Status(StatusCode.ERROR, span.error or None)
            if "error.type" in attributes
            else _ok,
            start_time=start,
            end_time=start + round(seconds * NANO),
            instrumentation_scope=self._scope,
        )

    def _describe(self, index: int, span: SpanRecord) -> tuple[Attributes, SpanKind]:
        """Return attributes and kind of a span."""
        if span.kind == "part":
            return _part(span), SpanKind.INTERNAL
        if span.kind == "work":
            return {"bff.work.outcome": span.outcome, **error_type(_failure(span))}, (
                SpanKind.INTERNAL
            )
        spans, attempts = self._record.spans, self._attempts.get(index, ())
        if span.kind == "attempt":
            call = spans[span.within]
            number = self._attempts[span.within].index(index)
            return client_attributes(call, span, resends=number), SpanKind.CLIENT
        attributes: Attributes = {"bff.upstream": span.owner, "bff.operation": span.name}
        if span.source:
            attributes["bff.source"] = span.source
        if span.age:
            attributes["bff.cache.age"] = span.age
        if len(attempts) == 1:
            return {**client_attributes(span, spans[attempts[0]]), **attributes}, SpanKind.CLIENT
        attributes |= {"bff.attempts": len(attempts), **method_attributes(span.name)}
        return {**attributes, **error_type(_failure(span))}, SpanKind.INTERNAL

    def _event(self, mark: SpanMark) -> Event:
        attributes: dict[str, Value] = {
            name: value
            for name, value in (
                ("bff.reason", mark.reason),
                ("bff.seconds", mark.delay),
                ("bff.count", mark.count),
                ("bff.request_id", mark.request_id),
            )
            if value
        }
        return Event(mark.kind, attributes, self._start + round(mark.at * NANO))


def _name_of(span: SpanRecord) -> str:
    if span.kind == "part":
        return f"{span.owner}.{span.name}"
    if span.kind == "attempt":
        return f"attempt {span.owner}"
    return span.name


def _part(span: SpanRecord) -> Attributes:
    attributes: Attributes = {
        "bff.part": span.name,
        "bff.composition": span.owner,
        "bff.part.state": span.outcome,
        "bff.part.critical": span.is_critical,
    }
    if span.reason:
        attributes["bff.part.reason"] = span.reason
    is_failed = span.outcome not in WHOLE and span.reason != "part_cancelled"
    return {**attributes, **error_type(span.reason or span.outcome if is_failed else "")}


def _failure(span: SpanRecord) -> str:
    """Return why a call or work failed; empty if it did not."""
    if span.outcome.isdigit():
        return span.outcome if int(span.outcome) >= 400 else ""
    return "" if span.outcome in {"done", ""} else span.outcome


def _link(mark: SpanMark) -> Link | None:
    """Return the link of a call that waited for an equal one, to that one."""
    if mark.kind != "joined" or not mark.span_id:
        return None
    context = SpanContext(
        int(mark.trace_id, 16), int(mark.span_id, 16), is_remote=False, trace_flags=_sampled
    )
    attributes: Mapping[str, str] = {"bff.link": "joined"}
    return Link(context, attributes)
