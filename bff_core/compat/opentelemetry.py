"""Private names of the OTLP exporter: it sends a request that is encoded already.

Its public `export` takes spans of the SDK, whose encoding takes most of the time of an export.
"""

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter


def send_encoded(exporter: OTLPSpanExporter, request: bytes) -> bool:
    """Send an `ExportTraceServiceRequest`; return whether the collector took it.

    Endpoint, headers, compression, certificates, timeout and retries are those of the exporter.
    """
    return exporter._client.export(request).success  # noqa: SLF001 - see above
