"""Logs what was not exported, a line a minute at most."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

LOG_SECONDS: Final = 60.0
"""How often failures are logged; the first one is at once."""


class ExportFailures:
    """Counts exports that failed, and traces that were dropped; any thread may call it."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failed = 0
        self._reason = ""
        self._dropped = 0
        self._logged_at = float("-inf")
        self.totals = {"export_failed": 0, "queue_full": 0}
        """All exports that failed and traces that were dropped."""

    def fail(self, reason: str) -> None:
        """Count an export that the collector did not take."""
        with self._lock:
            self._failed += 1
            self.totals["export_failed"] += 1
            self._reason = reason
        self.log()

    def drop(self) -> None:
        """Count a trace that the queue has no room for."""
        with self._lock:
            self._dropped += 1
            self.totals["queue_full"] += 1

    def log(self) -> None:
        """Log what was counted, unless the last line is younger than a minute."""
        with self._lock:
            now = self._clock()
            is_due = now - self._logged_at >= LOG_SECONDS
            if not is_due or not (self._failed or self._dropped):
                return
            failed, dropped, reason = self._failed, self._dropped, self._reason
            self._failed = self._dropped = 0
            self._logged_at = now
        last = f" ({reason})" if failed else ""
        message = "OpenTelemetry: %d exports failed%s, %d traces found no room in the queue"
        logging.getLogger("bff_core").warning(message, failed, last, dropped)
