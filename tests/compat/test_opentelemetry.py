"""The private names of the OTLP exporter that the export of traces uses."""

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

from bff_core.compat.opentelemetry import send_encoded
from tests.observe.otlp_receiver import otlp_receiver


def test_the_exporter_sends_what_is_encoded() -> None:
    """To its endpoint, with its headers; it returns whether the collector took it."""
    with otlp_receiver() as collector:
        exporter = OTLPSpanExporter(f"{collector.url}/v1/traces", headers={"x-key": "a"})
        assert send_encoded(exporter, b"\x0a\x00")
        collector.status = 400
        assert not send_encoded(exporter, b"\x0a\x00")

    assert collector.bodies == [("/v1/traces", b"\x0a\x00")]
    assert collector.headers[0]["x-key"] == "a"
    assert collector.headers[0]["content-type"] == "application/x-protobuf"
