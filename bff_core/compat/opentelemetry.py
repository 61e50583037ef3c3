"""Private names of the OTLP exporters: they send requests that are encoded already.

Their public `export` takes spans of the SDK, whose encoding takes most of the time of an export,
logs each failure, and does not return why it failed.
"""

import logging
from typing import Final

from opentelemetry.exporter.otlp.proto.http import metric_exporter, trace_exporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

THREADS: Final = "bff-"
"""How the names of the threads begin that export."""

LOGGERS: Final = tuple(logging.getLogger(one.__name__) for one in (trace_exporter, metric_exporter))


def _is_of_others(record: logging.LogRecord) -> bool:
    """Whether a line is of another thread than ours, which log failures once a minute."""
    return not (record.threadName or "").startswith(THREADS)


def send_encoded(exporter: OTLPSpanExporter | OTLPMetricExporter, request: bytes) -> str:
    """Send an encoded request of OTLP; return why the collector did not take it, or nothing.

    Endpoint, headers, compression, certificates, timeout and retries are those of the exporter.
    """
    for logger in LOGGERS:
        logger.addFilter(_is_of_others)  # a second time it does nothing
    result = exporter._client.export(request)  # noqa: SLF001 - see above
    if result.success:
        return ""
    status = f"status {result.status_code}" if result.status_code else ""
    error = type(result.error).__name__ if result.error is not None else ""
    return status or error or "no answer"


def end_retries(exporter: OTLPSpanExporter | OTLPMetricExporter) -> None:
    """End the pauses between attempts: each further request is sent once."""
    exporter.shutdown()
