"""What the record of a request has from its answer, and from the parts that degraded it."""

from typing import Final

from bff_core import events
from bff_core.events.part_states import COMPLETE_STATES, is_degraded
from bff_core.observe.exceptions import described
from bff_core.observe.masking import masked
from bff_core.observe.request_records import RequestRecord, SpanRecord
from bff_core.observe.request_redaction import recorded_path, shown_headers, shown_query
from bff_core.scope import current_request

MAX_WAITING: Final = 1000
"""Requests whose degraded parts wait for their answer."""


def describe(record: RequestRecord, event: events.RequestAnswered, *, has_values: bool) -> None:
    """Add what is known at the answer; `has_values` is whether those of the query are shown."""
    record.route, record.route_id = event.route, event.route_id
    record.status, record.seconds = event.status, event.duration
    record.path, record.size, record.owner = event.path, event.size, event.owner
    record.reason, record.is_truncated = event.reason, event.is_truncated
    record.viewer, record.scheme = event.viewer, event.scheme
    if event.error is not None:
        record.error = error_text(event.error)
    scope = current_request.get()
    if scope is not None and scope.request_id == record.request_id:
        record.path = scope.path
        record.tracestate = scope.tracestate
        if scope.root_fields:
            labels = dict.fromkeys(scope.root_fields.values())
            record.fields = [label.partition(" ")[2] for label in labels]
            record.shown_fields = list(scope.shown_fields)
        record.query = shown_query(scope.query, has_values=has_values)
        record.headers = shown_headers(scope.headers)
    record.path = recorded_path(record.path, record.route)
    if event.status >= 500 or event.is_truncated:
        record.state = "failed"
    elif event.status < 400 and any(
        one.kind == "part" and is_degraded(one.outcome, one.reason) for one in record.spans
    ):
        record.state = "degraded"


def error_text(error: BaseException | str | None) -> str:
    """Return an error as it may be shown; nothing for None."""
    if error is None:
        return ""
    return masked(error if isinstance(error, str) else described(error))


class DegradedParts:
    """The degraded parts of requests that are not sampled, until their answer; bounded."""

    def __init__(self) -> None:
        self._by_request: dict[str, list[SpanRecord]] = {}

    def add(self, event: events.PartEnded) -> None:
        """Store a part of the running request, unless it ended well."""
        scope = current_request.get()
        if event.state in COMPLETE_STATES or scope is None:
            return
        if len(self._by_request) >= MAX_WAITING:  # parts that ended after their request
            self._by_request.pop(next(iter(self._by_request)))
        part = SpanRecord(
            "part",
            event.part,
            event.composition,
            0.0,
            seconds=event.duration,
            outcome=event.state,
            reason=event.reason,
            error=error_text(event.error),
            is_critical=event.is_raised,
        )
        self._by_request.setdefault(scope.request_id, []).append(part)

    def record(
        self, event: events.RequestAnswered, *, now: float, gateway: str, has_values: bool
    ) -> RequestRecord | None:
        """Return the record of a degraded or failed request without spans; None for others."""
        parts = self._by_request.pop(event.request_id, None)
        if not parts and event.status < 500:
            return None
        record = RequestRecord(
            now - event.duration,
            event.method,
            event.request_id,
            gateway=gateway,
            trace_id=event.trace_id,
            spans=parts or [],
            has_spans=False,
            is_sampled=False,
        )
        describe(record, event, has_values=has_values)
        record.screen = parts[0].owner if parts else ""
        return record
