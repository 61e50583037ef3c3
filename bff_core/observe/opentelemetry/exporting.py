"""Encodes and exports spans in a thread, away from the event loop."""

import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from bff_core.observe.opentelemetry.batches import Periodic
from bff_core.observe.opentelemetry.failures import ExportFailures
from bff_core.observe.opentelemetry.spans import encoded_spans
from bff_core.observe.opentelemetry.wire import Envelope
from bff_core.observe.request_records import RequestRecord


class Export(Protocol):
    """Sends encoded requests of OTLP to a collector."""

    def send(self, request: bytes, /) -> str:
        """Send a request; return why it was not taken, or nothing. It blocks."""

    def end_retries(self) -> None:
        """Send each further request once; called from another thread."""


class TraceExport:
    """A bounded queue of records whose traces are exported; `take` never waits.

    The queue has room for `max_queue` spans; further records are dropped.
    """

    def __init__(
        self,
        envelope: Callable[[], Envelope],
        export: Callable[[], Export],
        *,
        failures: ExportFailures,
        max_queue: int,
        max_batch: int,
        delay: float,
    ) -> None:
        self._make_envelope = envelope
        self._make_export = export
        self._failures = failures
        self._max_batch = max_batch
        self._max_queue = max_queue
        self._delay = delay
        self._due_at = time.monotonic() + delay
        """When also less than a batch is exported; the thread wakes later than that."""
        self._queue: deque[RequestRecord] = deque()
        self._added = 0
        """Spans that were queued; written by the loop only."""
        self._sent = 0
        """Spans that left the queue; written by the thread only."""
        self._export: Export | None = None
        self._envelope: Envelope | None = None
        self._thread = Periodic("bff-traces", self._send, delay)

    def take(self, record: RequestRecord) -> None:
        """Add a record to the queue."""
        queued = self._added - self._sent + len(record.spans) + 1
        if queued > self._max_queue:
            self._failures.drop()
            return
        self._added += len(record.spans) + 1
        self._queue.append(record)
        self._thread.start()
        if queued >= self._max_batch:
            self._thread.wake()

    def flush(self, seconds: float) -> bool:
        """Export what is queued, until a request fails; return whether it began in `seconds`."""
        if self._export is not None:
            self._export.end_retries()
        return self._thread.flush(seconds)

    def _send(self) -> None:
        """Export full batches of the queued spans; all of them when the delay has passed."""
        if self._export is None or self._envelope is None:
            self._envelope, self._export = self._make_envelope(), self._make_export()
            if self._thread.is_ending:
                self._export.end_retries()
        is_due = self._thread.is_ending or time.monotonic() >= self._due_at
        batch: list[bytes] = []
        while self._queue:
            if not (batch or is_due) and self._added - self._sent < self._max_batch:
                break
            batch += encoded_spans(self._taken())
            if len(batch) >= self._max_batch:
                self._export_batch(self._export, self._envelope.around(batch))
                batch = []
        if batch:
            self._export_batch(self._export, self._envelope.around(batch))
        if is_due:
            self._due_at = time.monotonic() + 0.9 * self._delay
        self._failures.log()

    def _export_batch(self, export: Export, request: bytes) -> None:
        error = export.send(request)
        if error:
            self._failures.fail(error)
            while self._thread.is_ending and self._queue:  # the next one would wait as long
                self._taken()

    def _taken(self) -> RequestRecord:
        """Take the oldest record out of the queue."""
        record = self._queue.popleft()
        self._sent += len(record.spans) + 1
        return record
