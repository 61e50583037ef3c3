"""A collector that accepts connections and never answers: nothing waits for it."""

import gc
import socket
import time
from collections.abc import Iterator

import pytest

from bff_core.observe.opentelemetry.failures import ExportFailures
from bff_core.observe.request_records import RequestRecord
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


async def test_a_silent_collector_costs_bounded_memory_and_time(
    silent: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    """Requests are answered, records beyond the queue are dropped, the shutdown is short."""
    async with running(make_app()) as client:
        answers = [await client.get("/cards/1") for _ in range(30)]
        held = sum(isinstance(one, RequestRecord) for one in gc.get_objects())
        began = time.monotonic()
    seconds = time.monotonic() - began

    assert {one.status_code for one in answers} == {200}
    assert held <= 4 + 2  # the queue, the one that is sent, and the last one
    assert seconds < 3 * TIMEOUT_SECONDS + 1  # not one timeout for each batch of the queue
    assert len([one for one in caplog.messages if one.startswith("OpenTelemetry")]) == 1
    assert not [one for one in caplog.records if one.name.startswith("opentelemetry")]


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
