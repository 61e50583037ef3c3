"""How long attempts at each endpoint take: measured while someone looks at the page."""

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import Final

from bff_core.clock import Clock, monotonic
from bff_core.events import Attempted, Events
from bff_core.events.sinks import AnyEvent

MAX_ATTEMPTS: Final = 256
"""The newest attempts of an endpoint that are stored."""

MAX_ENDPOINTS: Final = 1000
"""Endpoints whose attempts are stored."""

WINDOW_SECONDS: Final = 300.0
"""How long an attempt counts, and how long it is measured after the last look."""

Key = tuple[str, str]
"""A service and an endpoint."""


class EndpointLatencies:
    """A sink that stores the durations of attempts; it listens only while someone looks.

    Without an open page, requests do not pay for it.
    """

    def __init__(self, events: Events, clock: Clock = monotonic) -> None:
        self._events = events
        self._clock = clock
        self._attempts: dict[Key, deque[tuple[float, float]]] = {}
        self._end: asyncio.TimerHandle | None = None

    def __call__(self, event: AnyEvent, /) -> None:
        """Store the duration of an attempt."""
        if type(event) is not Attempted:
            return
        key = event.upstream, event.endpoint
        attempts = self._attempts.get(key)
        if attempts is None:
            if len(self._attempts) >= MAX_ENDPOINTS:
                return
            attempts = self._attempts[key] = deque(maxlen=MAX_ATTEMPTS)
        attempts.append((self._clock(), event.duration))

    def watch(self) -> None:
        """Listen from now on, until `WINDOW_SECONDS` after the last look."""
        if self._end is None:
            self._events.listen(self)
        else:
            self._end.cancel()
        self._end = asyncio.get_running_loop().call_later(WINDOW_SECONDS, self._stop)

    def p95(self) -> Mapping[Key, float]:
        """Return the 95th percentile of each endpoint in seconds."""
        oldest = self._clock() - WINDOW_SECONDS
        found: dict[Key, float] = {}
        for key, attempts in self._attempts.items():
            durations = sorted(duration for instant, duration in attempts if instant >= oldest)
            if durations:
                found[key] = durations[int(0.95 * (len(durations) - 1))]
        return found

    def close(self) -> None:
        """Listen no longer, if it does."""
        if self._end is not None:
            self._end.cancel()
            self._stop()

    def _stop(self) -> None:
        self._end = None
        self._attempts.clear()
        self._events.unlisten(self)
