"""Decides which requests are recorded with all their spans, so that many cost little."""

import time
from collections.abc import Callable
from math import ceil
from typing import Final

MAX_PER_SECOND: Final = 50
"""Requests that are recorded a second; a request of many parts costs about 0.2 ms."""


class RecordSampling:
    """Chooses 1 in `one_in` requests, which grows with the rate of requests.

    `rate` is requests per second in the last seconds. A burst gets twice `per_second` until
    the rate is known.
    """

    def __init__(
        self, per_second: int = MAX_PER_SECOND, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.one_in = 1
        self._per_second = per_second
        self._clock = clock
        self._rate = 0.0
        self._since = clock()
        self._count = 0
        self._chosen = 0

    @property
    def rate(self) -> float:
        """Requests per second."""
        self._measure(self._clock())
        return self._rate

    def is_chosen(self) -> bool:
        """Count a request; return whether it is recorded."""
        now = self._clock()
        if now - self._since >= 1:
            self._measure(now)
        self._count += 1
        if self._count % self.one_in or self._chosen >= 2 * self._per_second:
            return False
        self._chosen += 1
        return True

    def _measure(self, now: float) -> None:
        seconds = now - self._since
        if seconds < 1:
            return
        self._rate = self._count / seconds
        self.one_in = max(ceil(self._rate / self._per_second), 1)
        self._since, self._count, self._chosen = now, 0, 0
