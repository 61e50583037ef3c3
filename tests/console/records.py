"""Builds records of requests for tests: a small language of spans."""

from bff_core.observe.request_records import RequestRecord, SpanMark, SpanRecord


def part(name: str, start: float, seconds: float, outcome: str = "ok", **fields) -> SpanRecord:
    """Return a part of a screen."""
    return SpanRecord("part", name, "Home", start, seconds=seconds, outcome=outcome, **fields)


def call(
    service: str, within: int, start: float, seconds: float, outcome: str = "200", **fields
) -> SpanRecord:
    """Return a call to a service."""
    return SpanRecord(
        "call", "GET /x", service, start, within=within, seconds=seconds, outcome=outcome, **fields
    )


def attempt(within: int, start: float, seconds: float, outcome: str = "200") -> SpanRecord:
    """Return an attempt of a call."""
    return SpanRecord(
        "attempt", "10.0.0.1:80", "", start, within=within, seconds=seconds, outcome=outcome
    )


def mark(kind: str, at: float = 0.0, **fields) -> SpanMark:
    """Return something that a layer did."""
    return SpanMark(kind, at, **fields)


def record(*spans: SpanRecord, request_id: str = "r1", **fields) -> RequestRecord:
    """Return a record of a request for the dashboard."""
    values = {
        "time": 1_800_000_000.0,
        "method": "GET",
        "route": "/v1/dashboard",
        "path": "/v1/dashboard",
        "status": 200,
        "seconds": 0.726,
        "screen": "Home",
        "pid": 7,
        "number": 1,
        **fields,
    }
    return RequestRecord(request_id=request_id, spans=list(spans), **values)
