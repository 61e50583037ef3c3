"""The spans of a request as rows of the waterfall, with what layers did in words."""

from collections.abc import Callable, Container, Iterator
from typing import Final

from bff_core.console.model import SpanRow
from bff_core.console.requests.words import did
from bff_core.console.requests.work_names import name_of_work
from bff_core.console.wording import age, counted, duration, size
from bff_core.observe.request_records import RequestRecord, SpanMark, SpanRecord

TIMEOUTS: Final = frozenset({"timeout", "deadline_exceeded"})
"""Outcomes and reasons of what a limit ended."""

CANCELLED: Final = "cancelled"

RENEWED: Final = "renewed behind the answer"
"""The mark of a stale call whose cached reply was replaced meanwhile."""

_REJECTED: Final = {
    "circuit_open": "not sent: circuit breaker open",
    "circuit_forced": "not sent: an operator opened the circuit",
    "bulkhead_full": "not sent: too many calls were running",
    "queue": "not sent: waited too long for its turn",
}

_NOT_REPEATED: Final = {
    "budget": "not tried again: retry budget spent",
    "deadline": "not tried again: no time left",
    "retry_after": "not tried again: the service wants a longer pause",
}


def span_rows(record: RequestRecord) -> list[SpanRow]:
    """Return the rows of all spans, each after the span around it, and at last the view's work."""
    rows = [_row(record, index) for index in range(len(record.spans))]
    _fold_refreshes(record, rows)
    work = _work_of_view(record)
    return [*rows, work] if work is not None else rows


def children(record: RequestRecord, index: int, kind: str) -> list[int]:
    """Return the spans of a kind directly inside of one."""
    return [at for at, one in enumerate(record.spans) if one.within == index and one.kind == kind]


def calls_of(record: RequestRecord, index: int) -> list[int]:
    """Return the calls anywhere inside of a span."""
    inside = {index}
    found = []
    for at, one in enumerate(record.spans):
        if one.within in inside:
            inside.add(at)
            if one.kind == "call":
                found.append(at)
    return found


def seconds_of(record: RequestRecord, span: SpanRecord) -> float:
    """Return how long a span took; one that did not end was cancelled with the request."""
    return span.seconds if span.seconds >= 0 else max(0.0, record.seconds - span.start)


def failed_renewal(record: RequestRecord, index: int) -> str:
    """Return what a service did as the reply of a stale call was to be renewed; empty if well."""
    call = record.spans[index]
    if call.source != "stale":
        return ""
    tries = [record.spans[one] for one in children(record, index, "attempt")]
    rejected = [mark.reason for mark in call.marks if mark.kind == "rejected"]
    if rejected:
        return did(rejected[-1], 0.0, [one.outcome for one in tries])
    if not tries or tries[-1].outcome in {"", "ok", CANCELLED}:
        return ""
    last = tries[-1]
    if last.outcome.isdigit() and int(last.outcome) < 400:
        return ""
    seconds = last.start + seconds_of(record, last) - tries[0].start
    return did(last.outcome, seconds, [one.outcome for one in tries])


def _row(record: RequestRecord, index: int) -> SpanRow:
    span, seconds = record.spans[index], seconds_of(record, record.spans[index])
    outcome = span.outcome or CANCELLED
    is_limit = outcome in TIMEOUTS or span.reason in TIMEOUTS
    return SpanRow(
        kind=span.kind,
        name=name_of_work(span.name) if span.kind == "work" else span.name,
        upstream="" if span.kind == "part" else span.owner,
        within=span.within,
        start=span.start,
        seconds=seconds,
        outcome=outcome,
        reason=span.reason,
        error=span.error or _error(span.kind, outcome),
        source=span.source if span.source in {"upstream", "cache", "stale"} else "",  # type: ignore[arg-type] # one of these
        age=span.age,
        marks=list(_marks(record, index)),
        timeout=round(seconds, 2) if is_limit else 0.0,
        is_critical=span.is_critical,
    )


def _error(kind: str, outcome: str) -> str:
    """Return the error code of a call or an attempt; empty for a status and for parts."""
    if kind not in {"call", "attempt"} or outcome == CANCELLED or outcome.isdigit():
        return ""
    return "no answer" if kind == "attempt" and outcome in TIMEOUTS else outcome


def _marks(record: RequestRecord, index: int) -> Iterator[str]:
    span = record.spans[index]
    if span.kind == "attempt":
        yield from _marks_of_attempt(record, index)
    kinds = {mark.kind for mark in span.marks}
    if span.kind == "call":
        tries = len(children(record, index, "attempt"))
        if tries > 1 and "hedge" not in kinds:
            yield counted(tries, "attempt")
        if span.source == "cache" and "joined" not in kinds:
            yield f"cached, {age(span.age)} old"
    for mark in span.marks:
        text = _words(record, mark, kinds)
        if text:
            yield text


def _marks_of_attempt(record: RequestRecord, index: int) -> Iterator[str]:
    """Yield the pause after an attempt that was tried again, and whether it is a hedge."""
    span = record.spans[index]
    if span.within < 0:
        return
    call = record.spans[span.within]
    tries = children(record, span.within, "attempt")
    number = tries.index(index)
    retries = [mark for mark in call.marks if mark.kind == "retry"]
    if number < len(retries) and retries[number].delay > 0:
        yield f"backoff {duration(retries[number].delay)}"
    if number and any(mark.kind == "hedge" and mark.at <= span.start for mark in call.marks):
        yield "hedge"


_WORDS: Final[dict[str, Callable[[SpanMark], str]]] = {
    "retry_refused": lambda mark: _NOT_REPEATED.get(mark.reason, "not tried again"),
    "hedge_won": lambda _: "hedged, second one won",
    "hedge_refused": lambda _: "not hedged: hedge budget spent",
    "rejected": lambda mark: _REJECTED.get(mark.reason, "not sent"),
    "stale": lambda mark: f"cached, {age(mark.delay)} old",
    "credentials_refused": lambda mark: "credentials refused" + ", sent again" * bool(mark.reason),
    "token_refused": lambda _: "no token from the provider",
    "reduced": lambda mark: f"{counted(mark.count, 'unreadable value')} left out",
    "ejected": lambda mark: f"endpoint ejected for {age(mark.delay)}",
    "stream_ended": lambda mark: f"streamed {size(mark.count)}",
}


def _words(record: RequestRecord, mark: SpanMark, kinds: Container[str]) -> str:
    """Return what a layer did; empty for what other marks of the span say."""
    if mark.kind == "hedge":
        return "" if "hedge_won" in kinds else "hedged"
    if mark.kind == "joined":
        other = f" of {record.gateway} {mark.request_id[:12]}" if mark.request_id else ""
        return f"joined the flight{other}"
    words = _WORDS.get(mark.kind)
    return "" if words is None else words(mark)


def _fold_refreshes(record: RequestRecord, rows: list[SpanRow]) -> None:
    """Say of a stale call whether it was renewed behind the answer, or why it was not."""
    for span in record.spans:
        if span.kind != "work" or span.within < 0:
            continue
        around = rows[span.within]
        if around.kind == "call" and around.source == "stale":
            around.marks = [*(mark for mark in around.marks if mark != RENEWED), RENEWED]
    for index, row in enumerate(rows):
        if row.kind == "call" and (failure := failed_renewal(record, index)):
            known = {RENEWED, counted(len(children(record, index, "attempt")), "attempt")}
            others = [mark for mark in row.marks if mark not in known]
            row.marks = [f"not renewed, since it {failure}", *others]


def _work_of_view(record: RequestRecord) -> SpanRow | None:
    """Return what the gateway did after the last part: to shape and encode the answer."""
    ends = [one.start + one.seconds for one in record.spans if one.kind == "part"]
    start = max(ends, default=record.seconds)
    if start >= record.seconds:
        return None
    return SpanRow(
        kind="work",
        name="shape, encode",
        upstream="view",
        within=-1,
        start=start,
        seconds=record.seconds - start,
        outcome="done",
    )
