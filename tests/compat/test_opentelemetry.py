"""The private names of the OTLP exporter that the export of traces uses."""

from threading import Thread

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

from bff_core.compat.opentelemetry import NotTaken, end_retries, send_encoded
from bff_core.observe.opentelemetry.collector_export import CollectorExport
from tests.observe.otlp_receiver import otlp_receiver


def test_the_exporter_sends_what_is_encoded() -> None:
    """To its endpoint, with its headers; it returns why the collector did not take it."""
    with otlp_receiver() as collector:
        exporter = OTLPSpanExporter(f"{collector.url}/v1/traces", headers={"x-key": "a"})
        assert send_encoded(exporter, b"\x0a\x00") is None
        collector.status = 400
        assert send_encoded(exporter, b"\x0a\x00") == NotTaken(400, None)

    assert collector.bodies == [("/v1/traces", b"\x0a\x00")]
    assert collector.headers[0]["x-key"] == "a"
    assert collector.headers[0]["content-type"] == "application/x-protobuf"


def test_retries_end_at_shutdown(caplog: pytest.LogCaptureFixture) -> None:
    """A request is still sent, once and at once; our threads log no line for each failure."""
    with otlp_receiver() as collector:
        exporter = OTLPSpanExporter(f"{collector.url}/v1/traces", timeout=30)
        end_retries(exporter)
        sent = CollectorExport(exporter)
        assert sent.send(b"\x0a\x00") == ""
        collector.status = 503
        found: list[str] = []
        thread = Thread(target=lambda: found.append(sent.send(b"")), name="bff-traces")
        thread.start()
        thread.join(5)

    assert found == ["status 503"]
    assert len(collector.headers) == 2
    assert caplog.messages == []
