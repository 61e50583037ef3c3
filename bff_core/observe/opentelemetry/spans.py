"""Encodes the spans of a trace from the record of a request (stable HTTP conventions)."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from bff_core.events.part_states import is_degraded
from bff_core.observe.opentelemetry import wire
from bff_core.observe.opentelemetry.conventions import (
    Attributes,
    client_attributes,
    error_type,
    method_attributes,
    server_attributes,
)
from bff_core.observe.request_records import RequestRecord, SpanMark, SpanRecord

NANO: Final = 1_000_000_000


def encoded_spans(record: RequestRecord) -> list[bytes]:
    """Return the spans of a request: its own, and one of each part, call, attempt and work.

    A call with one attempt is one span with the attempt's id, which the service continues.
    """
    return [*_Trace(record).spans()]


class _Trace:
    """The spans of one record."""

    def __init__(self, record: RequestRecord) -> None:
        self._record = record
        self._start = round(record.time * NANO)
        self._trace_id = bytes.fromhex(record.trace_id)
        self._attempts: dict[int, list[int]] = {}
        for index, span in enumerate(record.spans):
            if span.kind == "attempt":
                self._attempts.setdefault(span.within, []).append(index)
        self._ids = [bytes.fromhex(self._exported(at)) for at in range(len(record.spans))]

    def spans(self) -> Iterator[bytes]:
        root = bytes.fromhex(self._record.span_id)
        yield self._request(root)
        for index, span in enumerate(self._record.spans):
            if span.kind != "attempt" or len(self._attempts[span.within]) > 1 or span.within < 0:
                yield self._span(index, span, root if span.within < 0 else self._ids[span.within])

    def _exported(self, index: int) -> str:
        """Return the id of the exported span: that of its only attempt, for a call."""
        attempts = self._attempts.get(index, ())
        spans = self._record.spans
        return spans[attempts[0] if len(attempts) == 1 else index].span_id

    def _request(self, span_id: bytes) -> bytes:
        record = self._record
        attributes = server_attributes(record)
        name = str(attributes["http.request.method"])
        return wire.span(
            self._trace_id,
            span_id,
            bytes.fromhex(record.parent_id),
            name=f"{name} {record.route}" if record.route else name,
            kind=wire.SERVER,
            start=self._start,
            end=self._start + round(record.seconds * NANO),
            fields=wire.attributes(attributes),
            state=record.tracestate,
            error="" if record.state == "failed" else None,
            is_remote=True,
        )

    def _span(self, index: int, span: SpanRecord, parent: bytes) -> bytes:
        fields, kind, is_failed = self._describe(index, span)
        seconds = span.seconds
        if seconds < 0:  # it did not end before the answer
            seconds = max(self._record.seconds - span.start, 0.0)
            fields += wire.attributes({"bff.unfinished": True})
        if span.marks:
            fields += b"".join(self._mark(mark) for mark in span.marks)
        start = self._start + round(span.start * NANO)
        return wire.span(
            self._trace_id,
            self._ids[index],
            parent,
            name=_name_of(span),
            kind=kind,
            start=start,
            end=start + round(seconds * NANO),
            fields=fields,
            state=self._record.tracestate,
            error=span.error if is_failed else None,
        )

    def _describe(self, index: int, span: SpanRecord) -> tuple[bytes, bytes, bool]:
        """Return encoded attributes and kind of a span, and whether it failed."""
        if span.kind == "part":
            return _part(span.name, span.owner, span.outcome, span.reason, span.is_critical)
        if span.kind == "work":
            values = {"bff.work.outcome": span.outcome, **error_type(_failure(span.outcome))}
            return wire.attributes(values), wire.INTERNAL, "error.type" in values
        spans, attempts = self._record.spans, self._attempts.get(index, ())
        if span.kind == "attempt":
            call = spans[span.within]
            resends = self._attempts[span.within].index(index)
            return _attempt(
                call.name, call.owner, span.name, span.url, span.outcome, resends=resends
            )
        if len(attempts) == 1:
            sent = spans[attempts[0]]
            fields, kind, is_failed = _attempt(
                span.name, span.owner, sent.name, sent.url, sent.outcome
            )
            return fields + _call(span.name, span.source, span.age), kind, is_failed
        error = _failure(span.outcome)
        values = {
            "bff.upstream": span.owner,
            "bff.attempts": len(attempts),
            **method_attributes(span.name),
            **error_type(error),
        }
        fields = wire.attributes(values) + _call(span.name, span.source, span.age)
        return fields, wire.INTERNAL, bool(error)

    def _mark(self, mark: SpanMark) -> bytes:
        """Return the event of a mark, and the link of a call that waited for an equal one."""
        values: Attributes = {
            name: value
            for name, value in (
                ("bff.reason", mark.reason),
                ("bff.seconds", mark.delay),
                ("bff.count", mark.count),
                ("bff.request_id", mark.request_id),
            )
            if value
        }
        event = wire.event(mark.kind, self._start + round(mark.at * NANO), values)
        if mark.kind != "joined" or not mark.span_id:
            return event
        trace_id, span_id = bytes.fromhex(mark.trace_id), bytes.fromhex(mark.span_id)
        return event + wire.link(trace_id, span_id, {"bff.link": "joined"})


def _name_of(span: SpanRecord) -> str:
    if span.kind == "part":
        return f"{span.owner}.{span.name}"
    if span.kind == "attempt":
        return f"attempt {span.owner}"
    return span.name


@lru_cache(maxsize=2048)
def _part(
    name: str, owner: str, outcome: str, reason: str, is_critical: bool
) -> tuple[bytes, bytes, bool]:
    values: Attributes = {
        "bff.part": name,
        "bff.composition": owner,
        "bff.part.state": outcome,
        "bff.part.critical": is_critical,
    }
    if reason:
        values["bff.part.reason"] = reason
    is_failed = is_degraded(outcome, reason)
    if is_failed:
        values["error.type"] = reason or outcome
    return wire.attributes(values), wire.INTERNAL, is_failed


@lru_cache(maxsize=2048)
def _attempt(
    operation: str, upstream: str, endpoint: str, url: str, outcome: str, *, resends: int = 0
) -> tuple[bytes, bytes, bool]:
    values = client_attributes(operation, upstream, endpoint, url, outcome)
    if resends:
        values["http.request.resend_count"] = resends
    return wire.attributes(values), wire.CLIENT, "error.type" in values


def _call(operation: str, source: str, age: float) -> bytes:
    values: Attributes = {"bff.operation": operation}
    if source:
        values["bff.source"] = source
    if age:
        values["bff.cache.age"] = age
    return wire.attributes(values)


def _failure(outcome: str) -> str:
    """Return why a call or work failed; empty if it did not."""
    if outcome.isdigit():
        return outcome if int(outcome) >= 400 else ""
    return "" if outcome in {"done", ""} else outcome
