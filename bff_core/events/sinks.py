"""The base classes of events, and the sinks that receive them.

A producer checks `if events.sinks:` before it creates an event: without sinks an event costs one
attribute read. Events of what starts and ends are created only in requests that a sink traces,
which have a span. Sinks that count get few events, so that they are cheap: a request's calls and
parts together at its end (`if events.is_counted:`). Events of each attempt and lookup are created
for other sinks (`if events.is_detailed:`), and in requests that have a span.
"""

import logging
import random
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import ClassVar, Protocol

import msgspec

_bits = random.getrandbits  # ids have to differ, not to be secret


class Span(msgspec.Struct, frozen=True):
    """Something that takes time: a request, a part, a call, an attempt, background work.

    Ids are lower-case hexadecimal, as in W3C Trace Context: 32 digits of the trace, 16 of the span;
    `parent_id` is empty for the root of a trace. `is_sampled` is the flag of the trace.
    """

    trace_id: str
    span_id: str
    parent_id: str = ""
    is_sampled: bool = True

    def child(self) -> "Span":
        """Return a new span within this one."""
        return Span(self.trace_id, f"{_bits(64) or 1:016x}", self.span_id, self.is_sampled)


running_span: ContextVar[Span | None] = ContextVar("running_span", default=None)
"""The span of the request that runs; background work inherits it. None unless a sink traces."""


class _Record(msgspec.Struct, frozen=True, kw_only=True):
    """What every event has. A Struct, since a dataclass takes six times as long to create."""

    name: ClassVar[str] = ""
    """Its name in logs and metrics, as noun.verb."""

    span: Span | None = None


class Event(_Record, frozen=True):
    """An event of an upstream; `operation` is a template without ids.

    `span` is the span in which it happened, if a sink traces.
    """

    upstream: str
    operation: str


class GatewayEvent(_Record, frozen=True):
    """An event of the gateway or its process.

    `span` is the span in which it happened, if a sink traces.
    """


AnyEvent = Event | GatewayEvent
"""An event of a call to a service, or of the gateway; sinks receive both."""


class Sink(Protocol):
    """Receives each event; must not block. An error that it raises is logged once, and ignored.

    A sink with a true attribute `traces` also receives the events of what starts and ends, and each
    event has its `span`. If it has a method `sample(span) -> bool`, that is called at the start of
    each request; if no sink wants a request, its events have no span, and nothing that starts in it
    is reported. Such a sink gets events of attempts and lookups in wanted requests only, and with a
    true `is_span_only` no event without a span. A sink that sets the flag of traces has a method
    `set_flag(span) -> bool`.

    A sink with a true attribute `counts` also receives `PartsEnded`, and finds the calls of a
    request in its `Scope`.
    """

    def __call__(self, event: AnyEvent, /) -> None:
        """Take one event."""


def _all(_span: Span) -> bool:
    return True


class Events:
    """The sinks of one gateway."""

    __slots__ = (
        *("_counting", "_failed", "_samplers", "_set_flag", "_unsampled"),
        *("is_counted", "is_detailed", "is_traced", "sinks"),
    )

    def __init__(self, *sinks: Sink) -> None:
        self._failed: set[int] = set()
        self._listen_all(sinks)

    def _listen_all(self, sinks: Iterable[Sink]) -> None:
        self.sinks: tuple[Sink, ...] = ()
        self._unsampled: tuple[Sink, ...] = ()
        """The sinks that also get events without a span."""
        self.is_traced = False
        self.is_counted = False
        self.is_detailed = False
        self._counting: tuple[Sink, ...] = ()
        self._samplers: tuple[Callable[[Span], bool], ...] = ()
        self._set_flag: Callable[[Span], bool] | None = None
        for sink in sinks:
            self.listen(sink)

    def listen(self, sink: Sink) -> None:
        """Add a sink; raise `TypeError` for what can't be called with an event."""
        if not callable(sink) or isinstance(sink, type):
            raise TypeError(f"{sink!r} is no sink: pass something that is called with each event")
        self.sinks = (*self.sinks, sink)
        if not getattr(sink, "is_span_only", False):
            self._unsampled = (*self._unsampled, sink)
        self._set_flag = getattr(sink, "set_flag", None) or self._set_flag
        traces = bool(getattr(sink, "traces", False))
        if traces:
            self.is_traced = True
            self._samplers = (*self._samplers, getattr(sink, "sample", _all))
        if getattr(sink, "counts", False):
            self.is_counted, self._counting = True, (*self._counting, sink)
        elif not (traces and hasattr(sink, "sample")):
            self.is_detailed = True

    def count(self, event: AnyEvent) -> None:
        """Pass an event to the sinks that count."""
        for sink in self._counting:
            try:
                sink(event)
            except Exception as error:  # noqa: BLE001 - a sink must not fail the request
                self._report(sink, event, error)

    def flagged(self, span: Span) -> Span:
        """Return the span of a request with the flag that a sink sets; else as the client sent."""
        if self._set_flag is None or (flag := self._set_flag(span)) == span.is_sampled:
            return span
        return Span(span.trace_id, span.span_id, span.parent_id, flag)

    def wants(self, span: Span) -> bool:
        """Whether a sink wants the events of a request with this span."""
        if len(self._samplers) == 1:
            return self._samplers[0](span)
        is_wanted = False
        for sample in self._samplers:
            is_wanted = sample(span) or is_wanted
        return is_wanted

    def unlisten(self, sink: Sink) -> None:
        """Remove a sink that was added."""
        self._listen_all([one for one in self.sinks if one is not sink])

    def emit(self, event: AnyEvent) -> None:
        """Pass an event to every sink; if a sink raises, log the first error of it.

        An event without a span gets that of the running request, if a sink traces.
        """
        sinks = self.sinks
        if self.is_traced and event.span is None:
            span = running_span.get()
            if span is None:
                sinks = self._unsampled
            else:
                event = msgspec.structs.replace(event, span=span)
        for sink in sinks:
            try:
                sink(event)
            except Exception as error:  # noqa: BLE001 - a sink must not fail the request
                self._report(sink, event, error)

    def _report(self, sink: Sink, event: AnyEvent, error: Exception) -> None:
        if id(sink) not in self._failed:
            self._failed.add(id(sink))
            message = "the sink %r raised an error for %s: further errors of it are not logged"
            logging.getLogger("bff_core").error(message, sink, event.name, exc_info=error)
