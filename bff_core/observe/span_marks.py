"""Turns events of layers into marks of the span in which they happened."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from bff_core import events
from bff_core.events.sinks import AnyEvent
from bff_core.observe.request_records import SpanMark


def _cache(event: events.CacheLookup, at: float) -> SpanMark | None:
    if event.outcome != "stale":
        return None
    return SpanMark("stale", at, event.reason, delay=event.age)


def _joined(event: events.Coalesced, at: float) -> SpanMark:
    leader = event.leader
    if leader is None:
        return SpanMark("joined", at)
    return SpanMark("joined", at, trace_id=leader.trace_id, span_id=leader.span_id)


_MARKS: Final[Mapping[type, Callable[[Any, float], SpanMark | None]]] = {
    events.Retried: lambda event, at: SpanMark("retry", at, event.reason, event.delay),
    events.RetryRefused: lambda event, at: SpanMark("retry_refused", at, event.reason),
    events.Hedged: lambda _, at: SpanMark("hedge", at),
    events.HedgeWon: lambda _, at: SpanMark("hedge_won", at),
    events.HedgeRefused: lambda event, at: SpanMark("hedge_refused", at, event.reason),
    events.Coalesced: _joined,
    events.CallRejected: lambda event, at: SpanMark("rejected", at, event.reason),
    events.CacheLookup: _cache,
    events.Unauthorized: lambda event, at: SpanMark(
        "credentials_refused", at, "sent again" if event.is_sent_again else ""
    ),
    events.TokenRefused: lambda event, at: SpanMark("token_refused", at, event.reason),
    events.ReplyReduced: lambda event, at: SpanMark("reduced", at, count=event.count),
    events.Ejected: lambda event, at: SpanMark("ejected", at, delay=event.duration),
    events.StreamEnded: lambda event, at: SpanMark(
        "stream_ended", at, event.outcome, event.duration, event.size
    ),
}


def mark_of(event: AnyEvent, at: float) -> SpanMark | None:
    """Return the mark of an event, `at` seconds after the request's start; None if it has none."""
    make = _MARKS.get(type(event))
    return None if make is None else make(event, at)
