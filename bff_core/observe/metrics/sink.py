"""`MetricsSink`: counts the events of one gateway in one process, in bounded memory."""

import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any, Final

from bff_core import events
from bff_core.events.sinks import AnyEvent
from bff_core.observe.metrics.occurrences import SUBJECTS, Occurrence, occurrence_of
from bff_core.observe.metrics.rare import RARE, UNLABELLED, Amounts
from bff_core.observe.metrics.requests import RequestCounts
from bff_core.observe.metrics.series import collapsed

MAX_RARE: Final = 300
"""How many series a family of rare counters may have; later ones share series."""

MAX_OCCURRENCES: Final = 200
"""How many things that operators want to know are stored, the newest."""


class MetricsSink:
    """Counts events; `now` returns Unix time.

    `rare` counts what is no request, part or call, by family and labels. `breakers` are the states
    of circuit breakers by upstream, `stores` those of shared stores that have changed. `read_lost`
    returns what was not exported to OpenTelemetry, by reason.
    """

    counts = True

    def __init__(
        self,
        *,
        now: Callable[[], float] = time.time,
        read_lost: Callable[[], Mapping[str, int]] = dict,
    ) -> None:
        self.now = now
        self.started = now()
        self.requests = RequestCounts(now)
        self.rare: dict[str, Counter[tuple[str, ...]]] = {
            family: Counter({(): 0}) for family in UNLABELLED
        }
        self.breakers: dict[str, str] = {}
        self.stores: dict[str, str] = {}
        self.read_lost = read_lost
        self.occurrences: deque[Occurrence] = deque(maxlen=MAX_OCCURRENCES)
        self._numbers = count(1)
        self._handlers: dict[type, Callable[[Any], None]] = {
            events.RequestAnswered: self.requests.answered,
            events.PartsEnded: self.requests.parts_ended,
            events.PartEnded: self.requests.part_failed,
            events.CallEnded: self._call_ended,
            **dict.fromkeys((*RARE, *SUBJECTS), self._rare),
        }

    def __call__(self, event: AnyEvent, /) -> None:
        """Count one event."""
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event)

    def note(self, event: AnyEvent) -> None:
        """Store what operators want to know of an event."""
        found = occurrence_of(event, self.now(), next(self._numbers))
        if found is not None:
            self.occurrences.append(found)

    def _call_ended(self, event: events.CallEnded) -> None:
        if event.span is None:  # those of requests are counted with their answer
            self.requests.call_ended(event)

    def _rare(self, event: AnyEvent) -> None:
        for family, amounts in RARE.get(type(event), ()):
            self._add(self.rare.setdefault(family, Counter()), amounts(event))
        if isinstance(event, events.StoreChanged):
            self.stores[event.store] = event.state
        if not isinstance(event, events.BreakerChanged) or self._is_news(event):
            self.note(event)

    def _is_news(self, change: events.BreakerChanged) -> bool:
        """Whether a circuit opens or closes: while it is open, its probes are no news."""
        was_open = self.breakers.get(change.upstream, "closed") != "closed"
        self.breakers[change.upstream] = change.state
        return change.state == "closed" or (change.state == "open" and not was_open)

    def _add(self, counter: Counter[tuple[str, ...]], amounts: Amounts) -> None:
        for labels, amount in amounts:
            counter[collapsed(labels, counter, MAX_RARE)] += amount
