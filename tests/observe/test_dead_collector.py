"""A collector that accepts connections and never answers: nothing waits for it."""

import socket
import sys
import threading
import time
from collections.abc import Iterator

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from bff_core.observe.opentelemetry.exporting import TraceExport
from bff_core.observe.opentelemetry.failures import ExportFailures
from bff_core.observe.opentelemetry.wire import Envelope
from bff_core.observe.request_records import RequestRecord, SpanRecord
from bff_core.testing import running
from tests.observe.test_opentelemetry import make_app

TIMEOUT_SECONDS = 0.3
SPANS = 5
"""Spans of a request."""


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Listen, and answer nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listening:
        port = listening.getsockname()[1]
        for name, value in {
            "EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
            "EXPORTER_OTLP_TIMEOUT": f"{TIMEOUT_SECONDS}",
            "BSP_MAX_QUEUE_SIZE": f"{4 * SPANS}",
            "BSP_MAX_EXPORT_BATCH_SIZE": f"{SPANS}",
            "BSP_SCHEDULE_DELAY": "10",
        }.items():
            monkeypatch.setenv(f"OTEL_{name}", value)
        yield listening


async def test_a_silent_collector_delays_nothing(
    silent: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    """Requests are answered, the shutdown takes one timeout, and a line says what happened."""
    async with running(make_app()) as client:
        answers = [await client.get("/cards/1") for _ in range(30)]
        began = time.monotonic()
    seconds = time.monotonic() - began

    assert {one.status_code for one in answers} == {200}
    assert seconds < 3 * TIMEOUT_SECONDS + 1  # not one timeout for each batch of the queue
    assert len([one for one in caplog.messages if one.startswith("OpenTelemetry")]) == 1
    assert not [one for one in caplog.records if one.name.startswith("opentelemetry")]


class Slow:
    """An export that takes long, and fails if there is an error."""

    def __init__(self, error: str = "") -> None:
        self.error = error
        self.sizes: list[int] = []
        self.is_answered = threading.Event()

    def send(self, request: bytes) -> str:
        """Wait for the answer."""
        spans = ExportTraceServiceRequest.FromString(request).resource_spans[0].scope_spans[0].spans
        self.sizes.append(len(spans))
        self.is_answered.wait(5)
        return self.error

    def end_retries(self) -> None:
        """Do nothing."""


def exporting(slow: Slow, delay: float) -> TraceExport:
    """Return an export with room for 20 spans."""
    return TraceExport(
        lambda: Envelope({}, "1", ""),
        lambda: slow,
        failures=ExportFailures(),
        max_queue=20,
        max_batch=5,
        delay=delay,
    )


def record(number: int) -> RequestRecord:
    """Return a record of two spans."""
    part = SpanRecord("part", "name", "Card", 0.0, span_id=f"{number:016x}")
    return RequestRecord(1.0, "GET", "a", trace_id="1" * 32, span_id="2" * 16, spans=[part])


def test_what_a_slow_collector_does_not_take_is_dropped() -> None:
    """The queue holds so many spans, and what is exported at the moment."""
    slow = Slow()
    export = exporting(slow, 60)
    records = [record(number) for number in range(1000)]
    free = sys.getrefcount(records[0])
    for one in records:
        export.take(one)
    held = sum(sys.getrefcount(records[at]) > free for at in range(len(records)))
    slow.is_answered.set()
    export.flush(5)

    assert 10 <= held <= 10 + 3
    assert 20 <= sum(slow.sizes) <= 20 + 6


def test_batches_are_full_until_the_delay_has_passed() -> None:
    """A request of a few spans for each trace would cost more than the traces."""
    slow = Slow()
    slow.is_answered.set()
    export = exporting(slow, 60)
    for number in range(4):
        export.take(record(number))
    while not slow.sizes:
        time.sleep(0.001)
    for number in range(2):
        export.take(record(number))
    export.flush(5)

    assert slow.sizes == [6, 6]


def test_a_failed_flush_leaves_an_empty_queue() -> None:
    """A gateway that is started again in the process has all of its room."""
    slow = Slow("status 503")
    export = exporting(slow, 60)
    for number in range(10):
        export.take(record(number))
    while not slow.sizes:
        time.sleep(0.001)
    threading.Timer(0.1, slow.is_answered.set).start()
    export.flush(5)
    failed, slow.error = len(slow.sizes), ""
    for number in range(10):
        export.take(record(number))
    export.flush(5)

    assert failed == 1
    assert sum(slow.sizes[failed:]) == 20


def test_failures_are_a_line_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """The first at once; the next one has the number of all since."""
    now = 100.0
    failures = ExportFailures(clock=lambda: now)

    failures.fail("status 503")
    for _ in range(5):
        now += 10
        failures.fail("ReadTimeout")
        failures.drop()
    assert len(caplog.messages) == 1
    now += 10
    failures.log()

    assert caplog.messages == [
        "OpenTelemetry: 1 exports failed (status 503), 0 traces found no room in the queue",
        "OpenTelemetry: 5 exports failed (ReadTimeout), 5 traces found no room in the queue",
    ]
