"""What a request was: its state, its rows of parts, and the reason of each."""

from dataclasses import dataclass, field
from typing import Final, Literal

from bff_core.composition.errors import PartCancelled
from bff_core.errors import BadStatus
from bff_core.events.part_states import COMPLETE_STATES
from bff_core.observe.request_records import RequestRecord, SpanRecord

State = Literal["complete", "degraded", "failed", "refused", "left"]

CLIENT_LEFT: Final = 499


@dataclass(slots=True)
class Row:
    """A part, or a call that no part made: its spans and why it is as it is."""

    name: str
    services: str
    state: str
    start: float
    seconds: float
    reason: str
    is_timed_out: bool = False
    attempts: list[SpanRecord] = field(default_factory=list)


@dataclass(slots=True)
class Summary:
    """A request for people: `title` is its method and route; `calls` counts what was sent."""

    title: str
    state: State
    calls: int
    rows: list[Row]
    cancelled: list[str]

    @property
    def has_findings(self) -> bool:
        """Whether something is not as usual."""
        return self.state not in {"complete", "refused"} or any(
            row.state != "ok" for row in self.rows
        )


def summary_of(trace: RequestRecord) -> Summary:
    """Return the summary of a request."""
    rows = [_row(trace, index) for index in _tops(trace)]
    cancelled = [row.name for row in rows if row.state == "cancelled"]
    shown = [row for row in rows if row.state != "cancelled"]
    sent = {one.within for one in trace.spans if one.kind == "attempt"}
    return Summary(_title(trace), _state(trace, shown), len(sent), shown, cancelled)


def _title(trace: RequestRecord) -> str:
    if trace.route.endswith("/graphql"):
        screens = dict.fromkeys(one.owner for one in trace.spans if one.kind == "part")
        return " ".join(("graphql", *list(screens)[:2]))
    return f"{trace.method} {trace.route or trace.path or '-'}"


def _state(trace: RequestRecord, rows: list[Row]) -> State:
    if trace.status == CLIENT_LEFT:
        return "left"
    if trace.status >= 500 or trace.is_truncated:
        return "failed"
    if trace.status >= 400:
        return "refused"
    return "degraded" if any(row.state not in COMPLETE_STATES for row in rows) else "complete"


def _tops(trace: RequestRecord) -> list[int]:
    """Return the indexes of the parts, and of the calls outside of parts."""
    return [
        index
        for index, span in enumerate(trace.spans)
        if span.kind == "part" or (span.kind == "call" and span.within < 0)
    ]


def _row(trace: RequestRecord, index: int) -> Row:
    span = trace.spans[index]
    calls = [index] if span.kind == "call" else _within(trace, index, "call")
    attempts = [trace.spans[one] for call in calls for one in _within(trace, call, "attempt")]
    owners = dict.fromkeys(trace.spans[call].owner for call in calls)
    seconds = span.seconds if span.seconds >= 0 else max(trace.seconds - span.start, 0.0)
    state = _state_of(span)
    return Row(
        name=span.name,
        services=", ".join(owners),
        state=state,
        start=span.start,
        seconds=seconds,
        reason=_reason(span, state, seconds, [trace.spans[one] for one in calls], attempts),
        is_timed_out=span.reason == "timeout",
        attempts=attempts,
    )


def _within(trace: RequestRecord, index: int, kind: str) -> list[int]:
    return [
        number for number, one in enumerate(trace.spans) if one.within == index and one.kind == kind
    ]


def _state_of(span: SpanRecord) -> str:
    if span.kind == "part":
        is_cancelled = not span.outcome or span.reason == PartCancelled.code
        return "cancelled" if is_cancelled else span.outcome
    if span.source == "stale":
        return "stale"
    return "ok" if span.outcome.isdigit() and int(span.outcome) < 400 else "failed"


def _reason(
    span: SpanRecord,
    state: str,
    seconds: float,
    calls: list[SpanRecord],
    attempts: list[SpanRecord],
) -> str:
    """Return why a part is as it is, in a few words."""
    of_state, of_attempts = (
        _why_of_state(span, state, seconds, calls),
        _why_of_attempts(state, calls, attempts),
    )
    if span.reason == BadStatus.code and of_attempts:
        of_state, of_attempts = of_state.replace(BadStatus.code, of_attempts), ""
    found = [
        of_state,
        of_attempts,
        *(
            f"joined {one.request_id[:8]}".rstrip()
            for call in calls
            for one in call.marks
            if one.kind == "joined"
        ),
    ]
    if state == "ok" and calls and all(call.source == "cache" for call in calls):
        found.append(f"cached, {max(call.age for call in calls):.0f} s old")
    elif state == "ok" and attempts and all(one.outcome == "304" for one in attempts):
        found.append("not modified")
    return ", ".join(filter(None, found))


def _why_of_state(span: SpanRecord, state: str, seconds: float, calls: list[SpanRecord]) -> str:
    if state == "ok":
        return "critical" if span.is_critical else ""
    if state == "stale":
        age = max((call.age for call in calls), default=0.0)
        return f"stale, {age:.0f} s old" if age else "stale"
    why = span.reason or span.outcome
    after = f" after {seconds:.1f} s" if why == "timeout" else ""
    word = "critical" if span.is_critical else state
    return f"{word}: {why}{after}" if why != state else word


def _why_of_attempts(state: str, calls: list[SpanRecord], attempts: list[SpanRecord]) -> str:
    marks = {mark.kind for call in calls for mark in call.marks}
    outcomes = [one.outcome or "no answer" for one in attempts]
    if "hedge_won" in marks:
        return "hedged, attempt 2 won"
    if "hedge" in marks:
        return "hedged"
    if len(attempts) > len(calls):
        return f"{len(attempts)} attempts: {_listed(outcomes)}"
    if state == "stale" and attempts:
        return "refreshing"
    is_shown = state not in COMPLETE_STATES and outcomes and outcomes[-1].isdigit()
    return _listed(outcomes) if is_shown else ""


def _listed(outcomes: list[str]) -> str:
    """Return outcomes in their order; equal ones once."""
    is_one = len(set(outcomes)) == 1 and len(outcomes) > 1
    return f"{outcomes[0]} each" if is_one else ", ".join(outcomes)
