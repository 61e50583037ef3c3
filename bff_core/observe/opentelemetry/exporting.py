"""Encodes and exports spans in a thread, away from the event loop."""

import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from bff_core.observe.opentelemetry.batches import Periodic
from bff_core.observe.opentelemetry.spans import encoded_spans
from bff_core.observe.opentelemetry.wire import Envelope
from bff_core.observe.request_records import RequestRecord

Export = Callable[[bytes], object]
"""Sends an encoded `ExportTraceServiceRequest`."""

LOG_SECONDS: Final = 60.0
"""How often dropped requests are logged."""


class TraceExport:
    """A bounded queue of records whose traces are exported; `take` never waits.

    Records beyond `max_queue` are dropped, and their number is logged once a minute.
    """

    def __init__(
        self,
        envelope: Callable[[], Envelope],
        export: Callable[[], Export],
        *,
        max_queue: int,
        max_batch: int,
        delay: float,
    ) -> None:
        self._make_envelope = envelope
        self._make_export = export
        self._max_batch = max(max_batch, 1)
        self._queue: deque[RequestRecord] = deque()
        self._max_queue = max_queue
        self._dropped = 0
        self._logged_at = 0.0
        self._export: Export | None = None
        self._envelope: Envelope | None = None
        self._thread = Periodic("bff-traces", self._send, delay)

    def take(self, record: RequestRecord) -> None:
        """Add a record to the queue."""
        if len(self._queue) >= self._max_queue:
            self._dropped += 1
            return
        self._queue.append(record)
        self._thread.start()
        if len(self._queue) >= self._max_batch:
            self._thread.wake()

    def flush(self, seconds: float) -> bool:
        """Export what is queued; return whether that took less than `seconds`."""
        return self._thread.flush(seconds)

    def _send(self) -> None:
        """Export the queued records, in batches of spans."""
        if self._export is None or self._envelope is None:
            self._envelope, self._export = self._make_envelope(), self._make_export()
        batch: list[bytes] = []
        while self._queue:
            batch += encoded_spans(self._queue.popleft())
            if len(batch) >= self._max_batch:
                self._export(self._envelope.around(batch))
                batch = []
        if batch:
            self._export(self._envelope.around(batch))
        self._log_dropped()

    def _log_dropped(self) -> None:
        now = time.monotonic()
        if self._dropped and now - self._logged_at >= LOG_SECONDS:
            count, self._dropped, self._logged_at = self._dropped, 0, now
            message = "OpenTelemetry: %d traces were dropped, since the export is too slow"
            logging.getLogger("bff_core").warning(message, count)
